"""Single passes over real files, with the clock in the test's hand."""

import json
import os
import time
from pathlib import Path

import pytest

from statewatch.core.reading import Signature
from statewatch.documents.values import JSON
from statewatch.kinds.declared_view import CircuitsView
from statewatch.watch import board as boards
from statewatch.watch.board import DROPPED_AFTER
from statewatch.watch.memory import Memory
from statewatch.watch.picture import Picture, Watching
from statewatch.watch.scope import Scope, scope_of
from statewatch.watch.sweep import COARSE, Sweep
from tests.support import PATIENCE, labels, replace, said

EMPTY = '{"hooks": {}, "global_stats": {}}'


class Run:
    """A sweep over a directory, and time that passes only when a test says so."""

    def __init__(self, directory: Path, *paths: Path, scope: Scope | None = None) -> None:
        self.now = 1_000.0
        self.memory = Memory()
        scope = scope or scope_of(paths or [directory], directory, directory / "home", {})
        self.sweep = Sweep(scope, self.memory, clock=lambda: self.now, tick=lambda: self.now)

    def look(self, seconds: float = 1.0) -> Picture:
        """Let time pass, with everything that falls due in it, then sweep."""
        end = self.now + seconds
        while (due := self.sweep.next_due) is not None and due <= end:
            self.now = max(self.now, due)
            self.sweep.again()
        self.now = end
        self.sweep.everything()
        return self.picture

    @property
    def picture(self) -> Picture:
        return self.sweep.picture(Watching())

    def problem(self, label: str) -> str | None:
        (source,) = [source for source in self.picture.sources if source.label == label]
        return source.problem.reason if source.problem else None


def test_a_half_written_file_is_never_reported(tmp_path: Path) -> None:
    path = tmp_path / "hook_state.json"
    path.write_text(EMPTY)
    run = Run(tmp_path)
    run.look()
    for half in ("", '{"hooks"', '{"hooks": {}, "glo'):
        path.write_text(half)
        run.sweep.at([str(path)])
        run.now += 0.1
        run.sweep.again()
        assert run.problem("hook_state.json") is None
    path.write_text('{"hooks": {}, "global_stats": {"total_failures": 1}}')
    run.look()
    assert run.problem("hook_state.json") is None
    assert said(run.picture) == ["global stats total failures set to 1"]


def test_a_file_that_stays_half_written_is_reported_with_the_place(tmp_path: Path) -> None:
    path = tmp_path / "hook_state.json"
    path.write_text(EMPTY)
    run = Run(tmp_path)
    run.look()
    path.write_text('{"hooks": ')
    run.look(0)
    assert run.problem("hook_state.json") is None
    run.look(0.14)
    assert run.problem("hook_state.json") is None
    run.look(0.02)
    reason = "not JSON at line 1 column 11: a value is missing (the file ends too early)"
    assert run.problem("hook_state.json") == reason
    path.write_text(EMPTY)
    run.look()
    assert run.problem("hook_state.json") is None
    assert said(run.picture) == [reason, "can be read again"]


class TestLongAfterTheLastWrite:
    """What was broken a while ago is no half-written file, so one look tells it."""

    def long_after(self, tmp_path: Path, *paths: Path) -> Run:
        run = Run(tmp_path, *paths)
        run.now = time.time() + 60.0
        return run

    def test_a_broken_file_is_reported_at_the_first_look(self, tmp_path: Path) -> None:
        (tmp_path / "hook_state.json").write_text("{")
        run = self.long_after(tmp_path)
        run.look(0)
        assert "not JSON" in (run.problem("hook_state.json") or "")

    def test_so_is_one_that_is_not_there(self, tmp_path: Path) -> None:
        run = self.long_after(tmp_path, tmp_path / "batch_state.json")
        run.look(0)
        assert run.problem("batch_state.json") == "there is no such file"

    def test_one_below_a_directory_that_is_not_there_is_looked_at_again_first(self, tmp_path: Path) -> None:
        path = tmp_path / "away" / "batch_state.json"
        run = self.long_after(tmp_path, path)
        run.look(0)
        assert run.sweep.in_doubt
        run.look(0.2)
        assert run.problem(run.picture.sources[0].label) == "there is no such file"

    def test_one_that_was_written_a_moment_ago_is_looked_at_again_first(self, tmp_path: Path) -> None:
        (tmp_path / "hook_state.json").write_text("{")
        run = Run(tmp_path)
        run.now = time.time() + COARSE / 2
        run.look(0)
        assert run.sweep.in_doubt

    def test_a_link_is_looked_at_again_first(self, tmp_path: Path) -> None:
        (tmp_path / "batch_state.json").symlink_to("nowhere")
        run = self.long_after(tmp_path, tmp_path / "batch_state.json")
        run.look(0)
        assert run.sweep.in_doubt


