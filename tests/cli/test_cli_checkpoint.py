"""`checkpoint`: keeping revisions of any file or namespace, looking them up, and letting the old ones go."""

import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest

from statewatch.core.stores.urls import open_store
from tests.cli.conftest import Stage, write_json

ROW = "name created_at note by pinned foreign size digest source address"
DAY = 86_400
NASTY = "nl\nred\x1b[31m \x1b]0;title\x07 nul\0 \u202eback"


@pytest.fixture
def file(stage: Stage) -> Path:
    """Return a file of somebody else's."""
    return write_json(stage.project / "x.json", {"b": [1, 2], "a": {"c/d~": "é", "n": 1.0}})


def keep(stage: Stage, source: Path | str, *arguments: str) -> str:
    result = stage.run("checkpoint", "create", source, *arguments)
    assert result.exit_code == 0, result.output
    return result.stdout.strip()


def names(stage: Stage, source: Path | str) -> list[str]:
    return [row["name"] for row in stage.json("checkpoint", "list", source)]


def aged(path: Path, **ages: float) -> None:
    """Make checkpoints of a file as old as so many days, by the clock of whoever made them."""
    now = path.stat().st_mtime
    store = open_store(path)
    for name, days in ages.items():
        made = store.checkpoint(name)
        store.put_checkpoint(type(made)(name, now - days * DAY, made.note, made.by), store.snapshot().document)


def test_what_was_kept_is_listed_newest_first(stage: Stage, file: Path) -> None:
    before = file.read_bytes()
    made = stage.json("checkpoint", "create", file, "before deploy", "--note", "all green", "--pin")
    assert set(made) == set(ROW.split())
    assert (made["name"], made["note"], made["pinned"], made["foreign"]) == ("before deploy", "all green", True, False)
    assert (made["source"], made["size"]) == (str(file), len(before))
    later = keep(stage, file)
    assert re.fullmatch(r"auto_\d{8}_\d{6}", later)
    rows = stage.json("checkpoint", "list", file)
    assert rows[1] == made
    assert [row["name"] for row in rows] == [later, "before deploy"]
    assert stage.json("show", made["address"]) == json.loads(before)
    assert file.read_bytes() == before
    assert {path for path in stage.project.iterdir() if path.name[0] != "."} == {file}


