"""An action that is killed at any point leaves the old document or the new one, no litter for long, and a free lock."""

import json
import os
import random
import signal
import subprocess
import time
from pathlib import Path

import pytest

from statewatch.core import audit, copies
from statewatch.core.actions import perform
from statewatch.core.circuits import circuit_action
from statewatch.core.lock import locked
from statewatch.core.undo import last_action, undo_action
from statewatch.documents.codec import decode
from tests.core.files import document, hook, line, load, process, tell, write
from tests.support import until

KILLS = 50


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return write(tmp_path / "claude" / "hook_state.json", document(40))


def is_old_or_new(path: Path, name: str = "h1") -> str:
    """Check that the file is one whole version, apart from that hook as it was; return the state of the hook."""
    value = decode(path.read_bytes())
    assert isinstance(value, dict)
    record = hook(path, name)
    expected = document(40)
    stats = load(path)["global_stats"]
    assert {**load(path)["hooks"], name: None} == {**expected["hooks"], name: None}
    assert stats["hooks_disabled"] == (40 if record["state"] == "open" else 39)
    assert (record["disabled_at"] is None) == (record["last_error"] is None) == (record["state"] == "closed")
    return str(record["state"])


def settled(path: Path) -> None:
    """Check that the lock is free, and that the next action clears away what is left and works."""
    with locked(path, "look", timeout=0):
        pass
    perform(circuit_action("reset", path, ["h2"]), settle_for=0)
    perform(undo_action(last_action([path])), settle_for=0)
    assert {entry.name for entry in path.parent.iterdir()} == {path.name, f".{path.name}.statewatch-lock"}
    for copy in copies.directory_for(path).iterdir():
        assert copy.name.startswith("2")
        assert decode(copy.read_bytes())
    for text in audit.log_file().read_bytes().splitlines():
        assert json.loads(text)["id"]


def test_killed_at_fifty_random_moments(path: Path) -> None:
    """Processes that disable and reset a hook in a loop are killed while they work, one after the other."""
    chance = random.Random(7)
    states: list[str] = []
    with process("toggle", path, "h1") as nursery:
        assert line(nursery) == "ready"
        for _ in range(KILLS):
            before = path.stat().st_ino
            tell(nursery)
            child = int(line(nursery))
            until(lambda before=before: path.stat().st_ino != before, "a change")  # type: ignore[misc]
            spin(chance.random() * 0.01)
            os.kill(child, signal.SIGKILL)
            with locked(path, "look", timeout=5):  # it is free as soon as the process is gone
                states.append(is_old_or_new(path))
    assert len(states) == KILLS
    assert set(states) == {"open", "closed"}
    settled(path)


def spin(seconds: float) -> None:
    """Let so much time pass that no two kills come at the same point."""
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        pass


def test_what_was_displaced_and_not_yet_kept_is_found_by_the_next_action(path: Path) -> None:
    """A process killed right after the exchange leaves the displaced version beside the file, as a temporary file."""
    gone = subprocess.Popen(["true"])
    gone.wait()
    left = path.with_name(f".{path.name}.statewatch-{gone.pid}-ab12.tmp")
    displaced = write(left, document(40, note="theirs")).read_bytes()
    half = path.with_name(f".{path.name}.statewatch-{gone.pid}-cd34.tmp")
    half.write_bytes(b'{"hooks": {')
    other = path.with_name(f".other.json.statewatch-{gone.pid}-ab12.tmp")
    other.write_bytes(b"{}")
    alive = path.with_name(f".{path.name}.statewatch-{os.getpid()}-ab12.tmp")
    alive.write_bytes(b"{}")
    perform(circuit_action("reset", path, ["h1"]), settle_for=0)
    assert not left.exists()
    assert not half.exists()
    assert other.exists(), "it belongs to another file, whose lock we do not hold"
    assert alive.exists(), "its process is at work, or will be"
    assert displaced in [copy.read_bytes() for copy in copies.directory_for(path).iterdir()]