def test_a_large_file_is_read_as_if_it_was_small(tmp_path: Path) -> None:
    path = tmp_path / "batch_state.json"
    document = {"batch_id": "b", "features": [f"item {n}" for n in range(6_000)], "completed_features": [0]}
    path.write_text(json.dumps(document, indent=2))
    run = Run(tmp_path)
    run.look()
    for change in ({"completed_features": [0, 1]}, {"completed_features": [0, 1], "current_index": 2}):
        replace(path, json.dumps({**document, **change}, indent=2))
        run.look()
    replace(path, '{\n  "batch_id": "b",\n  "features": [')  # it is broken, stays so, and is mended
    run.look()
    run.look()
    assert "not JSON" in (run.problem("batch_state.json") or "")
    replace(path, json.dumps({**document, "completed_features": [0, 1, 2]}, indent=2))
    shown = run.look().sources[0]
    assert shown.revision is not None
    assert shown.revision.document == {**document, "completed_features": [0, 1, 2]}
    assert [line for line in said(run.picture) if "completed" in line] == [
        'b completed 1 "item 1"',
        'b completed 2 "item 2"',
    ]


def test_a_doubt_holds_up_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "hook_state.json").write_text("{")
    (tmp_path / "batch_state.json").write_text('{"batch_id": "b", "features": []}')
    assert labels(Run(tmp_path).look()) == ["batch_state.json"]


def test_a_file_that_is_away_for_a_moment_is_not_gone(tmp_path: Path) -> None:
    path = tmp_path / "hook_state.json"
    path.write_text(EMPTY)
    run = Run(tmp_path)
    run.look()
    path.rename(tmp_path / "aside")
    run.look(0)
    (tmp_path / "aside").rename(path)
    run.look(0.1)
    assert run.problem("hook_state.json") is None
    assert said(run.picture) == []


def test_a_deleted_file_is_shown_as_deleted_then_forgotten_and_may_come_back(tmp_path: Path) -> None:
    path = tmp_path / "hook_state.json"
    path.write_text(EMPTY)
    run = Run(tmp_path)
    run.look()
    path.unlink()
    run.look(0)
    run.look(0.2)
    assert run.problem("hook_state.json") == "deleted"
    run.look(DROPPED_AFTER + 1)
    assert run.picture.sources == ()
    path.write_text(EMPTY)
    assert labels(run.look()) == ["hook_state.json"]
    assert said(run.picture) == ["deleted", "appeared"]


def test_a_touch_or_the_same_bytes_again_are_no_change(tmp_path: Path) -> None:
    path = tmp_path / "hook_state.json"
    path.write_text(EMPTY)
    run = Run(tmp_path)
    run.look()
    board = run.sweep.board
    os.utime(path)
    run.look()
    replace(path, EMPTY)
    run.look()
    assert run.sweep.board is board


