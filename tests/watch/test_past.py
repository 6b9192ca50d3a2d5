"""The picture of a past moment: the same as the live one was then, and quick enough to scrub through."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from statewatch.kinds.base import Sentence
from statewatch.kinds.hooks import HooksView, Policy
from statewatch.watch.absences import Absences
from statewatch.watch.discovery import Candidate, expectation
from statewatch.watch.history.store import History
from statewatch.watch.past import Past
from statewatch.watch.picture import Picture, Problem, Revision, Source
from statewatch.watch.recorded import recorded
from statewatch.watch.scope import Root, Scope, scope_of
from statewatch.watch.sweep import Sweep
from tests.support import timeline

START = 1_780_000_000.0


@pytest.fixture
def history(tmp_path: Path) -> Iterator[History]:
    """Return an empty history."""
    with History.open(tmp_path / "history.db") as opened:
        yield opened


def keep(history: History, source: str, *versions: Any, start: float = START, every: float = 10.0) -> None:
    """Record versions of a source, one every so many seconds."""
    for number, version in enumerate(versions):
        at = start + number * every
        data = version if isinstance(version, bytes) else json.dumps(version).encode()
        assert history.record(source, data, at=at - 0.5, seen_at=at)


def past_of(history: History, *files: str, **options: Any) -> Past:
    candidates = recorded(Scope(files=files, base="/p"), history.sources())
    return Past(history, candidates, lambda _path: Policy(), **options)


def document(picture: Picture, key: str) -> Any:
    source = picture.source(key)
    return source.revision.document if source is not None and source.revision is not None else None


def test_each_source_is_as_it_was_then(history: History) -> None:
    keep(history, "/p/a.json", {"a": 1}, {"a": 2}, {"a": 3})
    keep(history, "/p/b.json", {"b": 1}, start=START + 15)
    past = past_of(history, "/p/a.json", "/p/b.json")
    assert past.at(START - 1).sources == ()
    then = past.at(START + 12)
    assert [source.label for source in then.sources] == ["a.json"]
    assert (then.at, document(then, "/p/a.json")) == (START + 12, {"a": 2})
    assert then.sources[0].changed_at == START + 9.5
    assert document(past.at(START + 20), "/p/a.json") == {"a": 3}
    assert document(past.at(START + 99), "/p/b.json") == {"b": 1}
    assert past.begins() == {"/p/a.json": START, "/p/b.json": START + 15}


def test_the_changes_so_far_are_told_in_words(history: History) -> None:
    keep(history, "/p/a.json", {"a": 1}, {"a": 2}, {"a": 3})
    past = past_of(history, "/p/a.json")
    lines = past.at(START + 15).changes
    assert [line.sentence.text for line in lines] == ["1 → 2", "recorded for the first time"]
    assert [line.at for line in lines] == [START + 10, START]
    assert past.at(START + 25).changes[1:] == lines, "a line is the same whenever it is looked at"
    assert lines[0].before != lines[0].after
    assert len(past.at(START + 25, lines=1).changes) == 1
    assert [line.at for line in past.between(START, START + 10)] == [START + 10]
    assert past.at(START + 15).activity == ((START + 10, 1), (START, 1))


def test_steps_from_change_to_change(history: History) -> None:
    keep(history, "/p/a.json", {"a": 1}, {"a": 2})
    keep(history, "/p/b.json", {"b": 1}, start=START + 5)
    past = past_of(history, "/p/a.json", "/p/b.json")

    def step(moment: float, by: int, key: str | None = None) -> float | None:
        found = past.step(moment, by, key)
        return None if found is None else found.seen_at - START

    assert [step(START, 1), step(START + 5, 1), step(START + 10, 1)] == [5, 10, None]
    assert [step(START + 10, -1), step(START + 7, -1), step(START, -1)] == [5, 5, None]
    assert step(START, 2) == 10
    assert [step(START, 1, "/p/a.json"), step(START + 99, -1, "/p/a.json"), step(START, 1, "/p/x")] == [10, 10, None]


def test_what_was_recorded_meanwhile_is_taken_up(history: History) -> None:
    keep(history, "/p/a.json", {"a": 1})
    past = past_of(history, "/p/a.json")
    keep(history, "/p/a.json", {"a": 2}, start=START + 10)
    assert document(past.at(START + 20), "/p/a.json") == {"a": 1}
    past.refresh()
    assert document(past.at(START + 20), "/p/a.json") == {"a": 2}
    assert len(past.moments()) == 2


def test_a_file_that_was_damaged_shows_the_last_good_one_and_why(history: History) -> None:
    hooks = json.loads(timeline("hook_state")[0])
    keep(history, "/p/hook_state.json", hooks, b'{"hooks": ', {"something": "else"}, hooks)
    past = past_of(history, "/p/hook_state.json")
    for moment, reason in ((10, "line 1"), (20, "not a hook state")):
        (source,) = past.at(START + moment).sources
        assert source.problem is not None
        assert reason in source.problem.reason
        assert isinstance(source.view, HooksView)
    assert past.at(START + 30).sources[0].problem is None


def test_what_was_pruned_meanwhile_is_a_problem_of_its_source_only(history: History) -> None:
    keep(history, "/p/a.json", {"a": 1}, {"a": 2})
    keep(history, "/p/b.json", {"b": 1})
    past = past_of(history, "/p/a.json", "/p/b.json")
    assert history.prune(START + 1_000, max_age=1.0) == 1
    first, second = past.at(START).sources
    assert first.problem is not None
    assert "kept no longer" in first.problem.reason
    assert second.problem is None


@pytest.mark.parametrize("name", ["hook_state", "batch_state"])
def test_replayed_it_is_what_the_live_picture_was(history: History, tmp_path: Path, name: str) -> None:
    """Every moment of real timelines: sources, views, problems, policies and lines, as a sweep had them."""
    path = tmp_path / f"{name}.json"
    versions = timeline(name)[:60]
    clock = [START]
    sweep = Sweep(Scope(files=(str(path),), base=str(tmp_path)), clock=lambda: clock[0])
    live: list[Picture] = []
    for data in versions:
        path.write_bytes(data)
        sweep.at([str(path)])
        picture = sweep.picture(Past(history, (), lambda _path: Policy()).at(0.0).watching)
        live.append(picture)
        revision = picture.sources[0].revision
        assert revision is not None
        history.record(str(path), data, at=revision.modified_at, seen_at=clock[0])
        clock[0] += 10.0
    past = past_of(history, str(path), max_bytes=10 * len(versions[-1]))
    entries = {entry.seen_at: entry for entry in past.moments()}
    assert len(entries) > len(versions) // 2, "few of these are nothing but new times"
    told = 0
    for picture in [*live, *reversed(live), *live[::7]]:
        if picture.at not in entries:
            continue  # nothing but new times, and the next one was recorded in its place
        then = past.at(picture.at)
        was, is_ = picture.sources[0], then.sources[0]
        assert (is_.kind, is_.view, is_.problem) == (was.kind, was.view, was.problem)
        assert _core(is_.revision) == _core(was.revision)
        if not entries[picture.at].dropped and picture.at > START:
            assert _latest(then) == _latest(picture)
            told += len(_latest(then))
    assert told


def _latest(picture: Picture) -> list[Sentence]:
    return [line.sentence for line in picture.changes if line.at == picture.at]


def _core(revision: Revision | None) -> object:
    return revision and (revision.digest, revision.size, revision.document)


def test_the_pace_of_a_batch_is_measured_from_what_came_before(history: History) -> None:
    batch = json.loads(timeline("batch_state")[-1])
    features = [f"feature {number}" for number in range(40)]
    ended: dict[str, Any] = {"failed_features": [], "skipped_features": [], "git_operations": {}}
    base = {**batch, **ended, "features": features, "total_features": 40, "status": "running"}
    versions = [{**base, "completed_features": list(range(done))} for done in range(30)]
    keep(history, "/p/batch_state.json", *versions, every=30.0)
    (source,) = past_of(history, "/p/batch_state.json").at(START + 25 * 30).sources
    assert source.pace.observed
    assert source.pace.seconds_per_item == pytest.approx(30.0)


def test_only_what_the_scope_looks_at_is_shown(tmp_path: Path) -> None:
    project, home = tmp_path / "project", tmp_path / "home"
    (project / ".git").mkdir(parents=True)
    scope = scope_of((), project, home, {})
    inside = [
        f"{project}/.claude/batch_state.json",
        f"{project}/.claude/workflows/w1/state.json",
        f"{home}/.claude/hook_state.json",
    ]
    outside = [
        f"{project}/notes.json",
        f"{project}/node_modules/x/.claude/batch_state.json",
        f"{tmp_path}/other/.claude/batch_state.json",
        f"{home}/.claude/projects/x/batch_state.json",
        "sqlite:/x.db?namespace=a",
    ]
    assert [each.path for each in recorded(scope, [*inside, *outside])] == inside
    named = scope_of((outside[0],), project, home, {})
    assert [(each.path, each.explicit) for each in recorded(named, [*inside, *outside])] == [(outside[0], True)]
    assert recorded(Scope(roots=(Root("/q", scope.roots[0].level),)), inside) == ()


def test_files_of_a_line_each_and_of_text_are_read_as_they_are_live(history: History) -> None:
    log, wish = "/p/.claude/local/drain_log.jsonl", "/p/.claude/HUMAN_INPUT.md"
    keep(history, log, b'{"a": 1}\n{"a": 2}\n')
    keep(history, wish, b"please look at the tests\n")
    then = past_of(history, log, wish).at(START + 1)
    assert [(source.kind, source.problem) for source in then.sources] == [("human input", None), ("drain log", None)]


def live(at: float, *sources: Source) -> Picture:
    return Picture(at, tuple(sources))


def test_a_source_that_was_deleted_while_somebody_looked_is_not_there_afterwards(history: History) -> None:
    wish = "/p/.claude/HUMAN_INPUT.md"
    keep(history, wish, b"please look\n")
    absences = Absences()
    source = Source(wish, "wish", "human input")
    absences.see(live(START + 1, source))
    absences.see(live(START + 42, replace(source, problem=Problem("deleted", START + 40, gone=True))))
    absences.see(live(START + 60))
    absences.see(live(START + 90, source))
    found_by_itself = Candidate(wish, "wish", expectation(wish))
    past = Past(history, [found_by_itself], lambda _path: Policy(), absences=absences)
    problems = [[source.problem for source in past.at(START + later).sources] for later in (39, 45, 70, 95)]
    assert problems == [[None], [Problem("deleted", START + 40, gone=True)], [], [None]]


def test_what_was_recorded_after_a_source_went_shows_that_it_came_back(history: History) -> None:
    keep(history, "/p/a.json", {"a": 1}, {"a": 2}, every=50.0)
    absences = Absences()
    absences.see(live(START + 10))  # it was deleted before anybody looked, nobody knows when
    past = past_of(history, "/p/a.json", absences=absences)
    assert past.at(START + 5).sources[0].problem is None
    assert past.at(START + 20).sources[0].problem == Problem("deleted", START, gone=True)
    assert past.at(START + 50).sources[0].problem is None
