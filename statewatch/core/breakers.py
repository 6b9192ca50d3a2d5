"""Resetting the circuits of other tools than hooks: one action for every kind that is declared."""

from collections.abc import Sequence
from pathlib import Path

from statewatch.core.actions import Action
from statewatch.core.errors import RefusedError
from statewatch.documents.values import JSON
from statewatch.kinds import base, field_circuits
from statewatch.kinds.base import Change
from statewatch.kinds.declared import DeclaredKind
from statewatch.kinds.registry import kind_of


def reset_action(path: Path, names: Sequence[str], *, why: str = "", via: str = "library") -> Action:
    """Return the action that closes the named circuits of the file at *path*, as the tool that owns it would.

    Raises RefusedError for a symbolic link that means something by itself: no content of it would be read.
    """
    refuse_meaning_link(path)

    def transform(document: JSON, now: float) -> Change:
        kind = kind_of(document)
        if not isinstance(kind, DeclaredKind):
            raise base.RefusedError("it holds no circuits that can be reset this way any more. Look again")
        return kind.reset(document, names, now)

    return Action(path, transform, "reset", why, via)


def refuse_meaning_link(path: Path) -> None:
    """Refuse, with RefusedError, to act on a symbolic link that means something by itself."""
    kind = field_circuits.expected(path.parent.name, path.name)
    if kind is not None and kind.declaration.when_linked and path.is_symlink():
        raise RefusedError(
            f"{path}: it is a symbolic link, and {kind.declaration.when_linked}. Remove the link (rm), then look again"
        )