def test_what_a_change_was_from_and_to_can_be_recalled(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_text('{"a": 1}')
    run = Run(tmp_path, path)
    run.look()
    replace(path, '{"a": 2}')
    (line,) = run.look().changes
    assert run.memory.recall(line.before or "") == {"a": 1}
    assert run.memory.recall_bytes(line.after or "") == b'{"a": 2}'


def test_a_file_that_breaks_the_reader_spoils_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def view(document: JSON) -> None:
        raise TypeError(f"surprise \x07 in {document}")

    monkeypatch.setitem(boards._VIEWS, "hooks", view)
    (tmp_path / "hook_state.json").write_text(EMPTY)
    (tmp_path / "batch_state.json").write_text('{"batch_id": "b", "features": []}')
    run = Run(tmp_path)
    run.look()
    run.look()
    assert labels(run.picture) == ["batch_state.json", "hook_state.json"]
    reason = run.problem("hook_state.json")
    assert reason is not None
    assert reason.startswith("statewatch cannot make sense of it (TypeError: surprise ␇ in")


def test_what_stands_in_the_place_of_a_file_is_told_and_passes(tmp_path: Path) -> None:
    path = tmp_path / "hook_state.json"
    path.write_text(EMPTY)
    run = Run(tmp_path)
    run.look()
    path.unlink()
    path.mkdir()
    run.look(0)
    run.look()
    assert run.problem("hook_state.json") == "it is a directory, not a file"
    path.rmdir()
    os.mkfifo(path)
    run.look(0)
    run.look()
    assert run.problem("hook_state.json") == "it is not a regular file"
    path.unlink()
    path.write_text(EMPTY)
    run.look()
    assert run.problem("hook_state.json") is None


def test_a_link_is_followed_to_a_target_that_changes(tmp_path: Path) -> None:
    (tmp_path / "far").mkdir()
    target = tmp_path / "far" / "state"
    target.write_text('{"a": 1}')
    link = tmp_path / "x.json"
    link.symlink_to(target)
    run = Run(tmp_path, link)
    run.look()
    assert str(tmp_path / "far") in run.sweep.directories
    replace(target, '{"a": 2}')
    run.sweep.at([str(target)])
    assert said(run.picture) == ["/a 1 → 2"]
    other = tmp_path / "other"
    other.write_text('{"a": 3}')
    link.unlink()
    link.symlink_to(other)
    run.look()
    assert said(run.picture) == ["/a 1 → 2", "/a 2 → 3"]


class TestPauseFlag:
    """The flag that pauses a drain: as a symbolic link it pauses whatever it holds."""

    OVER = '{"until_iso": "1970-01-01T00:00:01Z", "triggered_by": "operator"}'

    @pytest.fixture
    def flag(self, tmp_path: Path) -> Path:
        return tmp_path / "drain_paused.flag"

    def states(self, run: Run) -> list[str]:
        views = [source.view for source in run.look().sources]
        return [each.state for view in views if isinstance(view, CircuitsView) for each in view.at(run.now).circuits]

    def test_a_link_that_leads_nowhere_pauses_until_it_is_gone(self, tmp_path: Path, flag: Path) -> None:
        flag.symlink_to(tmp_path / "nowhere")
        run = Run(tmp_path)
        run.look()
        assert self.states(run) == ["open"]
        flag.unlink()
        run.look()
        run.look()
        assert run.problem(flag.name) is not None
        run.look(DROPPED_AFTER + 1)
        assert self.states(run) == []

    def test_a_flag_that_becomes_a_link_to_the_same_content_pauses(self, tmp_path: Path, flag: Path) -> None:
        flag.write_text(self.OVER)
        run = Run(tmp_path)
        assert self.states(run) == ["closed"]
        target = tmp_path / "target"
        flag.rename(target)
        flag.symlink_to(target)
        assert self.states(run) == ["open"]
        flag.unlink()
        target.rename(flag)
        assert self.states(run) == ["closed"]
        assert said(run.picture) == ["a symbolic link now", "no symbolic link any more"]


def test_a_candidate_that_is_no_source_becomes_one_when_its_content_does(tmp_path: Path) -> None:
    path = tmp_path / "hooks.json"
    path.write_text('{"hooks": {"PreToolUse": []}}')
    run = Run(tmp_path)
    assert run.look().sources == ()
    replace(path, EMPTY)
    assert labels(run.look()) == ["hooks.json"]


def test_a_policy_that_changes_reaches_the_picture(tmp_path: Path) -> None:
    (tmp_path / "hook_state.json").write_text(EMPTY)
    run = Run(tmp_path)
    run.look()
    replace(tmp_path / "guardrails.yaml", "circuit_breaker: {cooldown_seconds: 5}")
    run.sweep.at([str(tmp_path / "guardrails.yaml")])
    assert run.picture.sources[0].policy.cooldown == 5


def test_a_write_within_the_clock_tick_of_the_file_system_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "statewatch.core.reading.signature", lambda _: Signature(0, 0, 0, 0, 0)
    )  # no time shows any change
    monkeypatch.setattr("statewatch.watch.sweep.FINE", PATIENCE)
    path = tmp_path / "x.json"
    path.write_text('{"a": 1}')
    run = Run(tmp_path, path)
    run.look(0)
    path.write_text('{"a": 2}')
    run.look(5 * PATIENCE)
    assert said(run.picture) == ["/a 1 → 2"]


def test_a_configured_hook_state_is_looked_for_without_nagging(tmp_path: Path) -> None:
    home, project = tmp_path / "home", tmp_path / "project"
    project.mkdir()
    scope = scope_of((), project, home, {"GUARDRAILS_STATE_FILE": str(tmp_path / "my.json")})
    run = Run(project, scope=scope)
    run.look()
    assert run.look().sources == ()
    (tmp_path / "my.json").write_text(EMPTY)
    assert labels(run.look()) == [str(tmp_path / "my.json")]
    (tmp_path / "my.json").unlink()
    run.look(0)
    run.look(1)
    run.look(DROPPED_AFTER + 1)
    assert run.picture.sources == ()
    (tmp_path / "my.json").write_text(EMPTY)
    assert labels(run.look()) == [str(tmp_path / "my.json")]
