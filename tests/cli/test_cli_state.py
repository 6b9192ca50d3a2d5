"""`state`: a script keeps its state in a namespace, comes back to it, moves it, and saves it from damage."""

import contextlib
import json
import os
import re
import signal
import sqlite3
import subprocess
from pathlib import Path
from typing import Any

import pexpect
import pytest
import redis

from statewatch.core import audit
from statewatch.core.stores.urls import open_store, with_namespace
from tests.cli.conftest import Stage, write_json
from tests.support import until

BACKENDS = ["json", "sqlite", "redis", "postgres"]
HOSTILE = "nl\nred\x1b[31m é 日本"


@pytest.fixture(params=BACKENDS)
def backend(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the options that name a namespace of each engine, on servers of the tests where it has one."""
    if request.param in ("redis", "postgres"):
        url = request.getfixturevalue(f"{request.param}_url")
        monkeypatch.setenv("REDIS_URL" if request.param == "redis" else "DATABASE_URL", url)
    return ["--backend", request.param, "--namespace", "nightly"]


def save(stage: Stage, key: str, value: Any, *options: str) -> None:
    result = stage.run("state", "save", key, json.dumps(value), *options)
    assert result.exit_code == 0, result.output


def values(stage: Stage, *options: str) -> dict[str, Any]:
    return {key: stage.json("state", "load", key, *options) for key in stage.json("state", "keys", *options)}


def test_a_script_keeps_its_state_wherever_it_wants(stage: Stage, backend: list[str]) -> None:
    made = stage.run("state", "init", *backend)
    assert made.exit_code == 0, made.output
    address = made.stdout.strip()
    save(stage, "phase", "planning", *backend)
    save(stage, "limits", {"tokens": 20_000, "ratio": 0.5, "on": True, "none": None}, *backend)
    name = stage.run("state", "checkpoint", *backend).stdout.strip()
    save(stage, "phase", "testing", *backend)
    save(stage, "extra", None, *backend)
    assert stage.run("state", "delete", "limits", "--yes", *backend).exit_code == 0
    assert values(stage, "--address", address) == {"phase": "testing", "extra": None}
    restored = stage.json("state", "restore", name, "--yes", *backend)
    assert (restored["action"], restored["changed"]) == ("restore", True)
    limits = {"tokens": 20_000, "ratio": 0.5, "on": True, "none": None}
    assert values(stage, *backend) == {"phase": "planning", "limits": limits}
    assert stage.run("undo", "--yes").exit_code == 0
    assert values(stage, *backend) == {"phase": "testing", "extra": None}
    assert stage.run("redo", "--yes").exit_code == 0
    assert values(stage, *backend) == {"phase": "planning", "limits": limits}
    assert [row["name"] for row in stage.json("state", "checkpoints", *backend)] == [restored["checkpoint"], name]
    assert stage.json("show", f"{restored['source']}@{name}#/limits/tokens") == 20_000


def test_init_says_where_it_is_and_changes_nothing_that_is_there(stage: Stage, backend: list[str]) -> None:
    first = stage.json("state", "init", *backend)
    assert (first["namespace"], first["keys"]) == ("nightly", 0)
    save(stage, "a", 1, *backend)
    assert stage.json("state", "init", *backend) == {**first, "keys": 1}
    assert values(stage, *backend) == {"a": 1}


def test_init_makes_the_file_and_the_tables(stage: Stage) -> None:
    stage.run("state", "init")
    path = stage.project / ".claude" / "state" / "default" / "state.json"
    assert path.read_bytes() == b"{}"
    inode = path.stat().st_ino
    stage.run("state", "init")
    assert path.stat().st_ino == inode
    stage.run("state", "init", "--backend", "sqlite", "--namespace", "x")
    with contextlib.closing(sqlite3.connect(stage.project / ".claude" / "state" / "x" / "state.db")) as database:
        tables = {name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    assert {"state", "checkpoints"} <= tables


def test_init_of_what_is_no_namespace_is_refused(stage: Stage) -> None:
    write_json(stage.project / "list.json", [1])
    result = stage.run("state", "init", "--address", "list.json")
    assert (result.exit_code, "which has no keys" in result.stderr) == (3, True)


@pytest.mark.parametrize(
    ("typed", "value"),
    [
        ("-5", -5),
        ("-1.5e3", -1500.0),
        ("null", None),
        ('"text"', "text"),
        ('{"a": [1, {}]}', {"a": [1, {}]}),
        ("true", True),
        ('"\\ud800 \\u0000"', "\ud800 \0"),
        ("1" * 400, int("1" * 400)),
    ],
)
def test_a_value_is_json(stage: Stage, typed: str, value: Any) -> None:
    assert stage.run("state", "save", "k", typed).exit_code == 0
    assert stage.json("state", "load", "k") == value
    assert stage.json("state", "save", "k", typed)["changed"] is False


@pytest.mark.parametrize("text", ["planning", "", "-5", "--yes", "[bold]", "{", HOSTILE, "a\r\nb "])
def test_a_text_is_taken_as_it_is(stage: Stage, text: str) -> None:
    assert stage.run("state", "save", "--string", "--", "k", text).exit_code == 0
    assert stage.json("state", "load", "k") == text
    assert stage.spawn("state", "load", "k", "--raw").stdout.decode() == text + "\n"


def test_a_value_comes_from_standard_input(stage: Stage) -> None:
    assert stage.run("state", "save", "k", "-", typed='{"a":\n 1}\n').exit_code == 0
    assert stage.json("state", "load", "k") == {"a": 1}
    assert stage.run("state", "save", "k", "-", "--string", typed="line\n").exit_code == 0
    assert stage.json("state", "load", "k") == "line\n"


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ("planning", "line 1 column 1: what stands here is not a JSON value"),
        ('{"a": 1,\n "b" 2}', "line 2 column 6"),
        ("NaN", "NaN is not a JSON number"),
        ('{"a": 1, "a": 2}', "'a' occurs twice"),
        ("[" * 5_000, "nested deeper"),
        ("1" * 5_000, "too many digits"),
        ("", "it is empty"),
        (b"\xff", "0xff is not UTF-8"),
        (b"\xef\xbb\xbf1", "byte order mark"),
    ],
)
def test_what_is_no_json_is_told_with_the_place_and_with_what_to_do(
    stage: Stage, typed: str | bytes, says: str
) -> None:
    result = stage.run("state", "save", "k", "-", typed=typed)
    assert (result.exit_code, result.stdout) == (2, "")
    assert says in result.stderr
    assert "--string" in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert not (stage.project / ".claude").exists()


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        ("load phas", 1, "Did you mean 'phase'?"),
        ("load other", 1, "there is no key 'other'"),
        ("delete phas --yes", 1, "Did you mean 'phase'?"),
        ("restore befor --yes", 1, "Did you mean 'before'?"),
        ("restore nothing --yes", 1, "there is no checkpoint 'nothing'"),
        ("restore before --only /phas --yes", 4, "there is 'phase'"),
        ("restore before --only phase", 2, "a pointer starts with '/'"),
        ("checkpoint before", 4, "there is a checkpoint 'before' already"),
        ("checkpoint Before", 4, "looks like that of the checkpoint 'before'"),
        ("checkpoint ../x", 4, "has '/'"),
        ("keys --namespace ../x", 4, "has '/'"),
        ("keys --backend mongo", 2, "mongo"),
        ("keys --backend json --address x.json", 2, "without --backend"),
        ("keys --address missing.json@x", 2, "a whole source"),
        ("keys --address sqlite:x?nmespace=a", 4, "no option of a sqlite store"),
        ("save phase", 2, "Missing argument 'VALUE'"),
        ("save a 1 --address missing.json", 3, "there is no such file"),
        ("keys --address mysql://x/y", 4, "no store for 'mysql:' addresses"),
        ("save a 1 --address sqllite:x.db", 4, "sqlite:PATH?namespace=NAME"),
        ("save a 1 --address sqlite::memory:", 4, "memory:?namespace=NAME"),
        ("delete a --yes --address missing.json", 3, "there is no such file"),
        ("keys --address missing.json", 3, "there is no such file"),
        ("load a --address missing.json", 3, "there is no such file"),
        ("migrate --to nowhere", 4, "is no backend (json, sqlite, redis, postgres)"),
        ("migrate --to mysql://x/y", 4, "no store for 'mysql:' addresses"),
        ("migrate", 2, "--to"),
        ("migrate --to json", 4, "onto itself"),
        ("migrate --to x.json --to-namespace y", 2, "Leave --to-namespace out"),
        ("migrate --namespace ghost --to sqlite", 1, "nothing to move"),
    ],
)
def test_what_cannot_be_done_is_told_in_one_line(stage: Stage, arguments: str, code: int, says: str) -> None:
    save(stage, "phase", "x")
    stage.run("state", "checkpoint", "before")
    before = (stage.project / ".claude" / "state" / "default" / "state.json").read_bytes()
    result = stage.run("state", *arguments.split())
    assert (result.exit_code, result.stdout) == (code, "")
    assert says in result.stderr
    assert "Traceback" not in result.stderr
    assert (stage.project / ".claude" / "state" / "default" / "state.json").read_bytes() == before
    assert {path.name for path in stage.project.iterdir()} == {".git", ".claude"}, "nothing else was made"


def test_a_file_may_be_called_like_an_address(stage: Stage) -> None:
    (stage.project / "batch:1.json").write_text('{"phase": 1}')
    assert stage.json("state", "load", "phase", "--address", "batch:1.json") == 1
    assert stage.run("state", "migrate", "--address", "batch:1.json", "--to", "./nightly").exit_code == 0
    assert json.loads((stage.project / "nightly").read_bytes()) == {"phase": 1}


def test_a_database_server_that_nobody_has_named(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in [name for name in os.environ if name.startswith("PG")] + ["DATABASE_URL"]:
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("PGHOST", str(stage.project))  # where no server listens
    result = stage.run("state", "keys", "--backend", "postgres")
    assert (result.exit_code, result.stdout) == (3, "")
    assert "DATABASE_URL is not set" in result.stderr


def test_saving_into_a_batch_moves_the_time_of_its_last_change_and_the_help_says_so(stage: Stage) -> None:
    file = stage.write_batch()
    before = json.loads(file.read_bytes())["updated_at"]
    assert stage.run("state", "save", "note", "1", "--address", file, "--settle", "0").exit_code == 0
    moved = json.loads(file.read_bytes())["updated_at"]
    assert moved > before
    assert stage.run("state", "save", "note", "1", "--address", file, "--settle", "0").exit_code == 0
    assert json.loads(file.read_bytes())["updated_at"] == moved
    assert "updated_at" in stage.run("state", "save", "--help").stdout


def test_a_default_stands_in_for_a_missing_key_only(stage: Stage) -> None:
    save(stage, "none", None)
    assert stage.json("state", "load", "none", "--default", "1") is None
    assert stage.json("state", "load", "other", "--default", '{"a": 1}') == {"a": 1}
    assert stage.json("state", "load", "other", "--default", "null") is None
    assert stage.run("state", "load", "other", "--default", "so").exit_code == 2


def test_keys_may_be_called_anything(stage: Stage) -> None:
    for key in (HOSTILE, "-x", "--yes", "a/b~c", "日本"):
        assert stage.run("state", "save", "--", key, "1").exit_code == 0
    assert stage.json("state", "keys") == [HOSTILE, "-x", "--yes", "a/b~c", "日本"]
    assert stage.spawn("state", "keys", "-0").stdout.decode().split("\0")[:-1] == stage.json("state", "keys")
    assert stage.run("state", "load", "--", "-x").stdout == "1\n"
    assert stage.run("state", "delete", "--yes", "--", "--yes").exit_code == 0
    result = stage.spawn("state", "save", b"a\xff", "1")
    assert (result.returncode, b"half of a surrogate pair" in result.stderr) == (4, True)
    assert stage.run("state", "save", "k" * 2_000, "1").exit_code == 4


def test_on_a_terminal_nothing_stored_can_act_on_it(stage: Stage) -> None:
    save(stage, HOSTILE, HOSTILE)
    stage.run("state", "checkpoint", "good", "--note", f"{HOSTILE}\0")
    for arguments in (["keys"], ["load", HOSTILE, "--raw"], ["load", HOSTILE], ["checkpoints"]):
        shown = on_a_terminal(stage, "state", *arguments)
        assert not set(re.sub("\x1b\\[1m|\x1b\\[0m|\r\n", "", shown)) & {"\x1b", "\0", "\n"}, shown
        assert "red" in shown


def on_a_terminal(stage: Stage, *arguments: str, typed: str = "", code: int = 0) -> str:
    """Run the program on a terminal, answer its question if there is one, and return what it shows after that."""
    command, *rest = (str(each) for each in stage.command(*arguments))
    child = pexpect.spawn(command, rest, env=stage.environment(), encoding="utf-8", timeout=20, cwd=str(stage.project))
    if typed:
        child.expect(r"Do this\? \[y/N\] ")
        child.send(typed)
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == code, child.before
    return child.before or ""


def test_saving_does_not_ask_and_deleting_does(stage: Stage) -> None:
    save(stage, "a", 1)
    save(stage, "a", 2)
    refused = stage.run("state", "delete", "a")
    assert (refused.exit_code, "--yes" in refused.stderr) == (2, True)
    on_a_terminal(stage, "state", "delete", "a", typed="n\r", code=4)
    assert values(stage) == {"a": 2}
    on_a_terminal(stage, "state", "delete", "a", "--why", "done with it", typed="y\r")
    assert values(stage) == {}
    stage.run("undo", "--yes")
    assert values(stage) == {"a": 2}
    (undone, deleted, *_) = audit.records()
    assert (deleted.action, deleted.targets, deleted.why, deleted.via) == ("delete", ["a"], "done with it", "cli")
    assert undone.undoes == deleted.id


def test_the_first_save_does_not_say_that_something_was_kept(stage: Stage) -> None:
    first = stage.run("state", "save", "a", "1")
    assert "Nothing was there before; take it back with: statewatch undo --id" in first.stderr
    assert "What was there before is kept in" in stage.run("state", "save", "a", "2").stderr


def test_who_would_take_a_file_over_from_another_user_is_told(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only root can give the new file to its owner; whoever else writes it in a shared directory owns it afterwards."""
    path = write_json(stage.project / "x.json", {"a": 1})
    save(stage, "a", 2, "--address", "x.json")
    monkeypatch.setattr("os.geteuid", lambda: 54_321)
    result = stage.run("state", "save", "a", "3", "--address", "x.json")
    assert f"Note: {path} belongs to {path.owner()}; written by user 54321 it belongs to the latter." in result.stderr


def test_a_dry_run_of_a_save_writes_nothing(stage: Stage) -> None:
    save(stage, "a", 1)
    result = stage.run("state", "save", "a", "2", "--dry-run")
    assert (result.exit_code, result.stdout) == (0, "~ /a: 1 → 2\n")
    assert values(stage) == {"a": 1}


def test_a_new_null_is_no_old_content_put_back(stage: Stage) -> None:
    """A key that was not there and one that is null look alike to who only asks for the value."""
    result = stage.json("state", "save", "a", "null")
    assert (result["changed"], result["overwritten"]) == (True, False)


def test_the_keys_of_any_json_file(stage: Stage) -> None:
    path = stage.write_batch()
    before = path.read_bytes()
    assert stage.json("state", "load", "status", "--address", path) == "in_progress"
    result = stage.run("state", "save", "status", '"nonsense"', "--address", path)
    assert (result.exit_code, "would not be valid" in result.stderr) == (4, True)
    assert path.read_bytes() == before
    save(stage, "status", "paused", "--address", str(path))
    wanted = {**json.loads(before), "status": "paused"}
    after = json.loads(path.read_text())
    assert list(after) == list(wanted)
    assert {**after, "updated_at": wanted["updated_at"]} == wanted


def test_the_layout_that_others_read(stage: Stage) -> None:
    save(stage, "phase", "planning")
    entry = json.loads((stage.project / ".claude/state/default/state.json").read_text())["phase"]
    assert entry["value"] == "planning"
    assert set(entry) == {"value", "timestamp"}


def test_a_server_that_is_not_there_is_told_and_no_password_with_it(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = "postgresql://me:secret@127.0.0.1:1/x"
    monkeypatch.setenv("DATABASE_URL", url)
    recover = ["state", "recover", "--backend", "postgres"]  # what is not reached is not damaged
    for arguments in (["state", "keys", "--backend", "postgres"], recover, ["show", f"{url}#/a"]):
        result = stage.run(*arguments)
        assert result.exit_code == 3
        assert "secret" not in result.output
        assert "me@127.0.0.1:1" in result.output
    assert stage.run("show", "redis://me:secret@[x/0").exit_code == 4
    assert "secret" not in stage.run("show", "redis://me:secret@[x/0").output


# --- moving


def fill(stage: Stage, *options: str) -> dict[str, Any]:
    """Make a namespace with a checkpoint and a pinned one, and return its keys and values."""
    save(stage, "phase", "planning", *options)
    stage.run("state", "checkpoint", "first", "--note", "all green", "--pin", *options)
    save(stage, "phase", "testing", *options)
    save(stage, HOSTILE, [1, 2.0, None], *options)
    stage.run("state", "checkpoint", "second", *options)
    return values(stage, *options)


def test_a_namespace_moves_with_its_checkpoints_and_back(stage: Stage, backend: list[str]) -> None:
    wanted = fill(stage)
    moved = stage.json("state", "migrate", "--to", backend[1], "--to-namespace", "nightly")
    assert (moved["keys"], moved["keys_written"]) == (2, 2)
    assert (moved["checkpoints"], moved["checkpoints_written"], moved["left"]) == (2, 2, 0)
    assert values(stage, *backend) == wanted
    rows = stage.json("state", "checkpoints", *backend)
    told = [(row["name"], row["note"], row["pinned"]) for row in rows]
    assert told == [("second", "", False), ("first", "all green", True)]
    assert stage.json("checkpoint", "show", rows[1]["source"], "first") == {"phase": "planning"}
    back = stage.run("state", "migrate", *backend, "--to", "back.json")
    assert "2 keys and 2 checkpoints are in" in back.stdout
    assert json.loads((stage.project / "back.json").read_text()) == wanted
    assert values(stage) == wanted


def test_moving_again_moves_only_what_is_missing(stage: Stage) -> None:
    fill(stage)
    stage.run("state", "migrate", "--to", "sqlite")
    save(stage, "more", 1)
    again = stage.json("state", "migrate", "--to", "sqlite")
    assert (again["keys"], again["keys_written"], again["checkpoints_written"]) == (3, 1, 0)


def test_what_is_there_is_overwritten_only_when_that_is_said(stage: Stage) -> None:
    wanted = fill(stage)
    save(stage, "phase", "mine", "--backend", "sqlite")
    save(stage, "only there", 1, "--backend", "sqlite")
    refused = stage.run("state", "migrate", "--to", "sqlite")
    assert (refused.exit_code, "something else already" in refused.stderr) == (4, True)
    assert values(stage, "--backend", "sqlite") == {"only there": 1, "phase": "mine"}
    assert "--overwrite" in refused.stderr
    assert stage.run("state", "migrate", "--to", "sqlite", "--overwrite", "--yes").exit_code == 0
    assert values(stage, "--backend", "sqlite") == wanted


def test_overwriting_by_a_migration_is_shown_asked_kept_and_undone(stage: Stage, backend: list[str]) -> None:
    """Whoever moves a namespace onto another one loses nothing of that by a slip."""
    there = [*backend[:2], "--namespace", "taken"]
    wanted = fill(stage)
    mine = {"only there": 1, "phase": "mine"}
    for key, value in mine.items():
        save(stage, key, value, *there)
    stage.run("state", "checkpoint", "second", "--note", "my own", *there)
    move = ["state", "migrate", "--to", backend[1], "--to-namespace", "taken", "--overwrite"]
    planned = stage.json(*move, "--dry-run")
    assert (planned["keys_new"], planned["keys_replaced"], planned["keys_deleted"]) == (
        [HOSTILE],
        ["phase"],
        ["only there"],
    )
    assert (planned["checkpoints_new"], planned["checkpoints_replaced"]) == (["first"], ["second"])
    refused = stage.run(*move)
    assert (refused.exit_code, "nobody to ask" in refused.stderr, refused.stdout) == (2, True, "")
    shown = on_a_terminal(stage, *move, typed="n\r", code=4)
    assert "Nothing was changed" in shown
    assert values(stage, *there) == mine
    moved = stage.json(*move, "--yes", "--why", "the right one")
    assert (moved["keys_written"], moved["keys_deleted"], moved["checkpoints_written"]) == (2, 1, 2)
    assert values(stage, *there) == wanted
    notes = {row["name"]: row["note"] for row in stage.json("state", "checkpoints", *there)}
    assert notes.pop(moved["checkpoint"]).startswith("before the migration from")
    assert notes == {"first": "all green", "second": "", "second-replaced": "my own"}
    assert moved["renamed"] == {"second": "second-replaced"}
    record = next(each for each in audit.records() if each.id == moved["id"])
    assert (record.action, record.why, record.via, record.outcome) == ("migrate", "the right one", "cli", "done")
    assert stage.run("undo", moved["id"], "--yes").exit_code == 0
    assert values(stage, *there) == mine


def test_a_migration_to_an_empty_place_is_not_asked_about_and_can_be_undone(stage: Stage) -> None:
    fill(stage)
    moved = stage.run("state", "migrate", "--to", "sqlite")
    assert "Written now: 2 keys, 2 checkpoints" in moved.stderr
    (record,) = [each for each in audit.records() if each.action == "migrate"]
    assert (record.copy, record.outcome) == ("", "done")
    assert stage.run("undo", record.id, "--yes").exit_code == 0
    assert values(stage, "--backend", "sqlite") == {}


def test_on_a_terminal_moving_shows_how_far_it_is(stage: Stage) -> None:
    fill(stage)
    shown = on_a_terminal(stage, "state", "migrate", "--to", "sqlite")
    assert re.search(r"keys +\[#+\]  2/2", shown)
    assert re.search(r"checkpoints +\[#+\]  2/2", shown)


def test_a_checkpoint_of_another_tool_at_the_target_is_never_overwritten(stage: Stage, redis_url: str) -> None:
    fill(stage)
    there = with_namespace(redis_url, "wf-1")
    with redis.Redis.from_url(redis_url, decode_responses=True) as client:
        client.set("checkpoint:wf-1:second", '{"theirs": true}')
        for options in ([], ["--overwrite"]):
            refused = stage.run("state", "migrate", "--to", there, "--to-namespace", "wf-1", *options)
            assert (refused.exit_code, refused.stdout) == (4, "")
            assert "'second'" in refused.stderr
            assert "another tool" in refused.stderr
            assert client.keys("*") == ["checkpoint:wf-1:second"]  # nothing else was moved either
        place = stage.project / ".claude" / "state"
        renamed = stage.run("checkpoint", "rename", f"json:{place}?namespace=default", "second", "mine")
        assert renamed.exit_code == 0, renamed.stderr
        for written in (2, 0):  # and done again it finds all there
            moved = stage.json("state", "migrate", "--to", there, "--to-namespace", "wf-1")
            assert (moved["checkpoints"], moved["checkpoints_written"]) == (2, written)
        assert client.get("checkpoint:wf-1:second") == '{"theirs": true}'
    assert values(stage, "--address", there) == values(stage)


def test_moving_goes_on_where_it_was_interrupted(stage: Stage) -> None:
    """Ctrl+C between two transactions: what has arrived stays there and is not sent again."""
    document = {f"key {number:06}": number for number in range(30_000)}
    write_json(stage.project / "many.json", document)
    command = stage.command("state", "migrate", "--address", "many.json", "--to", "sqlite")
    store = open_store(f"sqlite:{stage.project}/.claude/state?namespace=default")
    with subprocess.Popen(command, env=stage.environment(), cwd=stage.project, stderr=subprocess.PIPE) as process:
        assert process.stderr is not None
        until(lambda: bool(store.keys()), "the first keys to arrive")
        process.send_signal(signal.SIGINT)
        said = process.stderr.read().decode()
    if process.returncode == 0:
        pytest.skip("it was done before it could be interrupted")
    assert process.returncode == 130
    assert "goes on from here" in said
    arrived = len(store.keys())
    store.close()
    assert 0 < arrived < len(document)
    again = stage.json("state", "migrate", "--address", "many.json", "--to", "sqlite")
    assert again["keys_written"] == len(document) - arrived
    assert open_store(f"sqlite:{stage.project}/.claude/state?namespace=default").snapshot().document == document


# --- damage


def damaged(stage: Stage, data: bytes = b'{"phase": {"val') -> Path:
    fill(stage)
    path = stage.project / ".claude" / "state" / "default" / "state.json"
    path.write_bytes(data)
    return path


def test_nothing_to_recover(stage: Stage) -> None:
    assert stage.run("state", "recover").exit_code == 0
    fill(stage)
    for arguments in ([], ["first"]):
        result = stage.run("state", "recover", *arguments)
        assert (result.exit_code, result.stdout) == (0, "")
        assert "nothing to recover" in result.stderr
    assert stage.json("state", "recover")["damage"] is None


def test_what_is_damaged_is_never_replaced_by_itself(stage: Stage) -> None:
    path = damaged(stage)
    result = stage.run("state", "recover")
    assert result.exit_code == 1
    assert "line 1 column 12" in result.stderr
    assert "state recover --address" in result.stderr
    found = stage.json("state", "recover", code=1)
    assert [row["name"] for row in found["candidates"] if row["what"] == "checkpoint"] == ["second", "first"]
    times = [row["at"] for row in found["candidates"]]
    assert times == sorted(times, reverse=True)
    assert {row["what"] for row in found["candidates"]} == {"checkpoint", "safety copy"}
    assert path.read_bytes() == b'{"phase": {"val'


def test_recovering_keeps_the_damaged_bytes(stage: Stage) -> None:
    path = damaged(stage)
    assert stage.run("state", "recover", "nothing", "--yes").exit_code == 1
    assert stage.run("state", "recover", "first").exit_code == 2
    assert path.read_bytes() == b'{"phase": {"val'
    planned = stage.run("state", "recover", "first", "--dry-run")
    assert (planned.exit_code, planned.stdout) == (0, "")
    assert "would write an object of 1 in place of what cannot be read" in planned.stderr
    result = stage.json("state", "recover", "first", "--yes")
    assert Path(result["copy"]).read_bytes() == b'{"phase": {"val'
    assert values(stage) == {"phase": "planning"}
    refused = stage.run("undo", "--yes")
    assert refused.exit_code == 4
    assert result["copy"] in refused.stderr
    assert values(stage) == {"phase": "planning"}


def test_a_safety_copy_is_as_good_as_a_checkpoint(stage: Stage) -> None:
    write_json(stage.project / "x.json", {"a": 1})
    save(stage, "a", 2, "--address", "x.json")
    (stage.project / "x.json").write_text("")
    (row,) = stage.json("state", "recover", "--address", "x.json", code=1)["candidates"]
    assert stage.run("state", "recover", row["name"], "--address", "x.json", "--yes").exit_code == 0
    assert values(stage, "--address", "x.json") == {"a": 1}


def test_a_deleted_file_is_brought_back_from_what_is_kept_of_it(stage: Stage) -> None:
    path = write_json(stage.project / "x.json", {"a": 1})
    stage.run("checkpoint", "create", "x.json", "one")
    save(stage, "a", 2, "--address", "x.json")
    path.unlink()
    listed = stage.run("state", "recover", "--address", "x.json")
    assert (listed.exit_code, listed.stderr.count("x.json: it is gone")) == (1, 1)
    assert "1 key" in listed.stdout
    found = stage.json("state", "recover", "--address", "x.json", code=1)
    assert [row["what"] for row in found["candidates"]] == ["safety copy", "checkpoint"]
    assert stage.run("state", "recover", "one", "--address", "x.json", "--yes").exit_code == 0
    assert json.loads(path.read_bytes()) == {"a": 1}
    lost = stage.run("state", "recover", "--address", "y.json")
    assert (lost.exit_code, lost.stderr.count("y.json"), "no such file" in lost.stderr) == (3, 1, True)


def test_a_deleted_namespace_is_brought_back_too(stage: Stage) -> None:
    fill(stage)
    path = stage.project / ".claude" / "state" / "default" / "state.json"
    path.unlink()
    assert stage.run("state", "recover").exit_code == 1
    assert stage.run("state", "recover", "first", "--yes").exit_code == 0
    assert values(stage) == {"phase": "planning"}


def test_what_holds_nothing_is_never_the_first_to_recover_with(stage: Stage) -> None:
    path = write_json(stage.project / "x.json", {"a": 1, "b": 2})
    stage.run("checkpoint", "create", "x.json", "full")
    path.write_text("{}")
    stage.run("checkpoint", "create", "x.json", "empty")
    path.write_text('{"a"')
    result = stage.run("state", "recover", "--address", "x.json")
    assert re.findall(r"(full|empty) .*(\d keys)", result.stdout) == [("full", "2 keys"), ("empty", "0 keys")]
    assert result.stderr.count("-- full") == 1


def test_without_any_good_version_it_says_so(stage: Stage) -> None:
    (stage.project / "x.json").write_text("{")
    result = stage.run("state", "recover", "--address", "x.json")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "no good version" in result.stderr
    assert (stage.project / "x.json").read_text() == "{"


def test_a_database_server_of_many_machines(stage: Stage, redis_url: str) -> None:
    """What one program saves, another loads by the address that the first was told."""
    address = stage.run("state", "init", "--address", with_namespace(redis_url, "wf-1")).stdout.strip()
    done = stage.spawn("state", "save", "k", "1", "--address", address)
    assert done.returncode == 0, done.stderr
    assert stage.spawn("state", "load", "k", "--address", address).stdout == b"1\n"
    assert stage.spawn("state", "keys", REDIS_URL=redis_url).stdout == b""


@pytest.mark.parametrize("address", ["sqlite:///nope/typo.db", "sqlite:typo?namespace=a", "json:typo?namespace=a"])
def test_a_slip_in_an_address_is_told_and_makes_nothing(stage: Stage, address: str) -> None:
    for words in (
        ["show", address],
        ["state", "keys", "--address", address],
        ["state", "load", "phase", "--address", address],
        ["state", "checkpoints", "--address", address],
        ["state", "recover", "--address", address],
        ["checkpoint", "list", address],
    ):
        result = stage.run(*words)
        assert (result.exit_code, result.stdout) == (3, ""), words
        assert "there is no such file" in result.stderr
    assert stage.json("state", "load", "phase", "--address", address, "--default", "1") == 1
    assert sorted(file.name for file in stage.project.iterdir()) == [".git"]


def test_the_usual_place_may_be_empty_yet(stage: Stage) -> None:
    for backend in ("json", "sqlite"):
        assert stage.json("state", "keys", "--backend", backend) == []
        assert stage.run("state", "load", "phase", "--backend", backend).exit_code == 1


def test_a_damaged_database_is_set_aside_and_recovered(stage: Stage) -> None:
    sqlite = ("--backend", "sqlite")
    fill(stage, *sqlite)
    path = stage.project / ".claude" / "state" / "default" / "state.db"
    path.write_bytes(before := b"half of a dow")
    for write in (["save", "phase", "1"], ["delete", "phase", "--yes"], ["checkpoint", "now"]):
        refused = stage.run("state", *write, *sqlite)
        assert refused.exit_code == 3
        assert "state recover" in refused.stderr
    rows = stage.json("state", "recover", *sqlite, code=1)["candidates"]
    name = rows[0]["name"]
    assert stage.run("state", "recover", name, *sqlite).exit_code == 2
    assert path.read_bytes() == before
    done = stage.run("state", "recover", name, *sqlite, "--yes")
    assert done.exit_code == 0, done.stderr
    [aside] = path.parent.glob("state.db.damaged-*")
    assert aside.read_bytes() == before
    assert aside.name in done.stderr
    assert values(stage, *sqlite)["phase"] == "testing"
    refused = stage.run("undo", "--yes")
    assert (refused.exit_code, "is not put back" in refused.stderr) == (4, True)


def test_one_damaged_value_can_be_saved_over_and_deleted(stage: Stage) -> None:
    sqlite = ("--backend", "sqlite")
    fill(stage, *sqlite)
    path = stage.project / ".claude" / "state" / "default" / "state.db"
    for words in (["save", "phase", '"new"'], ["delete", "phase", "--yes"]):
        with contextlib.closing(sqlite3.connect(path)) as connection, connection:
            connection.execute("UPDATE state SET value = '{half' WHERE key = 'phase'")
        assert "phase" in stage.run("show", f"sqlite:{path}").stderr
        done = stage.json("state", *words, *sqlite)
        assert b"{half" in Path(done["copy"]).read_bytes()
        assert stage.run("show", f"sqlite:{path}").exit_code == 0
    assert stage.json("state", "keys", *sqlite) == [HOSTILE]


def test_the_commands_of_the_readme_work_as_they_are_written(stage: Stage) -> None:
    stage.write_batch()
    done = stage.follow_readme("state")
    assert done.returncode == 0, done.stderr
    assert values(stage) == {"phase": "planning"}


def test_what_a_script_saves_is_seen_by_who_watches(stage: Stage) -> None:
    stage.run("state", "save", "phase", '"planning"', "--settle", "0")
    (row,) = stage.json("status")["sources"]
    assert (row["label"], row["kind"]) == (".claude/state/default/state.json", "namespace")
    assert "1 key" in stage.run("status").stdout
