"""What a patch or a merge makes of a source, as actions: shown first, audited, undone like any other."""

from collections.abc import Callable

from statewatch.core.actions import Action
from statewatch.core.stores.base import Store
from statewatch.core.undo import evidence
from statewatch.documents.patch import PatchError
from statewatch.documents.pointer import PointerError
from statewatch.documents.values import JSON
from statewatch.kinds.base import Change, RefusedError
from statewatch.kinds.merging import Merged
from statewatch.kinds.registry import changes


def patch_action(
    store: Store, patched: Callable[[JSON], JSON], name: str, *, why: str = "", via: str = "library"
) -> Action:
    """Return the action that makes of a source what *patched* makes of its document; *name* names the patch.

    It is exact: what follows from the rest is not brought up to date. It is refused where *patched* raises PatchError
    or PointerError, since then the patch does not apply.
    """

    def transform(document: JSON, now: float) -> Change:  # noqa: ARG001 - a patch knows no time
        try:
            after = patched(document)
        except (PatchError, PointerError) as error:
            raise RefusedError(f"{name} does not apply: {error}") from None
        return Change("patch", (name,), after, evidence(changes(document, after)))

    return Action(store, transform, "patch", why, via, exact=True)


def merge_action(
    store: Store, merged: Callable[[JSON], Merged], name: str, *, why: str = "", via: str = "library"
) -> Action:
    """Return the action that puts together what a source holds and what another wrote, which is called *name*.

    It is exact, too. Conflicts are told as notes.
    """

    def transform(document: JSON, now: float) -> Change:  # noqa: ARG001
        result = merged(document)
        notes = tuple(f"conflict at {conflict.pointer or '/'}: ours is kept" for conflict in result.conflicts)
        notes = () if result.settled else notes
        return Change("merge", (name,), result.document, evidence(changes(document, result.document)), notes)

    return Action(store, transform, "merge", why, via, exact=True)
