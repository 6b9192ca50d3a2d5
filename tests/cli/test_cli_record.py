"""`record`: the history kept without a screen, by processes that run until they are told to end."""

import contextlib
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from statewatch.watch.history.store import History
from tests.cli.conftest import Stage
from tests.support import PATIENCE, replace, timeline, until


class Recording:
    """A process that records; what it says is collected in files."""

    def __init__(self, stage: Stage, number: int, *args: str | Path) -> None:
        self.out, self.err = stage.project.parent / f"out{number}", stage.project.parent / f"err{number}"
        with self.out.open("wb") as out, self.err.open("wb") as err:
            self.process = subprocess.Popen(
                stage.command("record", *args),
                cwd=stage.project,
                env=stage.environment(PYTHONUNBUFFERED="1"),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
            )

    def until_said(self, text: str) -> None:
        """Wait until it has said that."""
        until(lambda: text in self.out.read_text() + self.err.read_text(), f"{text!r} in {self.err.read_text()!r}")

    def end(self, number: int = signal.SIGTERM) -> int:
        """Tell it to end, and return its exit code."""
        self.process.send_signal(number)
        return self.process.wait(PATIENCE)


@contextlib.contextmanager
def recording(stage: Stage, *args: str | Path, number: int = 0) -> Iterator[Recording]:
    """Record; it has begun when the block does, and has ended after it."""
    running = Recording(stage, number, *args)
    try:
        running.until_said("recording ")
        yield running
    finally:
        running.process.kill()
        running.process.wait()


def contents(stage: Stage, path: Path | None = None) -> list[bytes]:
    """Return what the history holds of the hook state, oldest first."""
    with History.open(path or stage.state / "history.db", create=False) as history:
        return [history.data(entry) for entry in history.entries(str(stage.hook_state))[::-1]]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_it_records_until_it_is_told_to_end_and_loses_nothing_then(stage: Stage, number: signal.Signals) -> None:
    versions = timeline("hook_state")[:10]
    stage.hook_state.parent.mkdir(parents=True)
    replace(stage.hook_state, versions[0])
    with recording(stage, "--verbose") as running:
        assert "recording 1 source in" in running.err.read_text()
        assert str(stage.state / "history.db").replace(str(stage.home), "~") in running.err.read_text()
        for count, data in enumerate(versions[1:], 2):
            replace(stage.hook_state, data)
            until(lambda count=count: running.out.read_text().count("\n") >= count, "the line")  # type: ignore[misc]
        assert running.end(number) == 0
    assert contents(stage) == list(versions)
    assert "~/.claude/hook_state.json" in running.out.read_text()
    assert "Traceback" not in running.err.read_text()


def test_two_that_record_the_same_make_one_history_of_it(stage: Stage) -> None:
    versions = timeline("hook_state")[:40]
    stage.hook_state.parent.mkdir(parents=True)
    replace(stage.hook_state, versions[0])
    with recording(stage) as one, recording(stage, number=1) as other:
        until(lambda: len(contents(stage)) == 1, "the first revision")
        for data in versions[1:]:
            replace(stage.hook_state, data)
            # Both may pass over a revision that lasts for a moment only, so each is given until one has it.
            until(lambda data=data: contents(stage)[-1] == data, "the revision")  # type: ignore[misc]
        assert one.end() == other.end() == 0
    assert contents(stage) == list(versions)


def test_another_history_by_option_and_by_variable(stage: Stage, tmp_path: Path) -> None:
    stage.write_hooks()
    named = tmp_path / "elsewhere" / "night.db"
    with recording(stage, "--history", named, stage.hook_state.parent) as running:
        assert "night.db" in running.err.read_text()
        until(lambda: named.exists() and bool(contents(stage, named)), "the revision")
    assert not (stage.state / "history.db").exists()
    other = tmp_path / "by_variable.db"
    os.environ["STATEWATCH_HISTORY"] = str(other)
    try:
        with recording(stage, stage.hook_state.parent, number=1):
            until(lambda: other.exists() and bool(contents(stage, other)), "the revision")
    finally:
        del os.environ["STATEWATCH_HISTORY"]


def test_what_cannot_be_recorded_is_said(stage: Stage) -> None:
    stage.write_hooks()
    broken = stage.project / ".claude" / "batch_state.json"
    broken.parent.mkdir()
    os.mkfifo(broken)
    with recording(stage, "-v", stage.project, stage.home, broken) as running:
        running.until_said("it is not a regular file")
        assert running.end() == 0


def test_a_history_that_cannot_be_used_ends_it_at_once_with_the_reason(stage: Stage, tmp_path: Path) -> None:
    place = tmp_path / "notes.txt"
    place.write_text("no history\n" * 20)
    done = stage.spawn("record", "--history", place)
    assert done.returncode == 3
    assert b"notes.txt: this is no history" in done.stderr
    assert b"Traceback" not in done.stderr
    assert place.read_text() == "no history\n" * 20
    assert stage.run("record", "--every", "often").exit_code == 2


def test_a_reader_that_goes_away_ends_it(stage: Stage) -> None:
    stage.write_hooks()
    process = subprocess.Popen(
        stage.command("record", "-v"),
        cwd=stage.project,
        env=stage.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert b"hook_state.json" in process.stdout.readline()
    process.stdout.close()
    stage.hook_state.write_text('{"hooks": {}}')
    with process:
        assert process.wait(PATIENCE) == 141
        assert process.stderr is not None
        assert b"Traceback" not in process.stderr.read()
    assert contents(stage)[-1] == b'{"hooks": {}}'


def test_hostile_names_do_not_reach_the_terminal(stage: Stage) -> None:
    path = stage.project / ".claude" / "\x1b]0;owned\x07state.json"
    path.parent.mkdir()
    path.write_text("{}")
    with recording(stage, "-v", path) as running:
        running.until_said("state.json  ")
        assert running.end() == 0
    assert "\x1b" not in running.out.read_text() + running.err.read_text()
