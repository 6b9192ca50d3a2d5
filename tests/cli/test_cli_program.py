"""The program as a whole: which command is meant, streams, exit codes, and never a traceback."""

import json
import os
import re
import select
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import pexpect
import pytest

from statewatch import __version__
from statewatch.cli import checkpoint as checkpoints
from statewatch.cli import hooks as circuits_of_hooks
from statewatch.cli import main as program
from statewatch.cli import state as namespaces
from statewatch.cli.columns import width
from statewatch.watch.scope import Scope
from tests.cli.conftest import Stage, hook, write_json
from tests.support import replace

COMMANDS = [
    "",
    *program._COMMANDS,
    *(f"hooks {name}" for name in circuits_of_hooks.command.commands),
    *(f"circuits {name}" for name in ("list", "show", "reset")),
    "batch list",
    "batch show",
    *(f"state {name}" for name in namespaces.command.commands),
    *(f"checkpoint {name}" for name in checkpoints.command.commands),
]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(stage: Stage, command: str) -> None:
    result = stage.run(*command.split(), "--help")
    assert result.exit_code == 0
    assert result.stderr == ""
    if command not in {"hooks", "circuits", "batch", "state", "checkpoint"}:
        assert re.search("Examples?:", result.stdout)
        assert "Exit codes" in result.stdout


def test_the_help_lists_what_there_is(stage: Stage) -> None:
    shown = stage.run("--help").stdout
    for word in (*program._COMMANDS, "--poll", "--read-only", "--reapply", "--version", "130"):
        assert word in shown
    assert "dashboard " not in shown.split("Commands:")[1].split("Exit codes")[0].replace("The dashboard on", "")


def test_the_version(stage: Stage) -> None:
    assert stage.run("--version").stdout == f"statewatch {__version__}\n"
    assert stage.spawn("--version").stdout.decode() == f"statewatch {__version__}\n"


def test_without_a_terminal_the_status_is_printed(stage: Stage) -> None:
    stage.write_hooks(a=hook("open"))
    bare, status = stage.run(), stage.run("status")
    assert (bare.stdout, bare.exit_code) == (status.stdout, 1)
    other = stage.write_hooks(stage.project / "other.json", b=hook())
    assert stage.run(other).exit_code == 0
    assert stage.run("--poll", other, "--read-only").exit_code == 0


def test_a_command_wins_over_a_path_of_the_same_name(stage: Stage) -> None:
    stage.write_hooks(stage.project / "show", a=hook("open"))
    assert stage.run("show").exit_code == 2
    assert "a " in stage.run("./show").stdout
    result = stage.run("--poll", "show")
    assert result.exit_code == 2
    assert "./show" in result.stderr


@pytest.mark.parametrize(("word", "meant"), [("hoks", "hooks"), ("statsu", "status"), ("tial", "tail")])
def test_a_mistyped_command_opens_nothing(stage: Stage, word: str, meant: str) -> None:
    result = stage.run(word, "list")
    assert (result.exit_code, result.stdout) == (2, "")
    assert f"Did you mean `{meant}`?" in result.stderr
    stage.write_hooks(stage.project / word, a=hook())
    assert stage.run(word).exit_code == 0


@pytest.mark.parametrize("word", ["init", "save", "load", "delete", "keys", "migrate", "recover"])
def test_a_command_of_namespaces_at_the_top_is_told_where_it_is(stage: Stage, word: str) -> None:
    for options in ([], ["phase", "--raw"]):
        result = stage.run(word, *options)
        assert (result.exit_code, result.stdout) == (2, "")
        assert f"Did you mean `statewatch state {word}`?" in result.stderr
    stage.write_hooks(stage.project / word, a=hook())
    assert stage.run(word).exit_code == 0


def test_what_is_about_schemas_is_told_to_be_at_state(stage: Stage) -> None:
    result = stage.run("schema", "show")
    assert result.exit_code == 2
    assert "Did you mean `statewatch state`?" in result.stderr


def test_wrong_options(stage: Stage) -> None:
    for arguments in (["--bogus"], ["status", "--bogus"], ["tail", "-n", "0"], ["demo", "--speed", "0"]):
        result = stage.run(*arguments)
        assert (result.exit_code, result.stdout) == (2, "")
        assert "--help" in result.stderr
        assert "dashboard" not in result.stderr


