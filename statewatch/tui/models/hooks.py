"""Rows and detail of the Hooks view."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from statewatch.documents.text import harmless, harmless_lines
from statewatch.kinds import times
from statewatch.kinds.hooks import CLOSED, Hook, HooksView, Policy, first_line
from statewatch.tui.models import cells
from statewatch.tui.models.row import TableSpec
from statewatch.tui.widgets.table_model import Cell, Column
from statewatch.watch.picture import Picture, Source

TextLine = Cell
_SHOWN_CHANGES = 12


@dataclass(frozen=True)
class HookRow:
    """One circuit. `hook.name` is the raw name that actions need; only harmless text is shown."""

    source: Source
    hook: Hook
    policy: Policy
    is_one_of_many: bool = False
    """Whether there are several hook states, so that a name alone does not say which circuit is meant."""

    @property
    def key(self) -> str:
        """Return what identifies the circuit."""
        return f"{self.source.key}\0{self.hook.name}"

    @cached_property
    def name(self) -> str:
        """Return the name as it is shown."""
        return harmless(self.hook.name, 500)

    @cached_property
    def error(self) -> str:
        """Return the line of the last error that says most."""
        return harmless(first_line(self.hook.last_error), 500)

    @cached_property
    def fields(self) -> Mapping[str, str]:
        """Return what a filter looks at."""
        return {"hook": self.name, "state": self.hook.state, "error": self.error, "source": self.source.label}


def rows(picture: Picture) -> tuple[HookRow, ...]:
    """Return all circuits of all hook states, the ones that need somebody first."""
    views = [(source, source.view) for source in picture.sources if isinstance(source.view, HooksView)]
    several = len(views) > 1
    found = [HookRow(source, hook, source.policy, several) for source, view in views for hook in view.hooks]
    return tuple(sorted(found, key=lambda row: row.hook.rank))


def _state(row: HookRow, _now: float) -> Cell:
    return cells.marked(row.hook.state)


def _name(row: HookRow, _now: float) -> Cell:
    where: Cell = ((f"  {row.source.label}", "muted"),) if row.is_one_of_many else ()
    return ((row.name or "(no name)", ""), *where)


def _retry(row: HookRow, now: float) -> Cell:
    left = row.hook.remaining(row.policy, now)
    if left is None:
        return ()
    if left <= 0:
        return cells.own("due", "warn")
    return cells.own(times.countdown(left), "strong")


def _total(row: HookRow, _now: float) -> Cell:
    return cells.number(row.hook.failure_count, "warn" if row.hook.state == CLOSED else "bad")


SPEC: TableSpec[HookRow] = TableSpec(
    columns=(
        Column("state", "STATE", _state, width=11, minimum=11),
        Column("hook", "HOOK", _name, width=28, minimum=22, flex=1),
        Column(
            "row",
            "IN A ROW",
            lambda row, _now: cells.number(row.hook.consecutive_failures, "bad"),
            width=8,
            minimum=8,
            align="right",
            priority=2,
        ),
        Column("total", "TOTAL", _total, width=5, minimum=5, align="right", priority=4),
        Column("retry", "RETRY IN", _retry, width=8, minimum=8, align="right", ticks=True, priority=1),
        Column("error", "LAST ERROR", lambda row, _now: cells.own(row.error), width=36, minimum=16, flex=4, priority=3),
        Column(
            "success",
            "LAST OK",
            lambda row, now: cells.age(row.hook.last_success, now),
            width=7,
            minimum=7,
            align="right",
            ticks=True,
            priority=5,
        ),
        Column(
            "source", "SOURCE", lambda row, _now: cells.own(row.source.label, "muted"), width=30, minimum=30, priority=6
        ),
    ),
    empty="no hook state yet: it appears here as soon as a hook has run",
    sorts={
        "state": lambda row: row.hook.rank,
        "hook": lambda row: row.name.casefold(),
        "row": lambda row: -(row.hook.consecutive_failures or 0),
        "total": lambda row: -(row.hook.failure_count or 0),
        "retry": lambda row: row.hook.disabled_at if row.hook.is_open and row.hook.disabled_at else float("inf"),
        "error": lambda row: (not row.error, row.error.casefold()),
        "success": lambda row: -(row.hook.last_success or 0),
        "source": lambda row: row.source.label,
    },
)


def detail(row: HookRow, picture: Picture, now: float) -> tuple[TextLine, ...]:
    """Return everything there is to say about one circuit."""
    hook, policy = row.hook, row.policy
    lines: list[TextLine] = [
        (*cells.marked(hook.state), ("  ", ""), (row.name, "strong")),
        cells.own(f"in {row.source.label}", "muted"),
        (),
        _counts(hook),
        *_moments(hook, now),
        _policy(row, policy),
    ]
    if hook.last_error:
        lines += [(), cells.own("LAST ERROR", "muted"), *(cells.own(line) for line in harmless_lines(hook.last_error))]
    seen = [line for line in picture.changes if line.source == row.source.key and line.sentence.subject == row.name]
    lines += [(), cells.own("SEEN SINCE THE START", "muted")]
    lines += [
        ((times.clock(line.at, now) + "  ", "muted"), (line.sentence.text, cells.tone(line.sentence.tone)))
        for line in seen[:_SHOWN_CHANGES]
    ] or [cells.own("no change yet", "muted")]
    return tuple(lines)


def _counts(hook: Hook) -> TextLine:
    def shown(value: int | None) -> str:
        return "–" if value is None else str(value)

    return cells.own(
        f"failures: {shown(hook.consecutive_failures)} in a row, {shown(hook.failure_count)} in all; "
        f"successes in a row: {shown(hook.consecutive_successes)}"
    )


def _moments(hook: Hook, now: float) -> list[TextLine]:
    named = (
        ("opened", hook.disabled_at),
        ("first failure", hook.first_failure),
        ("last failure", hook.last_failure),
        ("last success", hook.last_success),
    )
    return [
        ((f"{name:<14}", "muted"), (f"{times.clock(moment, now)}  ({times.span(now - moment)} ago)", ""))
        for name, moment in named
        if moment is not None
    ]


def _policy(row: HookRow, policy: Policy) -> TextLine:
    rule = policy.excludes(row.hook.name)
    excluded = f"; excluded by {harmless(rule, 60)!r}, so it runs in any state" if rule else ""
    said = (
        f"opens after {policy.failure_threshold} failures in a row, cools down {times.span(policy.cooldown)}, "
        f"closes after {policy.success_threshold} successes{excluded}"
    )
    return ((f"{'policy':<14}", "muted"), (said, ""))
