"""`restore`: something went wrong, and a file or a namespace comes back as it was, or a part of it."""

import json
import re
from pathlib import Path
from typing import Any

import pexpect
import pytest

from statewatch.core import audit
from statewatch.core.stores.urls import open_store
from tests.cli.conftest import Stage, write_json
from tests.core.files import date_back
from tests.support import replace, until

GOOD = b'{\r\n\t"z": [1, 2.50, "\xc3\xa9"],\r\n\t"a": {"b": 1, "c": {"d~/e": true}},\r\n\t"gone": null\r\n}\r\n'
BAD = b'{"a": {"b": 2, "c": {"d~/e": true}, "more": []}, "z": [1], "new": 1}'


@pytest.fixture
def file(stage: Stage) -> Path:
    """Return a file that had a checkpoint made, and that another program has spoilt since."""
    path = stage.project / "x.json"
    path.write_bytes(GOOD)
    assert stage.run("checkpoint", "create", path, "good").exit_code == 0
    replace(path, BAD)
    date_back(path)
    return path


def checkpoints(stage: Stage, path: Path) -> list[str]:
    return [row["name"] for row in stage.json("checkpoint", "list", path)]


def asked(stage: Stage, *arguments: str | Path) -> "pexpect.spawn[str]":
    """Run the program on a terminal up to its question."""
    command, *rest = (str(each) for each in stage.command(*arguments))
    child = pexpect.spawn(command, rest, env=stage.environment(), encoding="utf-8", timeout=20, cwd=str(stage.project))
    child.expect(r"Do this\? \[y/N\] ")
    return child


def answered(child: "pexpect.spawn[str]", text: str) -> tuple[int, str]:
    """Answer the question, and return the exit code and what is said then."""
    child.send(text)
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus is not None
    return child.exitstatus, child.before or ""


def test_all_of_it_comes_back_to_the_byte_and_so_do_undo_and_redo(stage: Stage, file: Path) -> None:
    result = stage.json("restore", f"{file}@good", "--yes", "--why", "wrong run", "--settle", "0")
    assert (result["action"], result["targets"], result["changed"]) == ("restore", ["good"], True)
    assert file.read_bytes() == GOOD
    assert Path(result["copy"]).read_bytes() == BAD
    assert stage.json("checkpoint", "show", file, result["checkpoint"]) == json.loads(BAD)
    assert stage.json("checkpoint", "list", file)[0]["note"] == "before the restore of good"
    for command, wanted in (("undo", BAD), ("redo", GOOD), ("undo", BAD)):
        assert stage.run(command, "--yes", "--settle", "0").exit_code == 0
        assert file.read_bytes() == wanted
    record = [record for record in audit.records() if record.action == "restore"]
    assert [(each.via, each.why, each.targets) for each in record] == [("cli", "wrong run", ["good"])]


def test_people_are_told_how_to_get_back(stage: Stage, file: Path) -> None:
    result = stage.run("restore", "x.json@good", "--yes", "--settle", "0")
    assert re.fullmatch(r"restore good in .*x\.json: \d places changed\.\n", result.stdout)
    (safety,) = [name for name in checkpoints(stage, file) if name != "good"]
    assert f"is the checkpoint '{safety}'" in result.stderr
    assert re.search(r"statewatch undo --id \w+\n", result.stderr)
    assert stage.run("restore", f"x.json@{safety}", "--yes", "--settle", "0").exit_code == 0
    assert file.read_bytes() == BAD


def test_a_dry_run_shows_exactly_what_is_written_then(stage: Stage, file: Path) -> None:
    for only in ([], ["--only", "/a/b"], ["--only", "/gone", "--only", "/new"]):
        planned = stage.json("restore", "x.json@good", *only, "--dry-run")
        lines = stage.run("restore", "x.json@good", *only, "--dry-run").stdout.splitlines()
        assert (planned["dry_run"], planned["changed"], planned["checkpoint"]) == (True, False, None)
        assert len(lines) == len(planned["changes"])
        assert file.read_bytes() == BAD
        assert checkpoints(stage, file) == ["good"]
        done = stage.json("restore", "x.json@good", *only, "--yes", "--settle", "0", "--expect", planned["base"])
        assert (done["changes"], done["base"]) == (planned["changes"], planned["base"])
        changed = apply(json.loads(BAD), planned["changes"])
        assert json.loads(file.read_bytes()) == changed
        stage.run("undo", "--yes", "--settle", "0")
        stage.run("checkpoint", "delete", file, done["checkpoint"], "--yes")


def apply(document: Any, changes: list[dict[str, Any]]) -> Any:
    """Apply changes as whoever reads the JSON output would."""
    for change in changes:
        *parents, last = [part.replace("~1", "/").replace("~0", "~") for part in change["path"].split("/")[1:]]
        here = document
        for part in parents:
            here = here[int(part) if isinstance(here, list) else part]
        place: Any = int(last) if isinstance(here, list) else last
        if change["op"] == "remove":
            del here[place]
        elif change["op"] == "add" and isinstance(here, list):
            here.insert(place, change["after"])
        else:
            here[place] = change["after"]
    return document


