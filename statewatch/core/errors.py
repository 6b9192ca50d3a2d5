"""What can go wrong, as messages for people, and the exit code each means on the command line."""

from collections.abc import Sequence
from typing import ClassVar, Final

_SHOWN: Final = 200
"""Characters of a name that a message shows."""


class StatewatchError(Exception):
    """Something an operator must know: what is wrong, where, and what to do. Never a traceback."""

    exit_code: ClassVar[int] = 3


class NotFoundError(StatewatchError):
    """What was asked for is not there."""

    exit_code = 1


class SourceError(StatewatchError):
    """A source cannot be read, or is not what it should be. `reason` alone says why, without the path."""

    exit_code = 3

    def __init__(self, path: object, reason: str, *, missing: bool = False) -> None:
        self.reason = reason
        self.missing = missing
        super().__init__(f"{path}: {reason}")


class RefusedError(StatewatchError):
    """The core will not do it: it would damage something, it may not, or it no longer applies."""

    exit_code = 4


class OverwrittenError(StatewatchError):
    """Another writer put back what it had read before the action."""

    exit_code = 5


class LockedError(StatewatchError):
    """Somebody else holds the lock and did not let go in time."""

    exit_code = 6


class MissingKeyError(NotFoundError):
    """A store has no such key; `near` are the existing ones that are like it."""

    def __init__(self, where: str, key: str, near: Sequence[str] = ()) -> None:
        self.key = key
        self.near = tuple(near)
        super().__init__(f"{where}: there is no key {_quoted(key)}{_did_you_mean(near)}")


class MissingCheckpointError(NotFoundError):
    """A store has no checkpoint of that name; the near ones of *existing* are named."""

    def __init__(self, where: str, name: str, existing: Sequence[str] = ()) -> None:
        import difflib  # noqa: PLC0415 - only for a message

        self.name = name
        self.near = tuple(difflib.get_close_matches(name, existing, n=3, cutoff=0.6))
        some = _did_you_mean(self.near) if existing else ". It has none at all"
        super().__init__(f"{where}: there is no checkpoint {_quoted(name)}{some}")


class ConflictError(RefusedError):
    """What was to be changed has moved on since it was read; nothing was changed."""


class UnavailableError(SourceError):
    """The engine of a store cannot be reached, or broke off before anything was changed: it may work a moment later."""


class UnknownOutcomeError(StatewatchError):
    """The connection was lost, or the disk failed, while a change was on its way: it may have been made or not."""

    exit_code = 7


def _did_you_mean(near: Sequence[str]) -> str:
    return f". Did you mean {' or '.join(map(_quoted, near))}?" if near else ""


def _quoted(name: str) -> str:
    return repr(name if len(name) <= _SHOWN else f"{name[: _SHOWN - 1]}…")
