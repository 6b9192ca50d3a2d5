"""What HookStateManager hands out: the records of hooks and their statistics, under the names that callers know."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Self

from statewatch.documents.values import JSON
from statewatch.kinds.breaker import blank, state_of
from statewatch.kinds.times import stamp
from statewatch.kinds.words import mapping, number, text

_FIELDS = tuple(blank())
_STATISTICS = ("total_executions", "total_failures", "hooks_disabled", "last_updated", "doctor_run_count")


class CircuitState(StrEnum):
    """The states of a circuit."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


def get_current_timestamp() -> str:
    """Return the time now as hook states hold it: ISO 8601 in UTC, with microseconds and an offset."""
    return stamp(time.time())


@dataclass(slots=True)
class HookState:
    """The record of one hook. Times are texts as they stand in the file, None where there is none.

    A state in a word of the vocabulary is in its usual spelling, another one as it is. `unknown` are the fields that
    other programs have added.
    """

    state: str = CircuitState.CLOSED.value
    failure_count: int = 0
    consecutive_failures: int = 0
    consecutive_successes: int = 0
    first_failure: str | None = None
    last_failure: str | None = None
    last_success: str | None = None
    last_error: str | None = None
    disabled_at: str | None = None
    retry_after: str | None = None
    unknown: dict[str, JSON] = field(default_factory=dict, repr=False, compare=False)

    def to_dict(self) -> dict[str, JSON]:
        """Return the record as the file holds it."""
        return {**{name: getattr(self, name) for name in _FIELDS}, **self.unknown}

    @classmethod
    def from_dict(cls, data: Mapping[str, JSON]) -> Self:
        """Take the record from what the file holds; counters that are missing or none are 0."""
        get = data.get
        return cls(
            state_of(data),
            number(get("failure_count")) or 0,
            number(get("consecutive_failures")) or 0,
            number(get("consecutive_successes")) or 0,
            text(get("first_failure")),
            text(get("last_failure")),
            text(get("last_success")),
            text(get("last_error")),
            text(get("disabled_at")),
            text(get("retry_after")),
            {name: data[name] for name in data if name not in _KNOWN} if data.keys() - _KNOWN else {},
        )


_KNOWN = frozenset(_FIELDS)


@dataclass(slots=True)
class GlobalStats:
    """The statistics of all hooks; `unknown` are the fields that other programs have added."""

    total_executions: int = 0
    total_failures: int = 0
    hooks_disabled: int = 0
    last_updated: str = field(default_factory=get_current_timestamp)
    doctor_run_count: int = 0
    unknown: dict[str, JSON] = field(default_factory=dict, repr=False, compare=False)

    def to_dict(self) -> dict[str, JSON]:
        """Return the statistics as the file holds them."""
        return {**{name: getattr(self, name) for name in _STATISTICS}, **self.unknown}

    @classmethod
    def from_dict(cls, data: Mapping[str, JSON]) -> Self:
        """Take the statistics from what the file holds; counters that are missing or none are 0."""

        def count(name: str) -> int:
            return number(data.get(name)) or 0

        return cls(
            total_executions=count("total_executions"),
            total_failures=count("total_failures"),
            hooks_disabled=count("hooks_disabled"),
            last_updated=text(data.get("last_updated")) or get_current_timestamp(),
            doctor_run_count=count("doctor_run_count"),
            unknown={name: data[name] for name in data if name not in _STATISTICS},
        )


@dataclass(slots=True)
class HookStateData:
    """A whole hook state: the records by name, and the statistics; `unknown` is what other programs have added."""

    hooks: dict[str, HookState] = field(default_factory=dict)
    global_stats: GlobalStats = field(default_factory=GlobalStats)
    unknown: dict[str, JSON] = field(default_factory=dict, repr=False, compare=False)

    def to_dict(self) -> dict[str, JSON]:
        """Return the hook state as the file holds it."""
        hooks: dict[str, JSON] = {name: state.to_dict() for name, state in self.hooks.items()}
        return {"hooks": hooks, "global_stats": self.global_stats.to_dict(), **self.unknown}

    @classmethod
    def from_dict(cls, data: Mapping[str, JSON]) -> Self:
        """Take a hook state from what the file holds; what is no record at all is left out."""
        hooks = mapping(data.get("hooks"))
        return cls(
            {name: HookState.from_dict(record) for name, record in hooks.items() if isinstance(record, dict)},
            GlobalStats.from_dict(mapping(data.get("global_stats"))),
            {name: data[name] for name in data if name not in ("hooks", "global_stats")},
        )