@pytest.mark.parametrize(
    ("address", "only", "wanted"),
    [
        ("x.json@good#/a/b", [], {"a": {"b": 1, "c": {"d~/e": True}, "more": []}, "z": [1], "new": 1}),
        ("x.json@good#/a", [], {"a": {"b": 1, "c": {"d~/e": True}}, "z": [1], "new": 1}),
        ("x.json@good", ["/new"], {"a": {"b": 2, "c": {"d~/e": True}, "more": []}, "z": [1]}),
        ("x.json@good", ["/gone", "#/a/more"], {"a": {"b": 2, "c": {"d~/e": True}}, "z": [1], "new": 1, "gone": None}),
        ("x.json@good#/z", ["/a/b"], {"a": {"b": 1, "c": {"d~/e": True}, "more": []}, "z": [1, 2.5, "é"], "new": 1}),
    ],
)
def test_a_part_comes_back_and_the_rest_stays(
    stage: Stage, file: Path, address: str, only: list[str], wanted: dict[str, Any]
) -> None:
    options = [word for pointer in only for word in ("--only", pointer)]
    assert stage.run("restore", address, *options, "--yes", "--settle", "0").exit_code == 0
    assert json.loads(file.read_bytes()) == wanted
    assert stage.run("undo", "--yes", "--settle", "0").exit_code == 0
    assert file.read_bytes() == BAD


def test_what_has_come_back_needs_no_restore(stage: Stage, file: Path) -> None:
    stage.run("restore", "x.json@good", "--yes", "--settle", "0")
    again = stage.run("restore", "x.json@good")
    assert (again.exit_code, again.stdout) == (0, "")
    assert "nothing to change" in again.stderr
    assert len(checkpoints(stage, file)) == 2


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        ("x.json", 2, "Name a checkpoint"),
        ("x.json#/a", 2, "Name a checkpoint"),
        ("x.json@god --yes", 1, "Did you mean 'good'?"),
        ("x.json@10m --yes", 1, "The one nearest to that time is 'good', "),
        ("x.json@2025-11-20T14:03 --yes", 1, "x.json@good"),
        ("x.json@2025-11-20 --yes", 1, "only checkpoints are kept"),
        ("x.json@-1 --yes", 1, "The newest one is 'good'"),
        ("y.json@good --yes", 1, "It has none at all"),
        ("y.json@10m --yes", 1, "and there is none"),
        ("x.json@good#/zz --yes", 4, "nothing at '/zz'"),
        ("x.json@good --only zz", 2, "starts with '/'"),
        ("x.json@good#zz", 1, "there is no checkpoint"),
        ("x.json@good", 2, "nobody to ask"),
        ("x.json@good --expect xyz", 2, "at least 8 digits"),
        ("x.json@good --expect 00000000 --yes", 4, "not at 00000000"),
        ("x.json@good --expect 00000000 --even-if-moved --yes", 2, "contradict"),
        ("redis://[x/0@good --yes", 4, "this is no URL"),
    ],
)
def test_what_cannot_be_done_changes_nothing(stage: Stage, file: Path, arguments: str, code: int, says: str) -> None:
    result = stage.run("restore", *arguments.split())
    assert (result.exit_code, result.stdout) == (code, ""), result.output
    assert says in result.stderr
    assert file.read_bytes() == BAD
    assert checkpoints(stage, file) == ["good"]


def test_the_nearest_checkpoint_by_time_is_named(stage: Stage, file: Path) -> None:
    store = open_store(file)
    made = store.find_checkpoint("good")
    for name, minutes in (("old", 90), ("older", 300)):
        store.put_checkpoint(type(made)(name, made.created_at - 60 * minutes), {"a": 1})
    for when, name in (("2h", "old"), ("1w", "older"), ("1m", "good")):
        assert f"is '{name}'" in stage.run("restore", f"x.json@{when}").stderr
    stage.run("checkpoint", "create", file, "10m")
    assert stage.run("show", "x.json@10m").exit_code == 0  # a name comes before a time


def test_it_is_refused_when_the_file_moved_between_preview_and_answer(stage: Stage, file: Path) -> None:
    child = asked(stage, "restore", "x.json@good", "--settle", "0")
    assert "~ /a/b: 2 → 1" in (child.before or "")
    replace(file, BAD.replace(b'"new": 1', b'"new": 2'))
    code, said = answered(child, "y\r")
    assert code == 4
    assert "has changed since you looked" in said
    assert "--even-if-moved" in said
    assert json.loads(file.read_bytes())["new"] == 2
    assert checkpoints(stage, file) == ["good"]
    assert [record.action for record in audit.records()] == ["create checkpoint"]


def test_even_if_moved_it_is_done_and_what_came_between_is_kept(stage: Stage, file: Path) -> None:
    child = asked(stage, "restore", "x.json@good", "--even-if-moved", "--settle", "0")
    between = BAD.replace(b'"new": 1', b'"new": 2')
    replace(file, between)
    code, said = answered(child, "y\r")
    assert code == 0, said
    assert file.read_bytes() == GOOD
    safety = checkpoints(stage, file)[0]
    assert stage.json("checkpoint", "show", file, safety) == json.loads(between)
    stage.run("undo", "--yes", "--settle", "0")
    assert file.read_bytes() == between


