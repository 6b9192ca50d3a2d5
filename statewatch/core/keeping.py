"""Writing down what is done to checkpoints, and keeping what those hold that go."""

import os
import secrets
import socket
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from statewatch.core import audit, copies
from statewatch.core.errors import SourceError, StatewatchError, UnavailableError, UnknownOutcomeError
from statewatch.core.lock import user
from statewatch.kinds.times import iso

if TYPE_CHECKING:
    from statewatch.core.stores.checkpointing import Checkpoints
    from statewatch.core.stores.model import Checkpoint

C = TypeVar("C", bound="Checkpoint | None")


def written_down(
    store: "Checkpoints",
    action: str,
    names: Sequence[str],
    work: Callable[[], C],
    *,
    why: str,
    via: str,
    old: "Checkpoint | None" = None,
    losing: bool = False,
) -> C:
    """Do *work* to the checkpoint that is the first of *names*, and write it down in the audit log; return its result.

    *old* is the checkpoint as it was; what it holds is kept as a copy when it is *losing* that. Raises RefusedError,
    and does nothing, when it cannot be written down or kept.
    """
    audit.ready()
    now = time.time()
    copy = _content_kept(store, names[0], now) if losing else None
    record = audit.Record(
        id=secrets.token_hex(6),
        at=iso(now) or "",
        user=user(),
        host=socket.gethostname(),
        pid=os.getpid(),
        via=via,
        action=action,
        targets=list(names),
        why=why,
        source=store.source,
        before="" if old is None else old.digest,
        after="",
        copy="" if copy is None else str(copy),
        inverse=[],
        checkpoint=names[0],
    )
    audit.begin(record)
    try:
        made = work()
    except UnknownOutcomeError:
        raise  # it may have been done, and the record stays open
    except StatewatchError:
        audit.finish(record.id, "void")
        raise
    audit.complete(replace(record, after="" if made is None else made.digest))
    if copy is not None:
        copies.secure(copy)
    return made


def edit_name(old: "Checkpoint", new: "Checkpoint") -> str:
    """Return what the audit log calls the edit of a checkpoint."""
    if old.name != new.name:
        return "rename checkpoint"
    if old.pinned != new.pinned:
        return "pin checkpoint" if new.pinned else "unpin checkpoint"
    return "annotate checkpoint"


def _content_kept(store: "Checkpoints", name: str, now: float) -> Path | None:
    """Keep what a checkpoint holds; None where that is damaged, which is no loss, and must not keep it from going."""
    try:
        return copies.keep_checkpoint(store.source, store.kept(name), now)
    except UnavailableError:
        raise
    except SourceError:
        return None
