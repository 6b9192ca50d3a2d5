"""`audit`, and `undo` and `redo` of what it lists."""

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pexpect
import pytest

from statewatch.core import actions, audit
from statewatch.core.actions import Action, Outcome, perform
from statewatch.core.circuits import Verb, circuit_action
from statewatch.core.errors import LockedError
from statewatch.core.lock import user
from statewatch.core.stores.urls import open_store
from statewatch.documents.values import JSON
from statewatch.kinds.base import Change
from tests.cli.conftest import Stage, hook, states
from tests.core.logs import record

SHAPE = (
    "id at user host pid via action targets why source before after copy undoes group outcome in_force overwritten "
    "taken_back_by checkpoint"
)
TITLES = ["when", "id", "who", "via", "action", "targets", "source", "outcome"]


def act(path: Path, name: str = "a", verb: Verb = "reset", group: str | None = None) -> str:
    outcome = perform(replace(circuit_action(verb, path, [name], via="cli"), group=group), settle_for=0)
    assert outcome.id is not None
    return outcome.id


@pytest.fixture
def both(stage: Stage) -> tuple[Path, Path]:
    """Return two hook states, in each of which one request has reset the hook `a`."""
    paths = (
        stage.write_hooks(a=hook("open"), b=hook("open")),
        stage.write_hooks(stage.project / "x.json", a=hook("open")),
    )
    for path in paths:
        act(path, group="g")
    return paths


def write_records(*records: audit.Record) -> None:
    audit.ready()
    for each in records:
        audit.append(each)


def test_an_empty_log_says_so(stage: Stage) -> None:
    result = stage.run("audit")
    assert (result.exit_code, result.stdout) == (0, "")
    assert "holds nothing." in result.stderr
    assert stage.json("audit") == []


def test_everything_that_was_done_newest_first_and_what_became_of_it(stage: Stage) -> None:
    path = stage.write_hooks(a=hook("open"))
    first = act(path)
    assert stage.run("undo", "--yes", "--settle", "0").exit_code == 0
    write_records(record("lost", str(path), action="reset"))
    write_records(
        record("note", str(path), action="reset was overwritten by another program", inverse=[], undoes="lost")
    )
    audit.begin(record("killed", str(path), pid=0, after="?"))
    audit.begin(record("begun", "/elsewhere"))
    audit.begin(record("nothing", str(path)))
    audit.finish("nothing", "void")
    lines = stage.run("audit").stdout.splitlines()
    assert lines[0].split() == TITLES
    assert [line.split()[-1] for line in lines[1:]] == [
        "void",
        "progress",
        "interrupted",
        "done",
        "overwritten",
        "done",
        "undone",
    ]
    where = "~/.claude/hook_state.json"
    assert lines[-1].split()[1:] == ["ago", first, user(), "cli", "reset", "a", where, "undone"]
    rows = {row["id"]: row for row in stage.json("audit")}
    assert all(set(row) == set(SHAPE.split()) for row in rows.values())
    assert (rows[first]["in_force"], rows[first]["taken_back_by"]) == (False, list(rows)[-2])
    assert (rows["lost"]["overwritten"], rows["lost"]["in_force"]) == (True, False)
    assert {rows[each]["outcome"] for each in ("killed", "begun", "nothing")} == {"interrupted", "in progress", "void"}


def test_what_is_asked_for(stage: Stage) -> None:
    write_records(
        record("1", "/src/a.json", at="2026-11-01T00:00:00+00:00", via="library"),
        record("2", "/src/b.json", user="ada", host="engine", via="dashboard"),
        record("3", "/srcs/a.json", action="restore nightly"),
        record("4", "sqlite:/x.db?namespace=wf", user="ada"),
    )

    def ids(*options: str) -> str:
        return "".join(row["id"] for row in stage.json("audit", *options))

    assert ids() == "4321"
    assert ids("-n", "2") == "43"
    assert ids("--source", "/src") == "21"
    assert ids("--source", "/src/a.json") == "1"
    assert ids("--action", "NIGHT") == "3"
    assert ids("--who", "ada") == "42"
    assert ids("--who", "ada@engine") == "2"
    assert ids("--via", "library") == "1"
    assert ids("--since", "2h") == "432"
    assert ids("--since", "2026-10-31") == "4321"
    assert ids("--since", "2026-11-01T00:00:01Z") == "432"
    assert ids("--since", "2026-10-31 23:59:59+00:00", "--via", "library") == "1"
    result = stage.run("audit", "--who", "nobody")
    assert (result.exit_code, result.stdout) == (0, "")
    assert "holds nothing like that." in result.stderr
    for wrong in ("yesterday", "2h ago", "2026-13-01", ""):
        assert stage.run("audit", "--since", wrong).exit_code == 2


