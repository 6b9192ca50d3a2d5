"""Rows and detail of the Hooks view."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from statewatch.documents.text import harmless, harmless_lines
from statewatch.kinds import times
from statewatch.kinds.declared_view import Circuit, CircuitsView
from statewatch.kinds.hooks import CLOSED, Hook, HooksView, Policy, first_line
from statewatch.tui.models import cells, circuit_story, other_circuits
from statewatch.tui.models.row import TableSpec
from statewatch.tui.widgets.table_model import Cell, Column
from statewatch.watch.picture import Picture, Source
from statewatch.watch.stories import NOTHING, Event, Story

TextLine = Cell
_SHOWN_CHANGES = 12


@dataclass(frozen=True)
class HookRow:
    """One circuit, of a hook or of another tool. `hook.name` is the raw name that actions need; harmless is shown."""

    source: Source
    hook: Hook | Circuit
    policy: Policy
    is_one_of_many: bool = False
    """Whether there are several such files, so that a name alone does not say which circuit is meant."""
    story: Story = NOTHING
    """What is kept beside the hook state."""
    mode: str = ""
    """The mode that holds, in the word that people use; empty without one."""

    @property
    def key(self) -> str:
        """Return what identifies the circuit."""
        return f"{self.source.key}\0{self.hook.name}"

    @property
    def is_hook(self) -> bool:
        """Tell whether it is the circuit of a hook: those of other tools can be reset, but no more."""
        return isinstance(self.hook, Hook)

    @property
    def events(self) -> Sequence[Event]:
        """Return what is known to have happened to the circuit, newest first."""
        return self.story.events.get(self.hook.name, ()) if self.is_hook else ()

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
        return {
            "hook": self.name,
            "kind": self.source.kind,
            "state": self.hook.state,
            "mode": self.mode,
            "error": self.error,
            "source": self.source.label,
        }


def rows(
    picture: Picture, now: float | None = None, story_of: Callable[[str], Story] = lambda _key: NOTHING
) -> tuple[HookRow, ...]:
    """Return all circuits of hooks and of other tools as they are at *now*, the ones that need somebody first.

    *story_of* tells what is kept beside the hook state of a source.
    """
    moment = picture.at if now is None else now
    views = [(source, source.view) for source in picture.sources if isinstance(source.view, HooksView)]
    several = len(views) > 1
    found = []
    for source, view in views:
        story = story_of(source.key)
        found += [_row(source, hook, several, story, moment) for hook in view.hooks]
    for source in picture.sources:
        if isinstance(source.view, CircuitsView):  # what another tool calls its circuit says little without the file
            found += [HookRow(source, each, source.policy, True) for each in source.view.at(moment).circuits]
    return tuple(sorted(found, key=lambda row: row.hook.rank))


def _row(source: Source, hook: Hook, several: bool, story: Story, now: float) -> HookRow:
    policy = source.policy.of(hook.name) if source.policy.overrides else source.policy
    if not story.extras:
        return HookRow(source, hook, policy, several, story)
    if (openings := circuit_story.openings(story, hook.name)) > 1:
        policy = policy._replace(cooldown=policy.cooldown_after(openings), backoff=1.0, overrides=())
    return HookRow(source, hook, policy, several, story, circuit_story.mode(story, hook.name, now))


def _state(row: HookRow, _now: float) -> Cell:
    return cells.marked(row.hook.state)


def _name(row: HookRow, _now: float) -> Cell:
    where: Cell = ((f"  {row.source.label}", "muted"),) if row.is_one_of_many else ()
    mode: Cell = ((f"  [{row.mode}]", "warn"),) if row.mode else ()
    return ((row.name or "(no name)", ""), *mode, *where)


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
            "trend",
            "TREND 8h",
            lambda row, now: circuit_story.trend(row.events, now),
            width=circuit_story.TREND,
            minimum=circuit_story.TREND,
            priority=6,
        ),
        Column(
            "source", "SOURCE", lambda row, _now: cells.own(row.source.label, "muted"), width=30, minimum=30, priority=7
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
        "trend": lambda row: -sum(event.get("event") == "failed" for event in row.events),
        "source": lambda row: row.source.label,
    },
)


def detail(row: HookRow, picture: Picture, now: float) -> tuple[TextLine, ...]:
    """Return everything there is to say about one circuit."""
    hook = row.hook
    lines: list[TextLine] = [
        (*cells.marked(hook.state), ("  ", ""), (row.name, "strong")),
        cells.own(f"in {row.source.label}", "muted"),
        (),
    ]
    if isinstance(hook, Hook):
        lines += circuit_story.strip(row.events, hook.state, now)
        lines += [_counts(hook), *_moments(hook, now), *_policy(row, row.policy, now)]
    else:
        lines += other_circuits.detail(row.source, hook, picture, now)
    if hook.last_error:
        title = "LAST ERROR" if row.is_hook else "REASON"
        lines += [(), cells.own(title, "muted"), *(cells.own(line) for line in harmless_lines(hook.last_error))]
    if events := circuit_story.log(row.events, now):
        lines += [(), cells.own("HISTORY", "muted"), *events]
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


def _policy(row: HookRow, policy: Policy, now: float) -> list[TextLine]:
    rule = policy.excludes(row.hook.name)
    excluded = f"; excluded by {harmless(rule, 60)!r}, so it runs in any state" if rule else ""
    said = (
        f"opens after {policy.failure_threshold} failures in a row, cools down {times.span(policy.cooldown)}, "
        f"closes after {policy.success_threshold} successes{excluded}"
    )
    return [((f"{'policy':<14}", "muted"), (said, "")), *circuit_story.settings(row.story, row.hook.name, policy, now)]
