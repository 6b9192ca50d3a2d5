"""Which checkpoints may go: rules for keeping them, and why each one is kept. Pure; who deletes is elsewhere.

As in restic and borg, a checkpoint stays when any rule keeps it; and the newest always does, since an age alone could
let go of all there are. Never let go, and never counted by a rule, are pinned ones, those other tools left, and those
dated later than now: somebody set a clock, and how old they are is not known.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Generic, Literal, Protocol, TypeVar

Reason = Literal["pinned", "foreign", "future", "last", "daily", "age", "newest"]

_DAY = 86_400


class Checkpoint(Protocol):
    """What the rules look at."""

    @property
    def name(self) -> str:
        """The name, which decides between two of the same moment."""

    @property
    def created_at(self) -> float:
        """When it was made, in seconds since the Unix epoch."""

    @property
    def pinned(self) -> bool:
        """Whether somebody wants it kept."""

    @property
    def foreign(self) -> bool:
        """Whether another tool left it."""


C = TypeVar("C", bound=Checkpoint)


@dataclass(frozen=True, slots=True)
class Policy:
    """What to keep: the newest *keep_last*; the newest of each of the last *keep_daily* days that have any, in UTC; all
    that are at most *keep_age* seconds old; and in any case the newest.

    Raises ValueError for a policy without a rule, and for a rule that would keep nothing.
    """

    keep_last: int | None = None
    keep_daily: int | None = None
    keep_age: float | None = None

    def __post_init__(self) -> None:
        rules = {"keep_last": self.keep_last, "keep_daily": self.keep_daily, "keep_age": self.keep_age}
        if all(value is None for value in rules.values()):
            raise ValueError(f"no rule: say what is kept, with at least one of {', '.join(rules)}")
        for name, value in rules.items():
            if value is not None and not value > 0:
                raise ValueError(f"{name} must be more than 0, not {value}")


@dataclass(frozen=True, slots=True)
class Verdict(Generic[C]):
    """A checkpoint, and what keeps it; nothing does when it may go."""

    checkpoint: C
    kept_by: tuple[Reason, ...]

    @property
    def expired(self) -> bool:
        """Tell whether the checkpoint may go."""
        return not self.kept_by


def verdicts(checkpoints: Iterable[C], policy: Policy, now: float) -> list[Verdict[C]]:
    """Judge each checkpoint at *now*, in seconds since the Unix epoch. The order is that of *checkpoints*."""
    given = list(checkpoints)
    exempt = [_exempt(checkpoint, now) for checkpoint in given]
    newest_first = sorted(
        (index for index, reasons in enumerate(exempt) if not reasons),
        key=lambda index: (given[index].created_at, given[index].name),
        reverse=True,
    )
    of_day: dict[float, int] = {}
    for index in newest_first:
        of_day.setdefault(given[index].created_at // _DAY, index)
    kept: dict[Reason, set[int]] = {
        "last": set(newest_first[: policy.keep_last or 0]),
        "daily": set(list(of_day.values())[: policy.keep_daily or 0]),
        "age": {index for index in newest_first if now - given[index].created_at <= (policy.keep_age or -1)},
    }
    kept["newest"] = set(newest_first[:1]) - set().union(*kept.values())
    return [
        Verdict(checkpoint, exempt[index] or tuple(rule for rule, indices in kept.items() if index in indices))
        for index, checkpoint in enumerate(given)
    ]


def expired(checkpoints: Iterable[C], policy: Policy, now: float) -> list[C]:
    """Return the checkpoints that may go at *now*, in the order of *checkpoints*."""
    return [verdict.checkpoint for verdict in verdicts(checkpoints, policy, now) if verdict.expired]


def _exempt(checkpoint: Checkpoint, now: float) -> tuple[Reason, ...]:
    facts: dict[Reason, bool] = {
        "pinned": checkpoint.pinned,
        "foreign": checkpoint.foreign,
        "future": not checkpoint.created_at <= now,  # so that a time that is no number counts as unknown too
    }
    return tuple(reason for reason, true in facts.items() if true)