@pytest.mark.parametrize("group", ["hooks", "batch", "state", "checkpoint"])
def test_a_group_alone_shows_its_help(stage: Stage, group: str) -> None:
    result = stage.run(group)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "Commands:" in result.stderr


def test_the_demo_needs_a_terminal(stage: Stage) -> None:
    result = stage.run("demo")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "terminal" in result.stderr


class Launched:
    """Stands in for the dashboard and notes how it was called."""

    def __init__(self) -> None:
        self.calls: list[Any] = []

    def dashboard(self, paths: tuple[str, ...], **options: object) -> int:
        self.calls.append((paths, options))
        return 7

    def on(self, scope: Scope, title: str, *, history: Path) -> int:
        self.calls.append((title, [Path(root.path).name for root in scope.roots], history.name))
        assert "demo" in str(history), "what is simulated is no part of the user's history"
        return 0


@pytest.fixture
def launched(monkeypatch: pytest.MonkeyPatch) -> Launched:
    fake = Launched()
    module = type(sys)("statewatch.tui.launch")
    module.__dict__.update(run_dashboard=fake.dashboard, open_dashboard=fake.on)
    monkeypatch.setitem(sys.modules, "statewatch.tui.launch", module)
    monkeypatch.setattr("statewatch.cli.output.is_terminal", lambda _stream: True)
    return fake


def test_on_a_terminal_the_dashboard_opens(stage: Stage, launched: Launched) -> None:
    assert stage.run().exit_code == 7
    assert stage.run("a.json", "b/", "--read-only", "--reapply").exit_code == 7
    assert stage.run("--poll", "./status").exit_code == 7
    off = {"poll": False, "read_only": False, "reapply": False, "history": stage.state / "history.db"}
    assert launched.calls == [
        ((), off),
        (("a.json", "b/"), {**off, "read_only": True, "reapply": True}),
        (("./status",), {**off, "poll": True}),
    ]


