"""`statewatch hook`: the command of a hook runs once, as if nobody stood in front of it, and its circuit knows how."""

import contextlib
import json
import os
import pty
import signal
import subprocess
import sys
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import pexpect
import pytest

from statewatch.core.lock import sidecar
from statewatch.core.recording import Circuits
from tests.cli.conftest import OPENED, Stage, hook, states, write_json
from tests.support import PATIENCE, until

if TYPE_CHECKING:
    from collections.abc import Iterator

_SIGNALS = ("grep", "^Sig[BI]", "/proc/self/status")
OPEN_LONG_AGO = hook("open", disabled_at="2020-01-01T00:00:00.000000+00:00")


def words(*command: str, options: tuple[str, ...] = ("--key", "a")) -> list[str]:
    return [sys.executable, "-m", "statewatch", "hook", *options, "--", *command]


def run(
    stage: Stage, *command: str, options: tuple[str, ...] = ("--key", "a"), typed: bytes = b"", **variables: str
) -> "subprocess.CompletedProcess[bytes]":
    return subprocess.run(
        words(*command, options=options),
        input=typed,
        capture_output=True,
        env=stage.environment(**variables),
        cwd=stage.project,
        timeout=30,
        check=False,
    )


@contextlib.contextmanager
def running(
    stage: Stage, *command: str, options: tuple[str, ...] = ("--key", "a")
) -> "Iterator[subprocess.Popen[bytes]]":
    """Run the wrapper until the block ends."""
    pipe = subprocess.PIPE
    with subprocess.Popen(
        words(*command, options=options),
        stdin=pipe,
        stdout=pipe,
        stderr=pipe,
        env=stage.environment(),
        cwd=stage.project,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def record(path: Path, name: str = "a") -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text())["hooks"][name]
    return found


def line_of(stream: "IO[bytes] | None") -> bytes:
    assert stream is not None
    return stream.readline()


# --- as if nobody stood in front of it


@pytest.mark.parametrize("code", [0, 1, 2, 77, 255])
def test_streams_and_exit_code_are_the_commands_own(stage: Stage, code: int) -> None:
    data = bytes(range(256)) * 1000
    done = run(stage, "sh", "-c", f"tee /dev/stderr; exit {code}", typed=data)
    assert (done.returncode, done.stdout, done.stderr) == (code, data, data)


def test_errors_come_through_while_the_command_still_runs(stage: Stage) -> None:
    with running(stage, "sh", "-c", "echo early >&2; read line; echo $line") as process:
        assert line_of(process.stderr) == b"early\n"
        assert process.communicate(b"late\n", timeout=PATIENCE) == (b"late\n", b"")


def test_what_goes_to_the_same_place_keeps_its_order(stage: Stage) -> None:
    script = "for i in 1 2 3 4 5 6 7 8 9; do echo out $i; echo err $i >&2; done"
    done = subprocess.run(
        words("sh", "-c", script),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=stage.environment(),
        check=False,
    )
    assert done.stdout.decode().splitlines() == [f"{name} {i}" for i in range(1, 10) for name in ("out", "err")]


def test_a_terminal_stays_one(stage: Stage) -> None:
    ours, theirs = pty.openpty()
    try:
        script = "test -t 0 && test -t 1 && test -t 2"
        done = subprocess.run(
            words("sh", "-c", script), stdin=theirs, stdout=theirs, stderr=theirs, env=stage.environment(), check=False
        )
    finally:
        os.close(ours)
        os.close(theirs)
    assert done.returncode == 0
    assert record(stage.hook_state)["consecutive_successes"] == 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT])
def test_signals_reach_the_command(stage: Stage, number: signal.Signals) -> None:
    name = number.name.removeprefix("SIG")
    with running(stage, "sh", "-c", f"trap 'echo got {name}; exit 9' {name}; echo ready; read line") as process:
        assert line_of(process.stdout) == b"ready\n"
        process.send_signal(number)
        assert line_of(process.stdout) == f"got {name}\n".encode()
        assert process.wait(PATIENCE) == 9
    assert record(stage.hook_state)["last_error"] == "Exit code 9"