@pytest.mark.parametrize(("typed", "code", "after"), [("y\r", 0, GOOD), ("n\r", 4, BAD), ("\x03", 130, BAD)])
def test_it_asks_once(stage: Stage, file: Path, typed: str, code: int, after: bytes) -> None:
    assert answered(asked(stage, "restore", "x.json@good", "--settle", "0"), typed)[0] == code
    assert file.read_bytes() == after
    assert (len(checkpoints(stage, file)) == 2) == (code == 0)


def test_the_beginning_of_a_digest_is_enough(stage: Stage, file: Path) -> None:
    base = stage.json("restore", "x.json@good", "--dry-run")["base"]
    replace(file, BAD + b"\n")
    assert stage.run("restore", "x.json@good", "--expect", base[:12], "--yes").exit_code == 4
    assert stage.run("restore", "x.json@good", "--expect", base[:12], "--dry-run").exit_code == 4
    replace(file, BAD)
    assert stage.run("restore", "x.json@good", "--expect", base[:12], "--yes", "--settle", "0").exit_code == 0


def test_a_checkpoint_that_is_damaged_is_not_restored(stage: Stage, file: Path) -> None:
    (kept,) = (stage.state / "checkpoints").rglob("good.json")
    kept.write_bytes(GOOD[:-5])
    result = stage.run("restore", "x.json@good", "--yes")
    assert (result.exit_code, "ends too early" in result.stderr) == (3, True)
    assert file.read_bytes() == BAD


def test_a_file_that_is_gone_comes_back_as_a_new_one(stage: Stage, file: Path) -> None:
    file.unlink()
    planned = stage.run("restore", "x.json@good", "--dry-run")
    assert (planned.exit_code, file.exists()) == (0, False)
    assert "+ /new" in planned.stdout or "+ /a" in planned.stdout
    result = stage.run("restore", "x.json@good", "--yes", "--settle", "0")
    assert result.exit_code == 0, result.stderr
    assert file.read_bytes() == GOOD
    assert "Nothing was there before" in result.stderr
    assert checkpoints(stage, file) == ["good"]  # there was nothing to keep first


def test_a_file_that_came_back_meanwhile_is_kept_before_it_is_restored(stage: Stage, file: Path) -> None:
    file.unlink()
    child = asked(stage, "restore", "x.json@good", "--settle", "0")
    file.write_bytes(BAD)
    code, said = answered(child, "y\r")
    assert (code, "has changed since you looked" in said) == (4, True)
    assert file.read_bytes() == BAD


def test_a_restore_that_would_damage_a_run_is_refused(stage: Stage) -> None:
    stage.write_batch(stage.batch_state.with_name("batch_state.json.bak"), status="nonsense")
    path = stage.write_batch()
    before = path.read_bytes()
    result = stage.run("restore", f"{path}@batch_state.json.bak#/status", "--yes", "--settle", "0")
    assert (result.exit_code, "would not be valid" in result.stderr) == (4, True)
    assert path.read_bytes() == before
    assert checkpoints(stage, path) == ["batch_state.json.bak"]


def test_another_program_that_puts_the_old_content_back_is_told(stage: Stage, file: Path) -> None:
    child = asked(stage, "restore", "x.json@good", "--settle", "20")
    child.send("y\r")
    until(lambda: file.read_bytes() == GOOD, "the restore")
    replace(file, BAD)
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 5
    assert "statewatch restore" in re.sub(r"\s+", " ", child.before or "")
    assert file.read_bytes() == BAD


def test_a_link_stays_a_link(stage: Stage, file: Path) -> None:
    link = stage.project / "link.json"
    link.symlink_to(file)
    assert stage.run("restore", f"{link}@good", "--yes", "--settle", "0").exit_code == 0
    assert link.is_symlink()
    assert file.read_bytes() == GOOD


def test_names_that_hold_signs_of_the_syntax(stage: Stage) -> None:
    path = write_json(stage.project / "a@b#c.json", {"x": 1})
    stage.run("checkpoint", "create", path, "good")
    write_json(path, {"x": 2})
    for address in ("a@b#c.json@good#/x", "a%40b%23c.json@good"):
        assert stage.run("restore", address, "--yes", "--settle", "0").exit_code == 0
        assert json.loads(path.read_text()) == {"x": 1}
        write_json(path, {"x": 2})


def test_a_namespace_comes_back_by_its_address(stage: Stage) -> None:
    url = "json:.claude/state?namespace=wf-1"
    stage.run("state", "save", "a", "1", "--address", url)
    stage.run("state", "checkpoint", "good", "--address", url)
    stage.run("state", "save", "a", "2", "--address", url)
    stage.run("state", "save", "b", "2", "--address", url)
    assert stage.run("restore", f"{url}@good#/a", "--yes").exit_code == 0
    assert stage.json("show", url) == {"a": 1, "b": 2}
    assert stage.run("restore", f"{url}@good", "--yes").exit_code == 0
    assert stage.json("show", url) == {"a": 1}