def test_a_long_log_shows_its_end_and_says_that_there_is_more(stage: Stage) -> None:
    write_records(*(record(f"id{number:02d}") for number in range(25)))
    result = stage.run("audit")
    assert len(result.stdout.splitlines()) == 21
    assert "id24" in result.stdout
    assert "There is more" in result.stderr
    assert len(stage.json("audit")) == 25
    result = stage.run("audit", "-n", "25")
    assert len(result.stdout.splitlines()) == 26
    assert result.stderr == ""


def test_all_about_one_record(stage: Stage) -> None:
    path = stage.write_hooks(a=hook("open"))
    identity = act(path)
    result = stage.run("undo", "--yes", "--settle", "0", "--why", "wrong hook")
    back = next(audit.records())
    shown = stage.run("audit", identity[:5]).stdout
    done = list(audit.records())[-1]
    for text in (
        "reset a\n",
        identity,
        done.at,
        done.before,
        done.after,
        done.copy,
        f"undone, at {back.at}: {back.id} (undo reset)",
        '~ /hooks/a/state: "closed" → "open"',
    ):
        assert text in shown, result.stderr
    assert "wrong hook" in stage.run("audit", back.id).stdout
    detail = stage.json("audit", identity)
    assert set(detail) == {*SHAPE.split(), "inverse"}
    assert {"op": "replace", "path": ["hooks", "a", "state"], "before": "closed", "after": "open"} in detail["inverse"]


def test_a_record_that_is_not_there(stage: Stage) -> None:
    write_records(record("abc1"), record("abd2"))
    for identity, says in (("ffff", "there is no action 'ffff'"), ("ab", "2 records"), ("", "there is no action")):
        result = stage.run("audit", identity)
        assert (result.exit_code, result.stdout) == (1, "")
        assert says in result.stderr
        assert "abc1 (reset a b, c/d)" in result.stderr


def test_nothing_in_a_record_acts_on_the_terminal(stage: Stage) -> None:
    evil = "\x1b]52;c;aGk=\x07\u202e\r"
    change: dict[str, Any] = {"op": "add", "path": [evil], "before": None, "after": evil}
    fields = dict.fromkeys(("user", "host", "via", "action", "why", "at", "before", "copy"), evil)
    write_records(record(evil, evil, **fields, targets=[evil], inverse=[change], group=evil))
    write_records(record("damaged", inverse=[{"op": evil}]))
    for arguments in ((), (evil,), ("damaged",), ("x" + evil,)):
        result = stage.run("audit", *arguments)
        assert result.exit_code == (1 if arguments == ("x" + evil,) else 0)
        assert not set("\x1b\x07\u202e\r") & set(result.output)


def test_a_log_that_cannot_be_read(stage: Stage) -> None:
    write_records(record("a"))
    audit.log_file().rename(stage.state / "moved")
    audit.log_file().symlink_to(stage.state / "moved")
    for command in ("audit", "undo", "redo"):
        result = stage.run(command)
        assert (result.exit_code, result.stdout) == (3, "")
        assert "audit.jsonl: this log cannot be read" in result.stderr


def test_undo_and_redo_of_what_was_done_last(stage: Stage) -> None:
    path = stage.write_hooks(a=hook("open"), b=hook("open"))
    versions = [path.read_bytes()]
    for name in ("a", "b"):
        act(path, name)
        versions.append(path.read_bytes())
    for command, expected in (("undo", 1), ("undo", 0), ("redo", 1), ("redo", 2), ("undo", 1)):
        result = stage.json(command, "--yes", "--settle", "0")
        assert result["action"] == f"{command} reset"
        assert path.read_bytes() == versions[expected]
    stage.run("redo", path, "--yes", "--settle", "0")
    result = stage.run("redo", path, "--yes")
    assert result.exit_code == 1
    assert "nothing to redo" in result.stderr


def test_a_report_says_how_to_take_that_back(stage: Stage) -> None:
    path = stage.write_hooks(a=hook("open"))
    act(path)
    back = stage.run("undo", "--yes", "--settle", "0")
    undone = next(audit.records()).id
    assert f"do it again with: statewatch redo --id {undone}" in back.stderr
    again = stage.run("redo", "--id", undone, "--yes", "--settle", "0")
    assert again.stdout.startswith("redo reset a in ~/.claude/hook_state.json: ")
    assert f"take it back with: statewatch undo --id {next(audit.records()).id}" in again.stderr
    assert '"closed" → "open"' in stage.run("undo", "--dry-run").stdout


