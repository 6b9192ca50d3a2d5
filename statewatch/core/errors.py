"""What can go wrong, as messages for people, and the exit code each means on the command line."""

from typing import ClassVar


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
