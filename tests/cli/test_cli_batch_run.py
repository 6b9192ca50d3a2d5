"""`batch run`: every item is done once, whatever happens to the run: it fails, is interrupted, or killed."""

import json
import os
import random
import signal
import subprocess
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pexpect
import pytest

from statewatch import BatchStateManager
from tests.cli.conftest import Stage
from tests.support import replace, until

KILLS = 20 if os.environ.get("STATEWATCH_THOROUGH") else 5
SLOW = 'echo "start $1" >> log; sleep 0.03; echo "end $1" >> log'
WAITS = 'echo $$ > "started-$1"; test ! -e "hang-$1" || exec sleep 60'


def batch(stage: Stage, total: int, name: str = "b") -> Path:
    """Make a batch of so many items, in this process."""
    return BatchStateManager.create([f"i{index}" for index in range(total)], name).state_file


def begin(stage: Stage, *words: str) -> "subprocess.Popen[str]":
    """Start a run, and do not wait for it."""
    command: list[Any] = stage.command("batch", "run", *words)
    return subprocess.Popen(
        command, env=stage.environment(), cwd=stage.project, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def shell(script: str) -> tuple[str, ...]:
    return ("--", "sh", "-c", script, "sh", "{item}")


def on_disk(path: Path) -> Any:
    return json.loads(path.read_bytes())


def moment_to_kill(project: Path, path: Path, dice: random.Random) -> Callable[[], bool]:
    """Return what to wait for: so many items more done or begun, an item taken, or a file about to be replaced."""
    log, flight = project / "log", path.with_name(f".{path.name}.statewatch-batch.json")
    more = dice.randrange(1, 7)
    done = len(on_disk(path)["completed_features"]) + more
    lines = (log.read_text().count("\n") if log.exists() else 0) + more
    taken = flight.read_bytes() if flight.exists() else b""
    moments: list[Callable[[], bool]] = [
        lambda: len(on_disk(path)["completed_features"]) >= done,
        lambda: log.exists() and log.read_text().count("\n") >= lines,
        lambda: flight.exists() and flight.read_bytes() != taken,
        lambda: any(name.endswith(".tmp") for name in os.listdir(path.parent)),  # noqa: PTH208
    ]
    return dice.choice(moments)


def has_gone(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return True
    return Path(f"/proc/{process}/stat").read_text().split()[2] == "Z"


def test_a_command_is_run_for_every_item_and_what_failed_is_recorded(stage: Stage) -> None:
    path = batch(stage, 12)
    done = stage.spawn(
        "batch", "run", "b", "-P", "4", *shell('echo "$1"; test "$1" != i7 || { echo broken >&2; exit 3; }')
    )
    assert done.returncode == 1
    assert sorted(done.stdout.decode().split()[:12]) == sorted(f"i{index}" for index in range(12))
    assert b"failed: 7 i7: broken" in done.stderr
    document = on_disk(path)
    assert sorted(document["completed_features"]) == [index for index in range(12) if index != 7]
    assert [(each["feature_index"], each["error_message"]) for each in document["failed_features"]] == [(7, "broken")]
    assert (document["status"], document["current_index"]) == ("failed", 12)
    again = stage.spawn("batch", "run", "b", "--resume", "--retry-failed", "--json", *shell("true"))
    assert again.returncode == 0
    assert json.loads(again.stdout)["run"] == {"done": 1, "failed": 0}
    assert on_disk(path)["status"] == "completed"


def test_what_a_command_is_told(stage: Stage) -> None:
    batch(stage, 1, "told")
    done = stage.spawn(
        "batch", "run", "told", "--", "sh", "-c", 'echo "$0 $STATEWATCH_BATCH $STATEWATCH_ITEM $STATEWATCH_TRY"'
    )
    assert done.stdout.splitlines()[0] == b"i0 told i0 1"
    batch(stage, 1, "filled")
    done = stage.spawn("batch", "run", "filled", "--", "echo", "a{item}b", "{index}")
    assert done.stdout.splitlines()[0] == b"ai0b 0"


def test_a_failing_item_is_tried_again_and_a_slow_one_is_ended(stage: Stage) -> None:
    path = batch(stage, 2)
    script = 'test "$1" = i0 && { test "$STATEWATCH_TRY" = 3 || exit 1; exit 0; }; sleep 60 & wait'
    done = stage.spawn(
        "batch", "run", "b", "-P", "2", "--retries", "2", "--backoff", "0.01", "--timeout", "0.3", *shell(script)
    )
    assert done.returncode == 1
    document = on_disk(path)
    assert document["completed_features"] == [0]
    assert document["retry_attempts"] == {"0": 2, "1": 2}
    assert document["failed_features"][0]["error_message"] == "Timed out after 0.3 s"


def test_items_that_no_command_can_be_given_fail_and_the_others_are_done(stage: Stage) -> None:
    manager = BatchStateManager.create(["a\0b", "x" * 10_000, "a\nb", "../..", "-n", "same", "same"], "odd")
    done = stage.spawn("batch", "run", "odd", "--", "test", "-n", "{item}")
    assert done.returncode == 1
    assert [each["index"] for each in manager.failed] == [0]
    assert "Cannot run test" in manager.failed[0]["error"]
    assert len(manager.completed) == 6


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("b", "--", "no-such-command"), 1, "there is no command 'no-such-command'"),
        (("nobody", "--", "true"), 1, "there is no batch 'nobody'"),
        (("b",), 2, "Missing argument"),
        (("b", "--retry-failed", "--", "true"), 2, "go with --resume"),
        (("b", "--timeout", "soon", "--", "true"), 2, "not a duration"),
    ],
)
def test_what_cannot_be_run_is_said_and_nothing_is(stage: Stage, words: tuple[str, ...], code: int, said: str) -> None:
    path = batch(stage, 1)
    result = stage.run("batch", "run", *words)
    assert (result.exit_code, said in result.stderr) == (code, True), result.output
    assert on_disk(path)["completed_features"] == []


