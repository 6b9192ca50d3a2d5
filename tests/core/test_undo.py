"""Undo: exact where nothing moved, careful where something did, once and only once."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import pytest

from statewatch.core import audit
from statewatch.core.actions import perform
from statewatch.core.audit import Record
from statewatch.core.circuits import circuit_action, reset_all_action
from statewatch.core.errors import NotFoundError, RefusedError
from statewatch.core.keys import save_action
from statewatch.core.stores.urls import open_store
from statewatch.core.undo import last_action, redo_action, undo_action
from statewatch.documents.values import JSON
from tests.core.files import document, hook, line, load, process, tell, write
from tests.support import SAMPLE, replace


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return write(tmp_path / "hook_state.json", document())


def undo(record: Record) -> None:
    assert perform(undo_action(record), settle_for=0).changed


@pytest.mark.parametrize("home", ["home", "home_old", "home_rust"])
def test_where_nothing_moved_every_byte_is_back(tmp_path: Path, home: str) -> None:
    path = tmp_path / "hook_state.json"
    before = (SAMPLE / home / ".claude/hook_state.json").read_bytes()
    path.write_bytes(before)
    name = list(load(path)["hooks"])[3]
    for action in (
        circuit_action("disable", path, [name]),
        circuit_action("reset", path, [name]),
        reset_all_action(path),
    ):
        if perform(action, settle_for=0).changed:
            undo(last_action())
            assert path.read_bytes() == before


def test_undoing_step_by_step_goes_all_the_way_back(path: Path) -> None:
    versions = [path.read_bytes()]
    for verb, name in (("reset", "h0"), ("disable", "h0"), ("half-open", "h1")):
        perform(circuit_action(verb, path, [name]), settle_for=0)  # type: ignore[arg-type]
        versions.append(path.read_bytes())
    for expected in reversed(versions[:-1]):
        undo(last_action([path]))
        assert path.read_bytes() == expected
    with pytest.raises(NotFoundError, match="nothing to undo"):
        last_action([path])


def test_what_others_did_to_other_hooks_since_stays(path: Path) -> None:
    perform(circuit_action("reset", path, ["h1"]), settle_for=0)
    value = load(path)
    value["hooks"]["h0"]["failure_count"] = 99
    value["hooks"]["new"] = {"state": "open"}
    value["hooks"]["h1"]["last_success"] = "2026-11-16T12:00:01Z"
    value["global_stats"]["total_executions"] += 1
    value["global_stats"]["last_updated"] = "2026-11-16T12:00:01.000000+00:00"
    write(path, value)
    undo(last_action())
    after = load(path)
    assert after["hooks"]["h1"]["state"] == "open"
    assert after["hooks"]["h1"]["last_success"] == "2026-11-16T12:00:01Z"
    assert after["hooks"]["h0"]["failure_count"] == 99
    assert after["hooks"]["new"] == {"state": "open"}
    assert after["global_stats"]["total_executions"] == 10
    assert after["global_stats"]["hooks_disabled"] == 4, "counted anew"
    assert after["global_stats"]["last_updated"] > "2026-11-16T12:00:01", "the statistics moved, so they follow anew"


def test_what_moved_on_is_named_and_nothing_is_written(path: Path) -> None:
    outcome = perform(circuit_action("reset", path, ["h0", "h1"]), settle_for=0)
    value = load(path)
    value["hooks"]["h1"]["failure_count"] = 1
    write(path, value)
    before = path.read_bytes()
    with pytest.raises(RefusedError) as caught:
        perform(undo_action(last_action()), settle_for=0)
    message = str(caught.value)
    assert "reset of 20" in message
    assert "these places have moved on: /hooks/h1/failure_count." in message
    assert str(outcome.copy) in message
    assert path.read_bytes() == before


def test_a_hook_that_is_gone_is_a_conflict(path: Path) -> None:
    perform(circuit_action("reset", path, ["h1"]), settle_for=0)
    value = load(path)
    del value["hooks"]["h1"]
    write(path, value)
    with pytest.raises(RefusedError, match="moved on: /hooks/h1/"):
        perform(undo_action(last_action()), settle_for=0)


def test_an_action_is_undone_only_once(path: Path) -> None:
    perform(circuit_action("reset", path, ["h1"]), settle_for=0)
    record = last_action()
    undo(record)
    with pytest.raises(NotFoundError):
        last_action()
    with pytest.raises(RefusedError, match="can no longer be undone"):
        perform(undo_action(record), settle_for=0)


def test_of_many_processes_that_undo_the_same_action_one_does(path: Path) -> None:
    before = path.read_bytes()
    perform(circuit_action("reset", path, ["h1"]), settle_for=0)
    with process("undo", path) as one, process("undo", path) as two, process("undo", path) as three:
        workers = (one, two, three)
        assert [line(worker) for worker in workers] == ["ready"] * 3
        for worker in workers:
            tell(worker)
        said = sorted(line(worker) for worker in workers)
    assert said.count("undone") == 1
    assert all("can no longer be undone" in each or "nothing to undo" in each for each in said if each != "undone")
    assert path.read_bytes() == before


def test_the_record_of_an_undo_says_what_it_undid(path: Path) -> None:
    outcome = perform(circuit_action("reset", path, ["h1"], via="cli"), settle_for=0)
    perform(undo_action(last_action(), why="wrong hook", via="dashboard"), settle_for=0)
    undone, done = audit.records()
    assert (undone.action, undone.undoes, undone.why, undone.via) == (
        "undo reset",
        outcome.id,
        "wrong hook",
        "dashboard",
    )
    assert (done.id, done.undoes) == (outcome.id, None)
    assert (undone.before, undone.after) == (done.after, done.before)


def test_each_file_has_its_own_last_action_and_a_link_means_its_file(path: Path, tmp_path: Path) -> None:
    other = write(tmp_path / "other" / "hook_state.json", document())
    link = tmp_path / "link.json"
    link.symlink_to(path)
    first = perform(circuit_action("reset", link, ["h0"]), settle_for=0)
    second = perform(circuit_action("reset", other, ["h0"]), settle_for=0)
    assert last_action().id == second.id
    assert last_action([path]).id == last_action([link]).id == first.id
    assert last_action([path, other]).id == second.id
    undo(last_action([link]))
    assert hook(path, "h0")["state"] == "open"
    assert last_action().id == second.id


def test_an_action_that_was_overwritten_is_not_offered_for_undo(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = perform(circuit_action("reset", path, ["h0"]), settle_for=0)
    before = path.read_bytes()
    genuine = audit.finish

    def and_put_back(identity: str, outcome: Literal["done", "void"]) -> None:
        genuine(identity, outcome)
        replace(path, before)

    monkeypatch.setattr(audit, "finish", and_put_back)
    outcome = perform(circuit_action("reset", path, ["h1"]), settle_for=0)
    assert outcome.overwritten
    note, record, _ = audit.records()
    assert (record.id, note.undoes) == (outcome.id, outcome.id)
    assert note.action == "reset was overwritten by another program"
    assert last_action().id == first.id


def test_an_undo_that_was_overwritten_can_be_done_again(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    perform(circuit_action("reset", path, ["h1"]), settle_for=0)
    after = path.read_bytes()
    record = last_action()
    genuine = audit.finish

    def and_put_back(identity: str, outcome: Literal["done", "void"]) -> None:
        genuine(identity, outcome)
        replace(path, after)

    with monkeypatch.context() as patch:
        patch.setattr(audit, "finish", and_put_back)
        assert perform(undo_action(record), settle_for=0).overwritten
    assert last_action().id == record.id
    undo(last_action())
    assert hook(path, "h1")["state"] == "open"


@pytest.fixture
def large(tmp_path: Path) -> Path:
    return write(tmp_path / "report.json", {"a": "x" * 100_000, "b": 1, "list": [1, 2]})


def saving(path: Path, key: str, value: JSON) -> str:
    identity = perform(save_action(open_store(path), key, value), settle_for=0).id
    assert identity is not None
    return identity


def test_a_large_value_costs_the_log_little_and_is_undone_to_the_byte(large: Path) -> None:
    before = large.read_bytes()
    saving(large, "a", "y" * 3_000_000)
    assert audit.log_file().stat().st_size < 4_000
    assert [change.pointer for change in audit.inverse_of(last_action())] == ["/a"]
    undo(last_action())
    assert large.read_bytes() == before
    perform(redo_action(next(audit.records())), settle_for=0)
    assert load(large)["a"] == "y" * 3_000_000


def test_what_others_did_beside_a_large_change_stays_and_what_they_did_to_it_is_a_conflict(large: Path) -> None:
    saving(large, "a", "y" * 100_000)
    value = load(large)
    replace(large, json.dumps({**value, "b": 2, "list": [0, 1, 2]}).encode())
    undo(last_action())
    assert load(large) == {"a": "x" * 100_000, "b": 2, "list": [0, 1, 2]}
    saving(large, "a", "z" * 100_000)
    replace(large, json.dumps({**value, "a": "mine"}).encode())
    with pytest.raises(RefusedError, match=r"/a\. What was there before it is in"):
        undo(last_action())


def test_forty_large_saves_push_nobody_out_of_the_log(large: Path, path: Path) -> None:
    perform(circuit_action("reset", path, ["h1"]), settle_for=0)
    for number in range(40):
        saving(large, "a", f"{number}" * 1_000_000)
    assert [record.action for record in audit.records()].count("reset") == 1
    assert not audit.log_file().with_name("audit.1.jsonl").exists()


@pytest.mark.parametrize("damage", [lambda file: file.unlink(), lambda file: file.write_text("[1]")])
def test_without_what_takes_it_back_an_undo_is_refused_and_says_so(large: Path, damage: Callable[[Path], None]) -> None:
    saving(large, "a", "y" * 100_000)
    damage(Path(last_action().inverse_in))
    before = large.read_bytes()
    with pytest.raises(RefusedError, match="what takes it back is"):
        undo(last_action())
    assert large.read_bytes() == before


def test_the_first_save_has_nothing_to_keep_and_can_be_undone(tmp_path: Path) -> None:
    store = open_store(f"sqlite:{tmp_path}?namespace=new")
    outcome = perform(save_action(store, "a", 1), settle_for=0)
    assert (outcome.copy, last_action().copy) == (None, "")
    undo(last_action())
    assert store.snapshot().document == {}


def test_an_action_on_very_many_hooks_costs_the_log_little_and_is_undone(tmp_path: Path) -> None:
    path = write(tmp_path / "hook_state.json", document(5_000))
    before = path.read_bytes()
    perform(circuit_action("reset", path, list(load(path)["hooks"])), settle_for=0)
    assert audit.log_file().stat().st_size < 2 * audit.INLINE
    undo(last_action())
    assert path.read_bytes() == before