def test_two_within_one_second_are_two(stage: Stage, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("statewatch.core.stores.base.time.time", lambda: 1_795_232_591.5)
    made = [keep(stage, file) for _ in range(3)]
    assert made == ["auto_20261121_034311", "auto_20261121_034311_2", "auto_20261121_034311_3"]
    assert names(stage, file) == made[::-1]


def test_how_to_come_back_is_said_as_a_shell_takes_it(stage: Stage) -> None:
    path = write_json(stage.project / "it's @ #1.json", {"a": 1})
    said = stage.run("checkpoint", "create", path, "a b").stderr
    command = re.search(r"statewatch restore (.*)\n", said)
    assert command is not None
    write_json(path, {"a": 2})
    (address,) = shlex.split(command[1])
    assert stage.run("restore", address, "--yes", "--settle", "0").exit_code == 0
    assert json.loads(path.read_text()) == {"a": 1}


def test_on_paper_it_is_a_table(stage: Stage, file: Path) -> None:
    keep(stage, file, "first", "--note", "x", "--pin")
    file.with_name("x.json.bak").write_text("{}")
    result = stage.run("checkpoint", "list", "x.json")
    title, *rows = result.stdout.splitlines()
    assert title.split() == ["name", "made", "size", "by", "mark", "note"]
    assert {row.split()[0] for row in rows} == {"first", "x.json.bak"}
    assert [word for row in rows for word in ("pinned", "backup") if word in row.split()] in (
        ["pinned", "backup"],
        ["backup", "pinned"],
    )
    assert "2 checkpoints of" in result.stderr


def test_a_file_without_checkpoints_and_a_file_that_is_not_there(stage: Stage, file: Path) -> None:
    result = stage.run("checkpoint", "list", file)
    assert (result.exit_code, result.stdout) == (0, "")
    assert "has no checkpoints" in result.stderr
    assert stage.json("checkpoint", "list", file) == []
    for verb in ("list", "create", "verify"):
        result = stage.run("checkpoint", verb, "y.json")
        assert (result.exit_code, result.stdout) == (3, "")
        assert "there is no such file" in result.stderr
    keep(stage, file, "kept")
    file.unlink()
    assert names(stage, file) == ["kept"]


def test_what_is_broken_is_not_kept(stage: Stage, file: Path) -> None:
    file.write_text('{"a":')
    result = stage.run("checkpoint", "create", file)
    assert (result.exit_code, "line 1 column 6" in result.stderr) == (3, True)
    assert names(stage, file) == []


@pytest.mark.parametrize(
    "name", ["", "..", "../x", "/x", "a\0", ".x", "a" * 300, "con", "FIRST", "fırst", "x\u200b", "-x"]
)
def test_names_that_would_be_trouble_are_refused(stage: Stage, file: Path, name: str) -> None:
    keep(stage, file, "first")
    for arguments in (["create", str(file)], ["rename", str(file), "first"]):
        if arguments[0] == "rename" and name in {"FIRST", "fırst"}:
            continue  # the other spelling of its own name is no other checkpoint's
        result = stage.run("checkpoint", arguments[0], "--", *arguments[1:], name)
        assert result.exit_code == 4, result.output
        assert "name" in result.stderr
    assert names(stage, file) == ["first"]


def test_hostile_notes_are_kept_and_shown_harmlessly(stage: Stage, file: Path) -> None:
    keep(stage, file, "first", "--note", NASTY)
    assert stage.json("checkpoint", "list", file)[0]["note"] == NASTY
    assert stage.run("checkpoint", "note", file, "first", NASTY + "!").exit_code == 0
    for arguments in (
        ["list", str(file)],
        ["prune", str(file), "--keep-last", "1"],
        ["note", str(file), "first", NASTY],
    ):
        shown = stage.run("checkpoint", *arguments).output
        assert "red" in shown
        assert not set(shown) & {"\x1b", "\0", "\x07", "\u202e"}
        assert "nl\n" not in shown


def test_a_name_is_taken_until_it_is_replaced(stage: Stage, file: Path) -> None:
    keep(stage, file, "first")
    write_json(file, {"a": 2})
    assert stage.run("checkpoint", "create", file, "first").exit_code == 4
    assert stage.json("checkpoint", "show", file, "first") != {"a": 2}
    keep(stage, file, "first", "--replace")
    assert stage.json("checkpoint", "show", file, "first") == {"a": 2}
    assert names(stage, file) == ["first"]


def test_what_a_checkpoint_holds_all_of_it_or_a_part(stage: Stage, file: Path) -> None:
    keep(stage, file, "first")
    assert stage.json("checkpoint", "show", file, "first") == json.loads(file.read_text())
    shown = stage.run("checkpoint", "show", file, "first", "--only", "/a/c~1d~0", "--only", "#/b", "--json")
    assert shown.stdout == '"\\u00e9"\n[1, 2]\n'
    for only, code in (("/x", 1), ("x", 2)):
        assert stage.run("checkpoint", "show", file, "first", "--only", only).exit_code == code
    missing = stage.run("checkpoint", "show", file, "frist")
    assert (missing.exit_code, "Did you mean 'first'?" in missing.stderr) == (1, True)


def test_what_has_changed_since_and_between(stage: Stage, file: Path) -> None:
    keep(stage, file, "first")
    assert stage.run("checkpoint", "diff", file, "first").exit_code == 0
    write_json(file, {"b": [1, 2], "a": {"c/d~": "e\x1b[31m", "n": 1.0}, "new": None})
    result = stage.run("checkpoint", "diff", file, "first")
    assert result.exit_code == 1
    assert result.stdout.splitlines() == ['~ /a/c~1d~0: "é" → "e\\u001b[31m"', "+ /new: null"]
    keep(stage, file, "second")
    assert stage.json("checkpoint", "diff", file, "second", "first", code=1) == [
        {"op": "replace", "path": "/a/c~1d~0", "before": "e\x1b[31m", "after": "é"},
        {"op": "remove", "path": "/new", "before": None, "after": None},
    ]
    assert stage.json("checkpoint", "diff", file, "second", "second") == []


def test_renaming_noting_and_pinning(stage: Stage, file: Path) -> None:
    keep(stage, file, "first")
    keep(stage, file, "other")
    assert stage.json("checkpoint", "rename", file, "first", "good")["name"] == "good"
    assert stage.json("checkpoint", "note", file, "good", "it works")["note"] == "it works"
    assert stage.run("checkpoint", "pin", file, "good", "other").stdout == "good: pinned\nother: pinned\n"
    assert stage.run("checkpoint", "pin", file, "good", "god").exit_code == 1
    assert stage.run("checkpoint", "rename", file, "good", "other").exit_code == 4
    for row in stage.json("checkpoint", "list", file):
        assert row["pinned"] is True
    assert stage.run("checkpoint", "delete", file, "good", "--yes").exit_code == 4
    stage.run("checkpoint", "unpin", file, "good")
    assert stage.run("checkpoint", "delete", file, "good", "--yes").stdout == "good: deleted\n"
    assert names(stage, file) == ["other"]


def test_deleting_asks_and_a_slip_deletes_nothing(stage: Stage, file: Path) -> None:
    keep(stage, file, "first")
    keep(stage, file, "second", "--pin")
    assert stage.run("checkpoint", "delete", file, "first").exit_code == 2
    assert stage.run("checkpoint", "delete", file, "first", "secnd", "--yes").exit_code == 1
    assert stage.run("checkpoint", "delete", file, "first", "second", "--yes").exit_code == 4
    assert stage.run("checkpoint", "delete", file, "first", "--dry-run").stdout == "first: would be deleted\n"
    assert names(stage, file) == ["second", "first"]


@pytest.mark.parametrize(("typed", "left"), [("n\n", ["b", "a"]), ("y\n", ["b"])])
def test_what_goes_is_named_before_the_question(
    stage: Stage, file: Path, monkeypatch: pytest.MonkeyPatch, typed: str, left: list[str]
) -> None:
    monkeypatch.setattr("statewatch.cli.pruning.can_ask", lambda: True)
    keep(stage, file, "a", "--note", "the first")
    keep(stage, file, "b")
    for arguments in (["delete", str(file), "a"], ["prune", str(file), "--keep-last", "1"]):
        result = stage.run("checkpoint", *arguments, typed=typed)
        assert names(stage, file) == left
        if len(left) == 1:
            return
        assert "cannot be undone:\n  a, 0s ago: the first\n" in result.stderr
        assert result.exit_code == 4


def test_all_that_is_done_to_checkpoints_is_in_the_audit_log(stage: Stage, file: Path) -> None:
    before = json.loads(file.read_bytes())
    keep(stage, file, "a", "--why", "before the fix")
    write_json(file, {"b": 2})
    keep(stage, file, "a", "--replace")
    edits = (("rename", file, "a", "b"), ("note", file, "b", "good"), ("pin", file, "b"), ("unpin", file, "b"))
    for words in edits:
        assert stage.run("checkpoint", *words, "--why", "tidying up").exit_code == 0
    assert stage.run("checkpoint", "note", file, "b", "good").exit_code == 0  # as it is already: nothing is done
    assert stage.run("checkpoint", "delete", file, "b", "--yes").exit_code == 0
    rows = stage.json("audit")[::-1]
    done = ["create", "replace", "rename", "annotate", "pin", "unpin", "delete"]
    assert [row["action"] for row in rows] == [f"{each} checkpoint" for each in done]
    assert {(row["via"], row["outcome"], row["source"]) for row in rows} == {("cli", "done", str(file))}
    assert [row["why"] for row in rows] == ["before the fix", "", *["tidying up"] * 4, ""]
    assert rows[2]["targets"] == ["a", "b"]
    assert (rows[0]["before"], rows[1]["before"]) == ("", rows[0]["after"])
    assert rows[6]["before"] == rows[1]["after"] != rows[0]["after"]
    assert json.loads(Path(rows[1]["copy"]).read_bytes()) == before
    assert json.loads(Path(rows[6]["copy"]).read_bytes()) == {"b": 2}
    assert [row["what"] for row in stage.json("state", "recover", "--address", file)["candidates"]] == []


def test_undo_passes_over_what_was_done_to_checkpoints(stage: Stage, file: Path) -> None:
    assert stage.run("state", "save", "b", "1", "--address", file).exit_code == 0
    keep(stage, file, "a")
    stage.run("checkpoint", "delete", file, "a", "--yes")
    (deleted, *_) = stage.json("audit")
    refused = stage.run("undo", deleted["id"], "--yes")
    assert (refused.exit_code, deleted["copy"] in refused.stderr) == (4, True)
    assert stage.run("undo", file, "--yes").exit_code == 0
    assert json.loads(file.read_bytes())["b"] == [1, 2]
    assert stage.run("redo", file, "--yes").exit_code == 0


def test_a_checkpoint_that_leaves_no_trace_is_not_made(stage: Stage, file: Path) -> None:
    (stage.state / "audit.jsonl").mkdir(parents=True)
    result = stage.run("checkpoint", "create", file, "a")
    assert (result.exit_code, "audit log" in result.stderr) == (4, True)
    assert names(stage, file) == []


# --- other tools' backups


def with_backups(stage: Stage) -> tuple[Path, list[str]]:
    path = write_json(stage.project / ".claude" / "state.json", {"a": 3})
    write_json(path.with_name("state_20261115_120000.json"), {"a": 1})
    path.with_name("state.json.bak").write_text('{"a":2}')
    write_json(stage.project / ".claude.backup.20261101" / "state.json", {"a": 0})
    return path, ["state_20261115_120000", "state.json.bak", "claude.backup.20261101"]


def test_backups_of_others_are_checkpoints_that_only_they_may_change(stage: Stage) -> None:
    path, left = with_backups(stage)
    rows = stage.json("checkpoint", "list", path)
    assert {row["name"] for row in rows} == set(left)
    assert all(row["foreign"] for row in rows)
    for name, value in zip(left, (1, 2, 0), strict=True):
        assert stage.json("checkpoint", "show", path, name) == {"a": value}
        for verb in (["delete", "--yes"], ["pin"], ["unpin"]):
            refused = stage.run("checkpoint", verb[0], path, name, *verb[1:])
            assert (refused.exit_code, "another tool" in refused.stderr) == (4, True)
        assert stage.run("checkpoint", "rename", path, name, "mine").exit_code == 4
        assert stage.run("checkpoint", "note", path, name, "mine").exit_code == 4
        assert stage.run("checkpoint", "create", path, name, "--replace").exit_code == 4
        assert stage.run("restore", f"{path}@{name}", "--yes", "--settle", "0").exit_code == 0
        assert json.loads(path.read_text()) == {"a": value}
    pruned = stage.json("checkpoint", "prune", path, "--keep-last", "1", "--yes")
    assert {row["name"] for row in pruned if row["kept_by"] == ["foreign"]} == set(left)
    assert set(left) < set(names(stage, path))


# --- verify


def test_verify_finds_a_flipped_byte(stage: Stage, file: Path) -> None:
    keep(stage, file, "good")
    keep(stage, file, "bad")
    keep(stage, file, "torn")
    file.with_name("x.json.bak").write_text("{}")
    assert stage.json("checkpoint", "verify", file)[0]["result"] in {"good", "readable"}
    (kept,) = (stage.state / "checkpoints").rglob("bad.json")
    kept.write_bytes(kept.read_bytes().replace(b"1.0", b"2.0"))
    torn = kept.with_name("torn.json")
    torn.write_bytes(torn.read_bytes()[:-1])
    rows = {row["name"]: row for row in stage.json("checkpoint", "verify", file, code=1)}
    results = {name: row["result"] for name, row in rows.items()}
    assert results == {"good": "good", "bad": "damaged", "torn": "damaged", "x.json.bak": "readable"}
    assert "what it held when it was made" in rows["bad"]["problem"]
    assert "ends too early" in rows["torn"]["problem"]
    said = stage.run("checkpoint", "verify", file)
    assert (said.exit_code, "2 damaged" in said.stderr) == (1, True)
    assert stage.run("checkpoint", "verify", file, "good").exit_code == 0
    assert stage.run("checkpoint", "verify", file, "good", "bad").exit_code == 1
    assert stage.run("checkpoint", "verify", file, "godo").exit_code == 1


# --- prune


def test_a_dry_run_of_prune_says_what_the_real_run_does(stage: Stage, file: Path) -> None:
    aged(file, a=40, b=9, c=3.2, d=3.1, e=1, f=-9)
    stage.run("checkpoint", "pin", file, "a")
    file.with_name("x.json.bak").write_text("{}")
    rules = ["--keep-last", "1", "--keep-daily", "2", "--keep-age", "3d 4h"]
    planned = stage.json("checkpoint", "prune", file, *rules, "--dry-run")
    table = stage.run("checkpoint", "prune", file, *rules, "--dry-run")
    assert {row["name"] for row in planned} == {"a", "b", "c", "d", "e", "f", "x.json.bak"}
    done = stage.json("checkpoint", "prune", file, *rules, "--yes")
    going = {row["name"] for row in done if row["deleted"]}
    assert [{**row, "deleted": False} for row in done] == planned
    assert going == {row["name"] for row in planned if row["verdict"] == "delete"} == {"b", "c"}
    assert set(names(stage, file)) == {row["name"] for row in planned} - going
    told = {row.split()[1]: row for row in table.stdout.splitlines()[1:]}
    assert {name for name, row in told.items() if row.startswith("delete")} == going
    for name, why in {
        "a": "pinned",
        "e": "--keep-last",
        "f": "in the future",
        "b": "no rule",
        "x.json.bak": "tool's",
    }.items():
        assert why in told[name]
    assert "2 of 7 checkpoints would be deleted" in table.stderr


def test_prune_needs_a_rule_and_an_answer(stage: Stage, file: Path) -> None:
    aged(file, a=40, b=9)
    for arguments in ([], ["--keep-last", "0"], ["--keep-age", "30"], ["--keep-age", "0s"]):
        result = stage.run("checkpoint", "prune", file, *arguments, "--yes")
        assert (result.exit_code, "keep" in result.stderr) == (2, True)
    assert stage.run("checkpoint", "prune", file, "--keep-last", "1").exit_code == 2
    assert names(stage, file) == ["b", "a"]
    nothing = stage.run("checkpoint", "prune", file, "--keep-last", "2")
    assert (nothing.exit_code, "0 of 2" in nothing.stderr) == (0, True)


def test_what_was_pinned_while_the_question_stood_stays(
    stage: Stage, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    aged(file, a=40, b=9, c=1)

    def somebody_else() -> bool:
        open_store(file).edit_checkpoint("a", pinned=True)
        return True

    monkeypatch.setattr("statewatch.cli.pruning.can_ask", lambda: True)
    monkeypatch.setattr("statewatch.cli.ask.agreed", somebody_else)
    result = stage.run("checkpoint", "prune", file, "--keep-last", "1")
    assert "a stays" in result.stderr
    assert names(stage, file) == ["c", "a"]


def test_a_namespace_has_them_too(stage: Stage) -> None:
    url = "sqlite:state.db?namespace=wf-1"
    open_store(f"sqlite:{stage.project}/state.db?namespace=wf-1").save("a", 1)
    assert keep(stage, url, "first") == "first"
    open_store(f"sqlite:{stage.project}/state.db?namespace=wf-1").save("a", 2)
    assert stage.json("checkpoint", "diff", url, "first", code=1)[0]["after"] == 2
    assert stage.json("checkpoint", "verify", url)[0]["result"] == "good"
    assert stage.json("show", f"{url}@first#/a") == 1
    assert stage.run("checkpoint", "delete", url, "first", "--yes").exit_code == 0
    assert names(stage, url) == []


def test_a_source_is_meant_and_no_place_in_it(stage: Stage, file: Path) -> None:
    for source in ("x.json@first", "x.json#/a", "sqlite:state.db?namespace=a@b"):
        result = stage.run("checkpoint", "list", source)
        assert (result.exit_code, "a whole source" in result.stderr) == (2, True)


def test_what_others_keep_in_our_directory_is_opened_with_care(stage: Stage) -> None:
    """A directory of checkpoints that another tool shares may hold names that none would be made with."""
    path = write_json(stage.project / "ns" / "state.json", {"a": {"value": 1, "timestamp": "2026-11-21T00:00:00"}})
    shelf = path.parent / "checkpoints"
    entry: dict[str, Any] = {"a": {"value": 0, "timestamp": "2026-11-20T00:00:00"}}
    for name in ("x@y", "nl\nred\x1b[31m", "a#b", "..x"):
        write_json(shelf / f"{name}.json", entry)
    (shelf / "link.json").symlink_to("/etc/passwd")
    url = f"json:{stage.project}?namespace=ns"
    rows = stage.json("checkpoint", "list", url)
    assert {"x@y", "nl\nred\x1b[31m", "a#b"} <= {row["name"] for row in rows}
    assert "\x1b" not in stage.run("checkpoint", "list", url).output
    for row in rows:
        assert stage.json("show", row["address"]) == {"a": 0}
    assert stage.run("checkpoint", "show", url, "link").exit_code in {1, 3}