def test_a_batch_that_was_begun_is_not_begun_again_unasked(stage: Stage) -> None:
    path = batch(stage, 2)
    BatchStateManager.load(path).mark_completed(0)
    result = stage.run("batch", "run", "b", "--", "true")
    assert (result.exit_code, "Go on with --resume" in result.stderr) == (2, True)


def test_a_run_that_is_killed_again_and_again_does_every_item_once_or_names_it(stage: Stage) -> None:
    total = 12 * KILLS
    path = batch(stage, total)
    dice = random.Random(7)
    killed = 0
    while killed < KILLS:
        run = begin(stage, "b", "-P", "4", "--resume", *shell(SLOW))
        moment = moment_to_kill(stage.project, path, dice)
        until(lambda run=run, moment=moment: run.poll() is not None or moment(), "the moment to kill")  # type: ignore[misc]
        run.kill()
        run.communicate()
        killed += 1
    last = begin(stage, "b", "-P", "4", "--resume", *shell(SLOW))
    last.communicate(timeout=60)
    document = on_disk(path)
    done = set(document["completed_features"])
    named = {each["feature_index"] for each in document["failed_features"]}
    assert all(each["error_message"].startswith("Interrupted: ") for each in document["failed_features"])
    assert (done | named, done & named) == (set(range(total)), set())
    log = Counter((stage.project / "log").read_text().split("\n"))
    assert max(log[f"start i{index}"] for index in range(total)) == 1
    assert {index for index in range(total) if log[f"end i{index}"] == 1} >= done
    assert len(done) + len(named) == total
    assert last.returncode == (1 if named else 0)


def test_commands_do_not_outlive_a_run_that_was_killed_and_what_they_did_is_asked_about(stage: Stage) -> None:
    path = batch(stage, 3)
    for name in ("hang-i0", "hang-i1"):
        (stage.project / name).touch()
    run = begin(stage, "b", "-P", "2", *shell(WAITS))
    started = [stage.project / name for name in ("started-i0", "started-i1")]
    until(lambda: all(each.exists() and each.read_text().strip() for each in started), "two commands at work")
    run.kill()
    run.wait()  # no longer: the commands hold its output
    until(lambda: all(has_gone(int(each.read_text())) for each in started), "the end of the commands")
    run.communicate()
    for name in ("hang-i0", "hang-i1"):
        (stage.project / name).unlink()
    resumed = stage.spawn("batch", "run", "b", "--resume", *shell(WAITS))
    assert b"interrupted: 0 i0: it may have been done or not" in resumed.stderr
    assert on_disk(path)["completed_features"] == [2]
    again = stage.spawn("batch", "run", "b", "--resume", "--retry-interrupted", *shell("true"))
    assert again.returncode == 0
    assert sorted(on_disk(path)["completed_features"]) == [0, 1, 2]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_the_commands_and_leaves_a_batch_to_go_on_with(stage: Stage, number: int) -> None:
    path = batch(stage, 3)
    (stage.project / "hang-i1").touch()
    run = begin(stage, "b", *shell(WAITS))
    started = stage.project / "started-i1"
    until(lambda: started.exists() and bool(started.read_text().strip()), "the second command at work")
    run.send_signal(number)
    _, err = run.communicate(timeout=30)
    assert run.returncode == 128 + number, err
    assert has_gone(int(started.read_text()))
    document = on_disk(path)
    assert document["completed_features"] == [0]
    assert [each["feature_index"] for each in document["failed_features"]] == [1]
    assert "interrupted: 1 i1" in err
    assert "--resume" in err
    assert stage.spawn("batch", "run", "b", "--resume", *shell(WAITS)).returncode == 1
    assert on_disk(path)["completed_features"] == [0, 2]