def test_a_chosen_action_by_its_id(stage: Stage) -> None:
    path = stage.write_hooks(a=hook("open"), b=hook("open"))
    first = act(path, "a")
    act(path, "b")
    assert stage.run("undo", first[:8], "--yes", "--settle", "0").exit_code == 0
    assert states(path) == {"a": "open", "b": "closed"}
    assert stage.run("undo", first, "--yes").exit_code == 4
    assert stage.run("redo", first, path, "--yes", "--settle", "0").exit_code == 0
    assert states(path) == {"a": "closed", "b": "closed"}
    assert stage.run("redo", first, "--yes").exit_code == 4


def test_what_the_words_of_undo_mean(stage: Stage) -> None:
    path = stage.write_hooks(stage.project / "state", a=hook("open"))
    identity = act(path)
    for words in (path.name, f"{path}", f"{identity} {path.name}", identity):
        assert stage.run("undo", *words.split(), "--dry-run").exit_code == 0
    other = stage.write_hooks(a=hook("open"))
    for words, code in ((f"{other}", 1), (f"{identity} {other}", 1), ("./gone", 1), ("gone", 1), ("one two", 2)):
        result = stage.run("undo", *words.split(), "--yes")
        assert (result.exit_code, result.stdout) == (code, "")
    stage.write_hooks(stage.project / identity, a=hook("open"))
    assert stage.run("undo", identity, "--dry-run").exit_code == 1, "a file of that name is meant"
    assert stage.run("undo", "--id", identity, "--dry-run").exit_code == 0


def test_what_was_done_to_a_store_is_asked_for_by_its_url(stage: Stage) -> None:
    url = "json:.claude/state?namespace=wf"
    store = open_store(url)
    store.save("phase", "build")

    def advance(document: JSON, now: float) -> Change:
        assert isinstance(document, dict)
        return Change("advance", ("phase",), {**document, "phase": "test"}, ((("phase",),),))

    perform(Action(store, advance, "advance"), settle_for=0)
    act(stage.write_hooks(a=hook("open")))
    assert [row["action"] for row in stage.json("audit", "--source", url)] == ["advance"]
    assert stage.run("undo", url, "--yes", "--settle", "0").exit_code == 0
    assert store.load("phase") == "build"
    assert stage.run("redo", url, "--yes", "--settle", "0").exit_code == 0
    assert store.load("phase") == "test"


def test_what_one_request_did_to_several_files_is_one_undo(stage: Stage, both: tuple[Path, Path]) -> None:
    shown = stage.run("undo", "--dry-run")
    assert shown.stdout.count('~ /hooks/a/state: "closed" → "open"') == 2
    for place in ("~/.claude/hook_state.json", "/project/x.json"):
        assert f"{place} would write:" in shown.stderr
    result = stage.run("undo", "--yes", "--settle", "0", "--json")
    done = [json.loads(line) for line in result.stdout.splitlines()]
    assert [each["source"] for each in done] == [str(path) for path in reversed(both)]
    assert all(each["changed"] for each in done)
    assert stage.run("redo", both[1], "--yes", "--settle", "0").exit_code == 0
    assert [states(path)["a"] for path in both] == ["open", "closed"]


def test_several_files_are_shown_before_one_question(stage: Stage, both: tuple[Path, Path]) -> None:
    command, *arguments = stage.command("undo", "--settle", "0")
    child = pexpect.spawn(
        str(command), [str(each) for each in arguments], env=stage.environment(), encoding="utf-8", timeout=20
    )
    child.expect(r"x.json would write:.*hook_state.json would write:.*Do this\? \[y/N\] ")
    child.send("y\r")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0
    assert [states(path)["a"] for path in both] == ["open", "open"]
    result = stage.run("redo")
    assert result.exit_code == 2
    assert "hook_state.json; redo reset a in" in result.stderr
    assert "x.json: there is nobody to ask" in result.stderr


def test_where_one_of_several_files_moved_on_nothing_is_done(stage: Stage, both: tuple[Path, Path]) -> None:
    stage.write_hooks(both[1], a=hook("open", last_error="new trouble"))
    result = stage.run("undo", "--yes")
    assert result.exit_code == 4
    assert "x.json: reset of 20" in result.stderr
    assert states(both[0])["a"] == "closed"
    assert stage.run("undo", both[0], "--yes", "--settle", "0").exit_code == 0
    assert states(both[0])["a"] == "open"


