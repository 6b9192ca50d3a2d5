"""The simulated tools at real files: they change what is there, and as processes they leave nothing behind."""

import json
import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from statewatch.demo import Clock, Demo, disk, files, hooks, runner, workflow, write_files
from statewatch.demo import batch as batches
from statewatch.demo.script import Event, epoch_of
from statewatch.demo.world import TOOLS

CLOCK = Clock(start=1_795_000_000.25)
PATIENCE = 20.0


def until(condition: Callable[[], bool]) -> None:
    """Wait for a condition; a file that is being written in this moment is looked at again."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        try:
            if condition():
                return
        except (ValueError, FileNotFoundError):
            pass
        time.sleep(0.01)
    pytest.fail(f"after {PATIENCE:g} s it is still not so")


def load(path: Path) -> Any:
    return json.loads(path.read_text())


def events_between(name: str, after: float, until_second: float) -> list[Event]:
    result = []
    for event in TOOLS[name](7, CLOCK):
        if event.at > until_second:
            break
        if event.at > after:
            result.append(event)
    return result


def words_of(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.NoSuchProcess:
        return []


def alive(process: psutil.Process) -> bool:
    return process.is_running() and process.status() != psutil.STATUS_ZOMBIE


# -- on real files, without processes


@pytest.mark.parametrize("at_once", [False, True], ids=["event by event", "all at once"])
def test_the_tools_write_what_the_script_says(tmp_path: Path, at_once: bool) -> None:
    write_files(tmp_path, files(7, CLOCK))
    for name in TOOLS:
        due = events_between(name, 0, 90)
        for group in [due] if at_once else [[event] for event in due]:
            disk.perform(tmp_path, group)
    found = {str(path.relative_to(tmp_path)): disk.read(path) for path in tmp_path.rglob("*") if path.is_file()}
    assert found == files(7, CLOCK, 90)


@pytest.fixture
def usual_umask() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)


@pytest.mark.usefixtures("usual_umask")
def test_files_look_as_in_the_field(tmp_path: Path) -> None:
    write_files(tmp_path, files(7, CLOCK))
    for name in TOOLS:
        disk.perform(tmp_path, events_between(name, 0, 30))
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.rglob("*.json*")}
    assert modes["hook_state.json"] == modes["batch_state.json"] == 0o600
    assert modes["state.json"] == modes["events.jsonl"] == 0o644
    for path in tmp_path.rglob("*.json"):
        text = path.read_text()
        assert text.isascii()
        assert text == json.dumps(json.loads(text), indent=2)
    assert (tmp_path / "project" / ".git").is_dir()
    assert not list(tmp_path.rglob("*.tmp"))


def test_replaced_files_get_a_new_inode_and_others_keep_theirs(tmp_path: Path) -> None:
    write_files(tmp_path, files(7, CLOCK))
    flow = next(path for path, value in files(7, CLOCK).items() if "initialized" in str(value))
    inodes = {path: (tmp_path / path).stat().st_ino for path in (hooks.STATE_FILE, batches.MAIN_FILE, flow)}
    for name in TOOLS:
        disk.perform(tmp_path, events_between(name, 0, 30))
    kept = {path for path, inode in inodes.items() if (tmp_path / path).stat().st_ino == inode}
    assert kept == {flow}


def test_a_reset_between_two_events_survives(tmp_path: Path) -> None:
    write_files(tmp_path, files(7, CLOCK, 30))
    path = tmp_path / hooks.STATE_FILE
    document = load(path)
    tripped = [name for name, circuit in document["hooks"].items() if circuit["state"] == "open"]
    for name in tripped:
        del document["hooks"][name]
    document["note"] = document["hooks"]["format-on-save"]["owner"] = "the operator's"
    path.write_text(json.dumps(document))
    disk.perform(tmp_path, events_between("hooks", 30, 60))
    after = load(path)
    assert after["note"] == after["hooks"]["format-on-save"]["owner"] == "the operator's"
    assert after["global_stats"]["total_executions"] > document["global_stats"]["total_executions"]
    again = [after["hooks"][name] for name in tripped if name in after["hooks"]]
    assert again, "hooks that were reset run again"
    since = [epoch_of(circuit["first_failure"]) for circuit in again if circuit["first_failure"]]
    assert all(epoch >= CLOCK.at(30) for epoch in since), "and know nothing of what was before"


def test_a_paused_batch_stands_still_and_a_resumed_one_goes_on(tmp_path: Path) -> None:
    write_files(tmp_path, files(7, CLOCK))
    main, release = tmp_path / batches.MAIN_FILE, tmp_path / batches.RELEASE_FILE
    main.write_text(json.dumps(load(main) | {"status": "paused"}))
    release.write_text(json.dumps(load(release) | {"status": "in_progress"}))
    before = load(main)["completed_features"]
    disk.perform(tmp_path, events_between("batch", 0, 60))
    assert load(main)["completed_features"] == before
    assert load(release)["current_index"] > 6


def test_an_item_that_the_operator_skips_is_not_worked_on(tmp_path: Path) -> None:
    write_files(tmp_path, files(7, CLOCK))
    path = tmp_path / batches.MAIN_FILE
    document = load(path)
    index = document["current_index"] + 2
    document["skipped_features"].append({"feature_index": index, "reason": "not now"})
    path.write_text(json.dumps(document))
    disk.perform(tmp_path, events_between("batch", 0, 60))
    assert load(path)["current_index"] > index
    assert index not in load(path)["completed_features"]


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"hooks": 3}', '{"hooks": {"secret-scan": null}}', "\xff"])
def test_what_a_tool_does_not_understand_it_leaves_alone(tmp_path: Path, damage: str) -> None:
    write_files(tmp_path, files(7, CLOCK))
    damaged = list(tmp_path.rglob("*.json"))
    for path in damaged:
        path.write_text(damage, "latin-1")
    for name in TOOLS:
        disk.perform(tmp_path, events_between(name, 0, 20))
    assert {path.read_text("latin-1") for path in damaged} == {damage}


def test_a_deleted_workflow_does_not_come_back(tmp_path: Path) -> None:
    write_files(tmp_path, files(7, CLOCK))
    running = next(path for path, value in files(7, CLOCK).items() if "initialized" in str(value))
    disk.remove_tree((tmp_path / running).parent)
    disk.perform(tmp_path, events_between("workflow", 0, 40))
    assert not (tmp_path / running).parent.exists()
    assert len(list((tmp_path / workflow.DIRECTORY).iterdir())) == 3


# -- as processes


def test_the_demo_lives_and_leaves_nothing_behind() -> None:
    others = set(psutil.Process().children())  # servers of the tests that came before
    with Demo(seed=3, speed=40) as demo:
        tools = [child for child in psutil.Process().children() if child not in others]
        batch, hook_state = demo.root / batches.MAIN_FILE, demo.root / hooks.STATE_FILE
        before = len(load(batch)["completed_features"])
        circuits = {name: circuit["state"] for name, circuit in load(hook_state)["hooks"].items()}
        assert demo.project == demo.root / "project"
        assert (demo.home / ".claude" / "guardrails.yaml").is_file()
        assert len(tools) == len(TOOLS) + 1
        until(lambda: len(load(batch)["completed_features"]) > before)
        until(lambda: {n: c["state"] for n, c in load(hook_state)["hooks"].items()} != circuits)
        until(lambda: len(load(demo.project / runner.BATCH_FILE)["completed_features"]) > 2)
        until(lambda: len([*demo.root.glob("statewatch/checkpoints/*/before-the-night.json")]) == 2)
        assert all(alive(tool) for tool in tools)
        tools += [each for tool in tools for each in tool.children(recursive=True)]
    assert not demo.root.exists()
    until(lambda: not any(alive(tool) for tool in tools))


def test_the_demo_cleans_up_when_the_block_fails() -> None:
    demo = Demo(speed=100)
    with pytest.raises(RuntimeError, match="the dashboard broke"), demo:
        raise RuntimeError("the dashboard broke")
    assert not demo.root.exists()


@pytest.mark.parametrize("speed", [0, 0.2, 101, float("nan")])
def test_an_impossible_speed_is_refused(speed: float) -> None:
    with pytest.raises(ValueError, match=r"from 0\.25 to 100"):
        Demo(speed=speed)


def test_a_killed_demo_leaves_nothing_behind() -> None:
    code = (
        "import sys; from statewatch.demo import Demo\n"
        "with Demo(speed=100) as demo: print(demo.root, flush=True); sys.stdin.read()"
    )
    package_parent = str(Path(disk.__file__).parents[2])
    with subprocess.Popen(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": package_parent},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as parent:
        assert parent.stdout is not None
        root = Path(parent.stdout.readline().decode().strip())
        tools = psutil.Process(parent.pid).children()
        before = load(root / hooks.STATE_FILE)
        until(lambda: bool(load(root / hooks.STATE_FILE) != before))
        until(lambda: len(load(root / "project" / runner.BATCH_FILE)["completed_features"]) > 2)
        deep = [each for tool in tools for each in tool.children(recursive=True)]
        parent.kill()
    assert any("batch" in words for words in map(words_of, deep))
    until(lambda: not any(alive(each) for each in deep))
    assert len(tools) == len(TOOLS) + 1
    until(lambda: not any(alive(tool) for tool in tools))
    assert not root.exists()


def _ignores_interrupts(tool: psutil.Process) -> bool:
    """Tell by what the system says of a process whether it ignores SIGINT."""
    status = Path(f"/proc/{tool.pid}/status").read_text()
    ignored = next(line for line in status.splitlines() if line.startswith("SigIgn"))
    return bool(int(ignored.split()[1], 16) & 1 << (signal.SIGINT - 1))


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="only Linux tells what a process ignores")
def test_the_terminals_interrupt_does_not_reach_the_tools() -> None:
    with Demo(speed=100) as demo:
        tools = [psutil.Process(tool.pid) for tool in demo._tools]
        state = demo.root / hooks.STATE_FILE
        until(lambda: all(_ignores_interrupts(tool) for tool in tools))  # they have begun
        for tool in tools:
            tool.send_signal(signal.SIGINT)
        now = load(state)
        until(lambda: bool(load(state) != now))
        assert all(alive(tool) for tool in tools)
        tools[0].send_signal(signal.SIGTERM)
        until(lambda: not alive(tools[0]))


def test_a_reset_survives_among_running_tools() -> None:
    """The tools take no lock, so a reset may be overwritten: then it is made again, as an operator would."""
    with Demo(speed=20) as demo:
        path = demo.root / hooks.STATE_FILE

        def reset_holds() -> bool:
            document = load(path)
            if document.get("note") == "reset by hand":
                return bool(document["global_stats"]["total_executions"] > runs + 20)
            document["note"] = "reset by hand"
            document["hooks"].pop("legacy-banner", None)
            disk.write(path, document)
            return False

        runs = load(path)["global_stats"]["total_executions"]
        until(reset_holds)
        assert "legacy-banner" not in load(path)["hooks"]