def test_a_paused_batch_holds_the_run_until_it_goes_on(stage: Stage) -> None:
    path = batch(stage, 3)
    (stage.project / "hang-i0").touch()
    run = begin(stage, "b", *shell('echo $$ > "started-$1"; while test -e "hang-$1"; do sleep 0.01; done'))
    until((stage.project / "started-i0").exists, "the first command at work")
    assert stage.run("batch", "pause", "b", "--yes", "--settle", "0").exit_code == 0
    (stage.project / "hang-i0").unlink()
    until(lambda: on_disk(path)["completed_features"] == [0], "the first item done")
    assert run.poll() is None
    assert not (stage.project / "started-i1").exists()
    assert stage.run("batch", "resume", "b", "--yes", "--settle", "0").exit_code == 0
    _, err = run.communicate(timeout=30)
    assert (run.returncode, "The batch is paused" in err) == (0, True)
    assert on_disk(path)["completed_features"] == [0, 1, 2]


def test_another_batch_put_in_the_place_of_this_one_ends_the_run(stage: Stage) -> None:
    path = batch(stage, 3)
    (stage.project / "hang-i0").touch()
    run = begin(stage, "b", *shell('echo $$ > "started-$1"; while test -e "hang-$1"; do sleep 0.01; done'))
    until((stage.project / "started-i0").exists, "the first command at work")
    other = json.dumps({**on_disk(path), "batch_id": "other"})
    replace(path, other)
    (stage.project / "hang-i0").unlink()
    _, err = run.communicate(timeout=30)
    assert (run.returncode, "holds the batch 'other' now" in err) == (4, True)
    assert path.read_text() == other


def test_what_was_done_for_an_item_is_not_recorded_of_another_that_took_its_number(stage: Stage) -> None:
    path = batch(stage, 3)
    (stage.project / "hang-i0").touch()
    run = begin(stage, "b", *shell('echo $$ > "started-$1"; while test -e "hang-$1"; do sleep 0.01; done'))
    until((stage.project / "started-i0").exists, "the first command at work")
    others = json.dumps({**on_disk(path), "features": ["new0", "new1", "new2"]})
    replace(path, others)
    (stage.project / "hang-i0").unlink()
    _, err = run.communicate(timeout=30)
    assert (run.returncode, "'new0' in place of 'i0'" in err) == (4, True)
    assert path.read_text() == others


def test_two_runs_share_a_batch(stage: Stage) -> None:
    path = batch(stage, 30)
    runs = [begin(stage, "b", "-P", "2", "--resume", *shell(SLOW)) for _ in range(2)]
    for run in runs:
        run.communicate(timeout=60)
    assert sorted(on_disk(path)["completed_features"]) == list(range(30))
    log = Counter((stage.project / "log").read_text().split("\n"))
    assert {log[f"end i{index}"] for index in range(30)} == {1}


def test_on_a_terminal_there_is_a_bar_and_what_commands_write_is_whole(stage: Stage) -> None:
    batch(stage, 8)
    command = [str(each) for each in stage.command("batch", "run", "b", *shell('sleep 0.15; echo "out-$1"'))]
    terminal = pexpect.spawn(
        command[0], command[1:], env=stage.environment(TERM="xterm"), cwd=str(stage.project), dimensions=(24, 60)
    )
    terminal.expect(r"\[#+\.+\] \d/8 .*i\d", timeout=20)
    terminal.expect("out-i7\r\n", timeout=20)
    terminal.expect("b: 8 of 8 done.", timeout=20)
    terminal.expect(pexpect.EOF, timeout=20)
    terminal.close()
    assert terminal.exitstatus == 0