def test_the_dashboard_records_where_it_is_told_to_or_not_at_all(
    stage: Stage, launched: Launched, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.run("--history", "~/night.db")
    stage.run("--no-history", "--history", "night.db")
    monkeypatch.setenv("STATEWATCH_HISTORY", "by_variable.db")
    stage.run()
    assert [options["history"] for _, options in launched.calls] == [
        stage.home / "night.db",
        None,
        Path("by_variable.db"),
    ]


def test_the_demo_opens_on_a_project_of_its_own(stage: Stage, launched: Launched) -> None:
    assert stage.run("demo", "--seed", "3", "--speed", "2.5").exit_code == 0
    assert launched.calls == [("demo, seed 3", ["project", ".claude", ".autonomous-dev"], "history.db")]


@pytest.mark.parametrize(
    ("error", "code", "says"),
    [
        (KeyboardInterrupt(), 130, ""),
        (BrokenPipeError(), 141, ""),
        (OSError(28, "No space left on device", "/x"), 3, "/x: No space left on device"),
        (OSError(28, "No space left on device"), 74, "the output: No space left on device"),
        (RuntimeError("odd\x1b"), 70, "RuntimeError: odd"),
        (click.UsageError("so not"), 2, "so not"),
    ],
)
def test_whatever_goes_wrong_ends_well(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, error: BaseException, code: int, says: str
) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr("statewatch.cli.status.picture_of", fail)
    monkeypatch.setattr(program, "_quietly", lambda: 141)
    result = stage.run("status")
    assert result.exit_code == code
    assert says in result.stderr
    assert "\x1b" not in result.output
    assert "Traceback" not in result.output


def test_listing_loads_neither_the_dashboard_nor_the_watcher_of_the_system(stage: Stage) -> None:
    stage.write_hooks(a=hook())
    code = (
        "import sys\nfrom statewatch.cli.main import cli\n"
        "try: cli.main(['hooks', 'list'])\nexcept SystemExit: pass\n"
        "print(sorted({name.split('.')[0] for name in sys.modules} & set(sys.argv[1:])), file=sys.stderr)"
    )
    unwanted = ["textual", "rich", "watchfiles", "asyncio", "platformdirs", "sqlite3", "yaml"]
    done = subprocess.run(
        [sys.executable, "-c", code, *unwanted], env=stage.environment(), capture_output=True, text=True, check=True
    )
    assert "a " in done.stdout
    assert done.stderr.splitlines()[-1] == "[]"


def test_data_and_talk_do_not_mix(stage: Stage) -> None:
    stage.write_hooks(a=hook("open"))
    done = stage.spawn("hooks", "list")
    assert b"1 hook" in done.stderr
    assert b"1 hook" not in done.stdout
    assert b"\x1b[" not in done.stdout


@pytest.mark.parametrize(
    "variables", [{"PYTHONIOENCODING": "ascii"}, {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}]
)
def test_any_encoding(stage: Stage, variables: dict[str, str]) -> None:
    stage.write_hooks(日本=hook("open", last_error="é → x"))
    for arguments in (["hooks", "list"], ["status"], ["hooks", "reset", "日本", "--dry-run"]):
        done = stage.spawn(*arguments, **variables)
        assert done.returncode in {0, 1}
        assert b"Traceback" not in done.stderr
        assert b"\\u65e5\\u672c" in done.stdout
        assert done.stdout.isascii()


def test_a_file_name_that_is_not_utf8(stage: Stage) -> None:
    name = b"hook_state_\xff.json"
    stage.write_hooks(stage.project / "x.json", a=hook("open"))
    (stage.project / "x.json").rename(stage.project / os.fsdecode(name))
    for arguments in (
        ["status", name],
        ["hooks", "list", name],
        ["status"],
        ["hooks", "list", ".", "--json"],
        ["show", name],
    ):
        done = stage.spawn(*arguments)
        assert done.returncode in {0, 1}, done.stderr
        assert b"\xff" not in done.stdout
        assert b"Traceback" not in done.stderr
    done = stage.spawn("hooks", "reset", "a", "--yes", "--state-file", name, "--settle", "0")
    assert done.returncode == 0, done.stderr
    assert b"reset a in" in done.stdout


BUFFERING = pytest.mark.parametrize("unbuffered", ["", "1"], ids=["buffered", "unbuffered"])
"""With PYTHONUNBUFFERED set, as images of containers do, nothing stands between the text and the system."""


@BUFFERING
def test_a_reader_that_goes_away(stage: Stage, unbuffered: str) -> None:
    stage.write_hooks(**{f"hook-{number}": hook("open") for number in range(3_000)})
    with subprocess.Popen(
        stage.command("hooks", "list"),
        env=stage.environment(PYTHONUNBUFFERED=unbuffered),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline().startswith(b"state")
        process.stdout.close()
        assert process.wait(20) == 141
        assert process.stderr.read() == b""


@BUFFERING
def test_a_reader_that_goes_away_in_the_middle_of_one_long_text(stage: Stage, unbuffered: str) -> None:
    """The text is one write, of which the pipe has taken a part when its reader goes."""
    path = write_json(stage.project / "long.json", {"lines": ["x" * 100] * 4_000})
    with subprocess.Popen(
        stage.command("show", path), env=stage.environment(PYTHONUNBUFFERED=unbuffered), stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert len(process.stdout.read(100_000)) == 100_000
        process.stdout.close()
        assert process.wait(20) == 141
    whole = stage.spawn("show", path, PYTHONUNBUFFERED=unbuffered)
    assert (whole.returncode, json.loads(whole.stdout)) == (0, json.loads(path.read_bytes()))


@BUFFERING
def test_what_was_done_is_done_though_nobody_can_be_told(stage: Stage, unbuffered: str) -> None:
    line = "exec {} -m statewatch {} 2> /dev/full"
    environment = stage.environment(PYTHONUNBUFFERED=unbuffered)
    for command, code in (("state save phase 1 --settle 0", 0), ("state load other", 1), ("state load phase x", 2)):
        done = subprocess.run(
            ["/bin/sh", "-c", line.format(sys.executable, command)], env=environment, timeout=20, check=False
        )
        assert done.returncode == code, command
    assert stage.json("state", "load", "phase") == 1


@BUFFERING
def test_streams_that_are_closed_or_full(stage: Stage, unbuffered: str) -> None:
    stage.write_hooks(a=hook("open"))
    line = "exec {} -m statewatch hooks list {}"
    for redirection, code, says in ((">&-", 0, ""), ("2>&-", 0, ""), ("> /dev/full", 74, "No space left on device")):
        done = subprocess.run(
            ["/bin/sh", "-c", line.format(sys.executable, redirection)],
            env=stage.environment(PYTHONUNBUFFERED=unbuffered),
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        )
        assert done.returncode == code
        assert says in done.stderr
        assert "Traceback" not in done.stderr
        assert "Exception" not in done.stderr


@pytest.mark.parametrize("size", [(24, 80), (5, 20)])
def test_on_a_terminal_lines_fit(stage: Stage, size: tuple[int, int]) -> None:
    stage.write_hooks(**{"validate-日本-file": hook("open", last_error="x" * 300)})
    stage.write_batch()
    for arguments in (["hooks", "list"], ["status"], ["batch", "list"]):
        shown = on_a_terminal(stage, *arguments, size=size)
        assert "\x1b[31m" in shown
        tables = [line for line in re.sub("\x1b[^m]*m", "", shown).splitlines() if "  " in line]
        assert tables
        assert all(width(line) <= size[1] for line in tables)


def test_colours_are_not_forced_on_anybody(stage: Stage) -> None:
    stage.write_hooks(a=hook("open"))
    assert "\x1b[31m" in on_a_terminal(stage, "hooks", "list", size=(24, 80))
    assert "\x1b" not in on_a_terminal(stage, "hooks", "list", size=(24, 80), NO_COLOR="1")


def on_a_terminal(stage: Stage, *arguments: str, size: tuple[int, int], **variables: str) -> str:
    command, *rest = (str(each) for each in stage.command(*arguments))
    environment = {**stage.environment(**variables), "TERM": "xterm"}
    child = pexpect.spawn(
        command, rest, env=environment, dimensions=size, encoding="utf-8", timeout=20, cwd=str(stage.project)
    )
    child.expect(pexpect.EOF)
    child.close()
    shown = child.before or ""
    assert "Traceback" not in shown
    assert child.exitstatus in {0, 1}
    return shown


class Tail:
    """`statewatch tail` as a process of its own."""

    def __init__(self, stage: Stage, *arguments: str | Path) -> None:
        self.process = subprocess.Popen(
            stage.command("tail", *arguments),
            env=stage.environment(),
            cwd=stage.project,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def line(self, stream: str = "stdout") -> str:
        pipe = getattr(self.process, stream)
        assert select.select([pipe], [], [], 20)[0], "nothing came"
        return str(pipe.readline().decode())

    def end(self) -> int:
        self.process.send_signal(signal.SIGINT)
        code = self.process.wait(20)
        for pipe in (self.process.stdout, self.process.stderr):
            assert pipe is not None
            assert b"Traceback" not in pipe.read()
            pipe.close()
        return code


def test_changes_come_as_they_happen(stage: Stage) -> None:
    path = stage.write_hooks(a=hook())
    tail = Tail(stage)
    assert "watching 1 source in" in tail.line("stderr")
    for state, words in (("open", "closed → open after 3 in a row"), ("half_open", "open → half_open")):
        document = json.loads(path.read_text())
        document["hooks"]["a"] = hook(state)
        replace(path, json.dumps(document))
        line = tail.line()
        assert re.match(r"\d\d:\d\d:\d\d  ~/.claude/hook_state.json  a  ", line)
        assert words in line
    assert tail.end() == 130


@pytest.mark.parametrize("option", [[], ["--poll"]])
def test_changes_as_json_lines_and_an_end(stage: Stage, option: list[str]) -> None:
    path = stage.write_hooks(a=hook("open"), b=hook("open"))
    tail = Tail(stage, path, "--json", "-n", "1", *option)
    assert ("by polling (as asked for)" in tail.line("stderr")) is bool(option)
    stage.write_hooks(path.with_name("new"), a=hook(), b=hook())
    replace(path, path.with_name("new").read_bytes())
    line = json.loads(tail.line())
    assert set(line) == {"number", "at", "source", "kind", "subject", "text", "tone", "before", "after"}
    assert (line["number"], line["source"], line["subject"], line["text"]) == (1, str(path), "a", "open → closed")
    assert tail.process.wait(20) == 0
    tail.end()


def test_a_run_that_starts_later_appears(stage: Stage) -> None:
    tail = Tail(stage, "-n", "1")
    assert "nothing there yet" in tail.line("stderr")
    stage.write_batch()
    assert "appeared" in tail.line()
    assert tail.process.wait(20) == 0
    tail.end()
