"""The picture as a pure reducer: the board so far and an observation of one file give the next board.

This is where text from files enters the view models: change lines and problems are made harmless here. The `View`
objects keep the raw text, because an action on a hook needs the hook's own name; who shows a view makes it harmless.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from statewatch.documents.text import harmless
from statewatch.documents.values import JSON
from statewatch.kinds import (
    agent_checkpoint,
    batch,
    field_circuits,
    glance,
    hooks,
    namespace,
    pipeline,
    session,
    workflow,
)
from statewatch.kinds.base import Sentence
from statewatch.kinds.batch import BatchView
from statewatch.kinds.hooks import Policy
from statewatch.kinds.registry import sentences
from statewatch.watch import pace
from statewatch.watch.discovery import Candidate, Verdict, judge
from statewatch.watch.picture import ChangeLine, Picture, Problem, Revision, Source, View, Watching

MOST_CHANGES = 1_000
MOST_LINES = 50
"""So many lines one revision may add; the rest is counted, so that a rewritten file does not push all else out."""

ACTIVITY_INTERVAL, MOST_INTERVALS = 5.0, 720
"""Seconds in which changes are counted together, and how many such counts are kept: an hour at least."""

DROPPED_AFTER = 10.0
"""Seconds for which a source that was found by itself is shown on after its file was deleted."""

_VIEWS: dict[str, Callable[[JSON], View]] = {
    "hooks": hooks.view,
    "batch": batch.view,
    "workflow": workflow.view,
    "session": session.view,
    "pipeline": pipeline.view,
    "run": pipeline.summed_up,
    "checkpoint": agent_checkpoint.view,
    "namespace": namespace.KIND.view,
    "file state": namespace.VERSIONED.view,
    "plain": glance.view,
}
_SUBJECT_LENGTH, _TEXT_LENGTH = 200, 500


@dataclass(frozen=True, slots=True)
class Observation:
    """What was found in a file at the instant `at`: a revision, or the reason why there is none.

    `linked` says that the file is a symbolic link.
    """

    candidate: Candidate
    at: float
    revision: Revision | None = None
    reason: str = ""
    gone: bool = False
    linked: bool = False


@dataclass(frozen=True, slots=True)
class Tracked:
    """A source with what is remembered about it beside what is shown."""

    source: Source
    candidate: Candidate
    course: pace.Course | None = None
    linked: bool = False


@dataclass(frozen=True, slots=True)
class Board:
    """All sources by key, the latest change lines (newest first), and how many lines there have been."""

    tracked: Mapping[str, Tracked] = field(default_factory=dict)
    changes: tuple[ChangeLine, ...] = ()
    lines: int = 0
    activity: tuple[tuple[float, int], ...] = ()

    def picture(self, at: float, watching: Watching) -> Picture:
        """Return what the screens show."""
        sources = sorted((each.source for each in self.tracked.values()), key=lambda source: source.label)
        return Picture(at, tuple(sources), self.changes, self.activity, watching)


def advance(board: Board, seen: Observation, policy_of: Callable[[str], Policy]) -> Board:
    """Return the board after an observation; the same board when it brings nothing new.

    *policy_of* gives the policy for the hook state at a path.
    """
    if seen.revision is None:
        return _fail(board, seen, seen.reason, seen.candidate.expected.kind if seen.candidate.expected else "plain")
    before = board.tracked.get(seen.candidate.path)
    was_shown_as = before.source.kind if before is not None and before.source.revision is not None else None
    verdict = judge(seen.candidate, seen.revision.document, was_shown_as)
    if verdict is None:
        return _without(board, seen.candidate.path)
    if verdict.problem is not None:
        return _fail(board, seen, verdict.problem, verdict.kind)
    policy = policy_of(seen.candidate.path) if verdict.kind == "hooks" else Policy()
    return _show(board, seen, seen.revision, verdict, policy)


def pass_time(board: Board, before: float, now: float) -> Board:
    """Return the board at *now*, which was last brought up to date at *before*.

    Deleted sources go after a while, and the trends of running batches move on with each of their intervals.
    """
    tracked = {}
    changed = False
    for key, each in board.tracked.items():
        problem = each.source.problem
        if problem is not None and problem.gone and not each.candidate.explicit and now - problem.since > DROPPED_AFTER:
            changed = True
            continue
        fresh = each
        interval = each.source.pace.trend_interval
        if each.course is not None and each.course.running and interval and before // interval != now // interval:
            fresh, changed = replace(each, source=replace(each.source, pace=pace.pace(each.course, now))), True
        tracked[key] = fresh
    return replace(board, tracked=tracked) if changed else board


def with_policies(board: Board, policy_of: Callable[[str], Policy]) -> Board:
    """Return the board with the policies that hold now."""
    tracked = {
        key: replace(each, source=replace(each.source, policy=policy_of(key))) if each.source.kind == "hooks" else each
        for key, each in board.tracked.items()
    }
    return board if tracked == board.tracked else replace(board, tracked=tracked)


def _show(board: Board, seen: Observation, revision: Revision, verdict: Verdict, policy: Policy) -> Board:
    candidate = seen.candidate
    before = board.tracked.get(candidate.path)
    old = before.source if before is not None else None
    turned = before is not None and before.linked != seen.linked
    shown = old.revision.digest if old is not None and old.revision is not None and old.problem is None else None
    if shown == revision.digest and not turned:
        return board
    view = _view(verdict.kind, seen)
    course = pace.observe(before.course if before else None, view, seen.at) if isinstance(view, BatchView) else None
    source = Source(
        key=candidate.path,
        label=candidate.label,
        kind=verdict.kind,
        revision=revision,
        view=view,
        policy=policy,
    )
    if course is not None:
        source = replace(source, pace=pace.pace(course, seen.at))
    said = [*_arrival(candidate, old), *_news(old, revision, verdict.kind)]
    if turned:
        said.append(Sentence("", "a symbolic link now" if seen.linked else "no symbolic link any more", "warn"))
    return _with(board, Tracked(source, candidate, course, seen.linked), seen.at, said, revision.digest)


def _view(kind: str, seen: Observation) -> View | None:
    """Return the view of what was found, None where its kind has none."""
    document = seen.revision.document if seen.revision is not None else None
    declared = field_circuits.declared(kind)
    if declared is None:
        make_view = _VIEWS.get(kind)
        return make_view(document) if make_view else None
    if seen.linked and declared.declaration.when_linked:
        return declared.linked(document)
    view = declared.view(document)
    flaw = seen.revision.flaw if seen.revision is not None else ""
    return view._replace(notes=(f"read all the same, though {flaw}", *view.notes)) if flaw else view


def _show_link(board: Board, seen: Observation, kind: str) -> Board:
    """Show a symbolic link of which nothing could be read, but which means something by itself."""
    candidate = seen.candidate
    before = board.tracked.get(candidate.path)
    source = Source(candidate.path, candidate.label, kind, view=_view(kind, seen))
    if before is not None and before.source == source:
        return board
    said = _arrival(candidate, before.source if before else None)
    return _with(board, Tracked(source, candidate, linked=True), seen.at, said, None)


def _fail(board: Board, seen: Observation, reason: str, kind: str) -> Board:
    candidate = seen.candidate
    before = board.tracked.get(candidate.path)
    declared = field_circuits.declared(kind)
    if declared is not None and seen.linked and declared.declaration.when_linked:
        return _show_link(board, seen, kind)
    if before is None and seen.gone and not candidate.explicit:
        return board
    if declared is not None and not seen.gone and declared.declaration.when_damaged:
        reason = f"{reason}; {declared.declaration.when_damaged}"
    old = before.source if before is not None else Source(candidate.path, candidate.label, kind)
    was = old.problem
    deleted = seen.gone and old.revision is not None
    reason = harmless("deleted" if deleted else reason, _TEXT_LENGTH)
    if was is not None and (was.reason, was.gone) == (reason, seen.gone):
        return board
    since = was.since if was is not None and was.gone == seen.gone else seen.at
    source = replace(old, problem=Problem(reason, since, seen.gone))
    said: list[Sentence] = []
    if before is not None or not candidate.at_start:
        said.append(Sentence("", "deleted" if seen.gone else reason, "warn" if seen.gone else "bad"))
    return _with(board, Tracked(source, candidate, before.course if before else None), seen.at, said, None)


def _arrival(candidate: Candidate, old: Source | None) -> list[Sentence]:
    if old is None:
        return [] if candidate.at_start else [Sentence("", "appeared")]
    if old.problem is None:
        return []
    if not old.problem.gone:
        return [Sentence("", "can be read again" if old.revision else "can be read now", "good")]
    return [Sentence("", "is there again" if old.revision else "appeared")]


def _news(old: Source | None, revision: Revision, kind: str) -> list[Sentence]:
    if old is None or old.revision is None or old.revision.digest == revision.digest:
        return []
    return told(old.revision.document, revision.document, kind)


def told(before: JSON, after: JSON, kind: str) -> list[Sentence]:
    """Put what a revision of a source, shown as *kind*, changed into words: at most so many lines, all harmless."""
    said = [_harmless(sentence) for sentence in sentences(before, after, kind)] or [
        Sentence("", "laid out differently")
    ]
    rest = len(said) - MOST_LINES
    return said if rest <= 1 else [*said[:MOST_LINES], Sentence("", f"{rest} more changes in this revision")]


def _with(board: Board, tracked: Tracked, at: float, said: list[Sentence], after: str | None) -> Board:
    source = tracked.source
    previous = board.tracked.get(source.key)
    before = previous.source.revision.digest if previous and previous.source.revision else None
    lines = [
        ChangeLine(number, at, source.key, source.label, source.kind, sentence, before, after)
        for number, sentence in enumerate(map(_harmless, said), start=board.lines + 1)
    ]
    return Board(
        tracked={**board.tracked, source.key: tracked},
        changes=(*reversed(lines), *board.changes)[:MOST_CHANGES],
        lines=board.lines + len(lines),
        activity=_counted(board.activity, at, len(lines)),
    )


def _counted(activity: tuple[tuple[float, int], ...], at: float, lines: int) -> tuple[tuple[float, int], ...]:
    """Return the activity with so many lines more, in intervals of a few seconds, newest first."""
    if not lines:
        return activity
    begun = at // ACTIVITY_INTERVAL * ACTIVITY_INTERVAL
    if activity and activity[0][0] == begun:
        return ((begun, activity[0][1] + lines), *activity[1:])
    return ((begun, lines), *activity)[:MOST_INTERVALS]


def _without(board: Board, key: str) -> Board:
    if key not in board.tracked:
        return board
    return replace(board, tracked=dict(_others(board.tracked, key)))


def _others(tracked: Mapping[str, Tracked], key: str) -> Iterator[tuple[str, Tracked]]:
    return ((each, value) for each, value in tracked.items() if each != key)


def _harmless(sentence: Sentence) -> Sentence:
    subject = harmless(sentence.subject, _SUBJECT_LENGTH)
    return replace(sentence, subject=subject, text=harmless(sentence.text, _TEXT_LENGTH))