def test_where_one_of_several_fails_the_others_are_done_and_it_is_said(
    stage: Stage, both: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    genuine = actions.perform

    def held_up(action: Action, **options: Any) -> Outcome:
        if action.store.source == str(both[1]):
            raise LockedError(f"{both[1]}: locked by somebody")
        return genuine(action, **options)

    monkeypatch.setattr(actions, "perform", held_up)
    result = stage.run("undo", "--yes", "--settle", "0")
    assert result.exit_code == 6
    assert "x.json: locked by somebody" in result.stderr
    assert [states(path)["a"] for path in both] == ["open", "closed"]


@pytest.fixture
def elsewhere(stage: Stage) -> tuple[Path, str]:
    """Return a file of another project, and the id of the action on it that was the last of all."""
    stage.write_hooks(a=hook("open"))
    act(stage.hook_state)
    (stage.project.parent / "other" / ".git").mkdir(parents=True)
    path = stage.write_hooks(stage.project.parent / "other" / "hook_state.json", a=hook("open"))
    return path, act(path)


def test_undo_alone_leaves_other_projects_alone_and_says_what_it_left(
    stage: Stage, elsewhere: tuple[Path, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path, identity = elsewhere
    result = stage.run("undo", "--yes", "--settle", "0")
    assert result.exit_code == 1
    assert f"on {path}" in result.stderr
    assert f"statewatch undo --id {identity}" in result.stderr
    assert states(path) == states(stage.hook_state) == {"a": "closed"}
    local = stage.json("audit", "--here")[0]["id"]
    assert f"The last one here is {local}" in result.stderr
    monkeypatch.chdir(path.parent)
    assert stage.run("undo", "--yes", "--settle", "0").exit_code == 0
    assert states(path) == {"a": "open"}
    monkeypatch.chdir(stage.project)
    assert stage.run("redo", "--yes", "--settle", "0").exit_code == 1, "what was undone there is not redone here"
    assert states(path) == {"a": "open"}
    assert stage.run("undo", "--yes", "--settle", "0").exit_code == 0, "the last action in force is the one here"
    assert states(stage.hook_state) == {"a": "open"}


def test_in_the_home_a_project_below_it_is_another_project(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    (stage.home / "work" / ".git").mkdir(parents=True)
    path = stage.write_hooks(stage.home / "work" / ".claude" / "hook_state.json", a=hook("open"))
    act(path)
    monkeypatch.chdir(stage.home)
    assert stage.run("undo", "--yes", "--settle", "0").exit_code == 1
    own = stage.write_hooks(stage.home / "notes" / "hook_state.json", a=hook("open"))
    act(own)
    assert stage.run("undo", "--yes", "--settle", "0").exit_code == 0
    assert (states(path), states(own)) == ({"a": "closed"}, {"a": "open"})


def test_undo_alone_takes_back_a_save_in_a_namespace_of_the_project(stage: Stage) -> None:
    for backend in ("json", "sqlite"):
        stage.run("state", "save", "--backend", backend, "phase", "1", "--settle", "0")
        assert stage.run("undo", "--yes", "--settle", "0").exit_code == 0
        assert stage.run("state", "load", "--backend", backend, "phase").exit_code == 1


def test_what_other_people_did_elsewhere_is_passed_over(stage: Stage, elsewhere: tuple[Path, str]) -> None:
    path, _ = elsewhere
    stage.run("undo", path, "--yes", "--settle", "0")
    write_records(record("theirs", str(path), user="ann"))
    assert stage.run("undo", "--yes", "--settle", "0").exit_code == 0
    assert states(stage.hook_state) == {"a": "open"}


def test_audit_shows_everything_or_what_was_done_here(stage: Stage, elsewhere: tuple[Path, str]) -> None:
    path, _ = elsewhere
    assert [row["source"] for row in stage.json("audit")] == [str(path), str(stage.hook_state)]
    assert [row["source"] for row in stage.json("audit", "--here")] == [str(stage.hook_state)]


def test_a_log_that_is_no_file_is_told(stage: Stage) -> None:
    stage.state.mkdir(exist_ok=True)
    os.mkfifo(stage.state / "audit.jsonl")
    result = stage.run("audit")
    assert (result.exit_code, "not a regular file" in result.stderr) == (3, True)