@pytest.mark.parametrize("options", [(), ("--timeout", "60")])
def test_a_key_of_the_terminal_reaches_the_command_once(stage: Stage, options: tuple[str, ...]) -> None:
    """The terminal signals all that run in it, so that forwarding would interrupt the command twice."""
    script = "trap 'echo got; got=1' INT; echo ready; while [ -z \"$got\" ]; do read line; done; echo end"
    program, *arguments = words("bash", "-c", script, options=("--key", "a", *options))
    terminal = pexpect.spawn(program, arguments, env=stage.environment(), cwd=str(stage.project), timeout=PATIENCE)
    terminal.expect("ready")
    terminal.sendintr()
    terminal.sendline("")
    terminal.expect("end")
    assert str(terminal.before).count("got") == 1
    terminal.expect(pexpect.EOF)
    terminal.close()
    assert terminal.exitstatus == 0


def test_a_command_that_a_signal_ends_has_the_exit_code_of_that(stage: Stage) -> None:
    done = run(stage, "sh", "-c", "kill -KILL $$")
    assert done.returncode == 128 + signal.SIGKILL
    assert record(stage.hook_state)["last_error"] == "Killed by signal SIGKILL"


def test_the_command_has_the_signals_that_it_would_have(stage: Stage) -> None:
    """Python ignores SIGPIPE, and signals are held back while the wrapper waits: neither may be inherited."""
    blocked, ignored = (int(word, 16) for word in run(stage, *_SIGNALS).stdout.split()[1::2])
    assert blocked == 0
    assert ignored & ~(1 << 31 | 1 << 32) == 0  # these two are the C library's own


def test_a_process_left_behind_can_still_write(stage: Stage, tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    with running(stage, "sh", "-c", f"(read line < {fifo}; echo late >&2) & echo early >&2; exit 3") as process:
        assert process.wait(PATIENCE) == 3  # it is not waited for
        fifo.write_text("go\n")
        assert process.stderr is not None
        assert process.stderr.read() == b"early\nlate\n"
    assert record(stage.hook_state)["last_error"] == "early"


def test_who_reads_no_more_is_noticed(stage: Stage) -> None:
    script = "while :; do echo line || exit 5; done >&2"
    with running(stage, "sh", "-c", script) as process:
        line_of(process.stderr)
        assert process.stderr is not None
        process.stderr.close()
        assert process.wait(PATIENCE) in {5, 128 + signal.SIGPIPE}


@pytest.mark.parametrize(("command", "code"), [("./none", 127), ("none-such", 127), ("./text", 126)])
def test_what_cannot_be_run_is_a_failure(stage: Stage, command: str, code: int) -> None:
    (stage.project / "text").touch(0o644)
    done = run(stage, command)
    assert done.returncode == code
    assert f"cannot run {command}".encode() in done.stderr
    assert record(stage.hook_state)["last_error"].startswith(f"cannot run {command}: ")


# --- the circuit


def test_it_opens_is_skipped_and_recovers(stage: Stage, tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    fail = ("sh", "-c", f"echo run >> {ran}; echo 'no such table' >&2; exit 1")
    options = ("--key", "a", "--cooldown", "300")
    for _ in range(3):
        assert run(stage, *fail, options=options).returncode == 1
    skipped = run(stage, *fail, options=options)
    told = json.loads(skipped.stdout)
    assert (skipped.returncode, skipped.stderr, set(told)) == (0, b"", {"continue", "systemMessage"})
    assert told["continue"] is True
    assert "hook a was not run: Circuit open" in told["systemMessage"]
    assert ran.read_text() == "run\n" * 3
    assert record(stage.hook_state)["last_error"] == "no such table"

    over = ("--key", "a", "--cooldown", "0")
    assert run(stage, "true", options=over).returncode == 0
    assert states(stage.hook_state) == {"a": "half_open"}
    assert run(stage, "true", options=over).returncode == 0
    assert states(stage.hook_state) == {"a": "closed"}
    assert [each["event"] for each in Circuits(stage.hook_state).history("a")][:2] == ["closed", "probe"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ('say "hi" && rm -rf /', """`statewatch hooks reset --state-file h.json 'say "hi" && rm -rf /'` lets it run"""),
        ("-rf", "`statewatch hooks reset --state-file h.json -- -rf` lets it run"),
        ("a\nb", "`statewatch hooks list` shows it"),
    ],
)
def test_a_command_that_it_names_can_be_pasted_into_a_shell(stage: Stage, name: str, expected: str) -> None:
    options = ("--key", name, "--state", "h.json", "--failure-threshold", "1")
    run(stage, "false", options=options)
    assert expected in json.loads(run(stage, "false", options=options).stdout)["systemMessage"]


@pytest.mark.parametrize(
    ("options", "code", "printed"),
    [
        (("--skip-output", "text"), 0, b"statewatch: the hook a was not run"),
        (("--skip-output", "none"), 0, b""),
        (("--skip-output=none", "--skip-exit-code=3"), 3, b""),
    ],
)
def test_what_a_skipped_hook_says_can_be_chosen(
    stage: Stage, options: tuple[str, ...], code: int, printed: bytes
) -> None:
    stage.write_hooks(a=hook("open", disabled_at="2999-01-01T00:00:00+00:00"))
    done = run(stage, "true", options=("--key", "a", "--cooldown", "999", *options))
    assert (done.returncode, done.stdout[: len(printed)], bool(done.stdout)) == (code, printed, bool(printed))


def test_blocking_need_not_be_a_failure(stage: Stage) -> None:
    for _ in range(4):
        assert run(stage, "sh", "-c", "exit 2", options=("--key", "a", "--success-codes", "0,2")).returncode == 2
    assert states(stage.hook_state) == {"a": "closed"}
    assert run(stage, "sh", "-c", "exit 2").returncode == 2
    assert record(stage.hook_state)["consecutive_failures"] == 1


def test_two_wrappers_with_thresholds_of_their_own(stage: Stage) -> None:
    for key, threshold in (("a", "1"), ("b", "2")):
        run(stage, "false", options=("--key", key, "--failure-threshold", threshold))
    assert states(stage.hook_state) == {"a": "open", "b": "closed"}


def test_of_many_at_once_one_tests_a_half_open_circuit(stage: Stage) -> None:
    stage.write_hooks(a=OPEN_LONG_AGO)
    with contextlib.ExitStack() as stack:
        processes = [stack.enter_context(running(stage, "sh", "-c", "echo tested; read line")) for _ in range(8)]
        until(lambda: sum(each.poll() is not None for each in processes) == 7, "seven of eight were skipped")
        (tester,) = [each for each in processes if each.poll() is None]
        assert tester.communicate(b"\n", timeout=PATIENCE)[0] == b"tested\n"
        printed = [each.communicate()[0] for each in processes if each is not tester]
    assert all("another call is testing it" in json.loads(each)["systemMessage"] for each in printed)


def test_a_command_that_takes_too_long_is_ended_with_all_its_processes(stage: Stage, tmp_path: Path) -> None:
    started = tmp_path / "started"
    script = f"trap '' TERM; echo slow >&2; sleep 600 & echo $! > {started}; wait"
    done = run(stage, "sh", "-c", script, options=("--key", "a", "--timeout", "0.5"))
    assert done.returncode == 124
    assert record(stage.hook_state)["last_error"] == "Timed out after 0.5 s\nslow"
    until(lambda: not Path(f"/proc/{started.read_text().strip()}/cmdline").exists() or not _lives(started), "its end")


def _lives(started: Path) -> bool:
    try:
        return Path(f"/proc/{started.read_text().strip()}/cmdline").read_bytes() != b""
    except OSError:
        return False


def test_settings_and_variables_hold(stage: Stage) -> None:
    write_json(stage.hook_state, {"hooks": {"a": hook("open"), "b": OPEN_LONG_AGO}, "global_stats": {}})
    (stage.hook_state.parent / "guardrails.yaml").write_text("circuit_breaker: {failure_threshold: 1, exclude: [b]}\n")
    run(stage, "false", options=("--key", "c"))
    assert states(stage.hook_state)["c"] == "open"
    assert run(stage, "echo", "ran", options=("--key", "b")).stdout == b"ran\n"
    run(stage, "false", options=("--key", "d"), GUARDRAILS_CIRCUIT_BREAKER_FAILURE_THRESHOLD="2")
    assert states(stage.hook_state)["d"] == "closed"


def test_the_state_can_be_elsewhere(stage: Stage, tmp_path: Path) -> None:
    run(stage, "true", GUARDRAILS_STATE_FILE=str(tmp_path / "by-variable.json"))
    run(stage, "true", options=("--key", "a", "--state", str(tmp_path / "new" / "by-option.json")))
    for name in ("by-variable.json", "new/by-option.json"):
        assert record(tmp_path / name)["consecutive_successes"] == 1
    assert not stage.hook_state.exists()


def test_a_fleet_shares_one_state(stage: Stage, redis_url: str) -> None:
    options = ("--key", "a", "--state", f"{redis_url}?namespace=fleet")
    for _ in range(3):
        run(stage, "false", options=options)
    assert json.loads(run(stage, "true", options=options).stdout)["continue"] is True
    (row,) = stage.json("hooks", "list", "--state-file", f"{redis_url}?namespace=fleet")
    assert (row["hook"], row["state"], row["failure_count"]) == ("a", "open", 3)


@pytest.mark.parametrize(
    ("command", "name"),
    [
        (("sh", "./validate_new_file.sh"), "validate-new-file"),
        (("true",), "true"),
        (("sh", "-c", "cd / && echo check-it"), "check-it"),
    ],
)
def test_the_name_comes_from_the_command(stage: Stage, command: tuple[str, ...], name: str) -> None:
    (stage.project / "validate_new_file.sh").write_text("true\n")
    run(stage, *command, options=())
    assert list(states(stage.hook_state)) == [name]


@pytest.mark.parametrize("name", ["two\nlines", 'a "b" && c', "[bold]x[/]", "\u202egnp.exe", "x" * 65_536])
def test_any_name_is_kept_as_it_is(stage: Stage, name: str) -> None:
    run(stage, "false", options=("--key", name, "--failure-threshold", "1"))
    assert states(stage.hook_state) == {name: "open"}
    skipped = run(stage, "true", options=("--key", name, "--skip-output", "text")).stdout.decode()
    assert skipped.count("\n") == 1
    assert "\u202e" not in skipped


# --- exactly once, whatever is the matter


def corrupt(path: Path) -> None:
    path.write_text('{"hooks": ')


def no_hook_state(path: Path) -> None:
    path.write_text('{"hooks": [1]}')


def read_only(path: Path) -> None:
    path.write_text('{"hooks": {}}')
    path.chmod(0o444)


def directory(path: Path) -> None:
    path.mkdir()


def no_lock(path: Path) -> None:
    path.write_text('{"hooks": {}}')
    sidecar(path).mkdir()


def damaged_beside(path: Path) -> None:
    path.write_text('{"hooks": {}}')
    path.with_name(f".{path.name}.statewatch-circuits.json").write_text("{")


def no_directory(path: Path) -> None:
    path.parent.rmdir()
    path.parent.write_text("")


@pytest.mark.parametrize(
    "damage",
    [corrupt, no_hook_state, read_only, directory, no_lock, damaged_beside, no_directory],
    ids=lambda each: each.__name__,
)
@pytest.mark.parametrize("code", [0, 4])
def test_it_runs_once_whatever_the_state_is(stage: Stage, damage: Any, code: int) -> None:
    stage.hook_state.parent.mkdir(parents=True)
    damage(stage.hook_state)
    before = stage.hook_state.read_bytes() if stage.hook_state.is_file() else None
    done = run(stage, "sh", "-c", f"echo ran; exit {code}")
    assert (done.returncode, done.stdout) == (code, b"ran\n")
    assert b"statewatch-hook: a: " in done.stderr
    assert b"Traceback" not in done.stderr
    assert before == (stage.hook_state.read_bytes() if stage.hook_state.is_file() else None)


def test_a_full_disk_does_not_run_it_twice(stage: Stage) -> None:
    path = stage.write_hooks(a=hook())
    before = path.read_bytes()
    full = ["sh", "-c", 'ulimit -f 0; exec "$@"', "sh", *words("echo", "ran")]
    done = subprocess.run(full, env=stage.environment(), capture_output=True, timeout=30, check=False)
    assert (done.returncode, done.stdout) == (0, b"ran\n")
    assert b"how it went is not recorded" in done.stderr
    assert path.read_bytes() == before
    assert not list(path.parent.glob("*.tmp")) + list(path.parent.glob(".*.tmp"))


def test_a_server_that_is_away_keeps_no_hook_from_running(stage: Stage) -> None:
    done = run(stage, "echo", "ran", options=("--key", "a", "--state", "redis://127.0.0.1:1/0?namespace=x"))
    assert (done.returncode, done.stdout) == (0, b"ran\n")
    assert b"it runs" in done.stderr


def test_the_state_may_go_while_the_command_runs(stage: Stage) -> None:
    path = stage.write_hooks(a=hook(), b=hook())
    assert run(stage, "rm", str(path)).returncode == 0
    assert list(states(path)) == ["a"]


def test_no_run_is_lost_among_many_processes(stage: Stage) -> None:
    path = stage.write_hooks(a=hook(), other=hook("open", note="kept"))
    for _ in range(3):
        with contextlib.ExitStack() as stack:
            processes = []
            for _ in range(8):
                processes.append(stack.enter_context(running(stage, "true")))
            for process in processes:
                assert process.wait(PATIENCE) == 0
    document = json.loads(path.read_text())
    assert document["global_stats"]["total_executions"] == 40 + 24
    assert document["hooks"]["a"]["consecutive_successes"] == 24
    assert document["hooks"]["other"]["note"] == "kept"


@pytest.mark.parametrize("value", ["0", "-1", "x", "1000000000", ""])
def test_a_bad_threshold_is_told_and_the_hook_runs(stage: Stage, value: str) -> None:
    done = run(stage, "echo", "ran", options=("--key", "a", f"--failure-threshold={value}"))
    assert (done.returncode, done.stdout) == (0, b"ran\n")
    assert b"--failure-threshold" in done.stderr
    assert b"from 1 to 100" in done.stderr


@pytest.mark.parametrize("arguments", [(), ("--",), ("--unknown", "--", "true"), ("--key",), ("--key", "a")])
def test_a_command_line_that_is_wrong_never_means_block(stage: Stage, arguments: tuple[str, ...]) -> None:
    done = stage.spawn("hook", *arguments)
    assert done.returncode == 64
    assert b"Usage: statewatch hook" in done.stderr


def test_help_and_version(stage: Stage) -> None:
    assert b"--success-codes" in stage.spawn("hook", "--help").stdout
    assert stage.spawn("hook", "--version").stdout.startswith(b"statewatch-hook ")
    assert stage.run("hook", "--key", "a", "--", "sh", "-c", "exit 6").exit_code == 6


def test_little_is_loaded_in_front_of_a_hook(stage: Stage) -> None:
    """Every hook pays for each module, each time."""
    stage.write_hooks(true=hook())
    script = "import sys; from statewatch.cli import wrapper; wrapper.main(['true']); print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", script], env=stage.environment(), capture_output=True, text=True, check=True
    )
    heavy = {
        "click",
        "dataclasses",
        "inspect",
        "orjson",
        "yaml",
        "subprocess",
        "hashlib",
        "threading",
        "sqlite3",
        "logging",
    }
    assert record(stage.hook_state, "true")["consecutive_successes"] == 1
    assert heavy.isdisjoint(done.stdout.split())


def test_a_clock_that_was_ahead_keeps_no_hook_off_for_years(stage: Stage) -> None:
    stage.write_hooks(a=hook("open", disabled_at="2999-01-01T00:00:00+00:00", retry_after="2999-01-01T00:05:00+00:00"))
    assert "tested in 5:00" in json.loads(run(stage, "true").stdout)["systemMessage"]
    assert record(stage.hook_state)["disabled_at"] < "2998"
    assert record(stage.hook_state)["disabled_at"] > OPENED
