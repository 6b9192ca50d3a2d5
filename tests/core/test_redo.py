"""Undo of a chosen action, redo, requests on several files, and actions whose process was killed in between."""

import json
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Literal

import pytest

from statewatch.core import audit
from statewatch.core.actions import Action, Outcome, perform
from statewatch.core.audit import Record
from statewatch.core.circuits import Verb, circuit_action
from statewatch.core.errors import NotFoundError, RefusedError
from statewatch.core.reading import read
from statewatch.core.undo import (
    find_action,
    last_action,
    last_undo,
    redo_action,
    redo_actions,
    to_redo,
    to_undo,
    undo_action,
    undo_actions,
)
from statewatch.documents.values import JSON
from statewatch.kinds.base import Change
from tests import support
from tests.core.files import ROOT, command, document, hook, load, write
from tests.core.logs import record


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return write(tmp_path / "hook_state.json", document())


@pytest.fixture
def other(tmp_path: Path) -> Path:
    return write(tmp_path / "other" / "hook_state.json", document())


def do(path: Path, verb: Verb, name: str, group: str | None = None) -> str:
    outcome = perform(replace(circuit_action(verb, path, [name]), group=group), settle_for=0)
    assert outcome.id is not None
    return outcome.id


def undo(*chosen: Record) -> list[Outcome]:
    return [perform(action, settle_for=0) for action in undo_actions(chosen)]


def redo(*chosen: Record) -> list[Outcome]:
    return [perform(action, settle_for=0) for action in redo_actions(chosen)]


def test_undo_and_redo_walk_back_and_forth_to_the_byte(path: Path) -> None:
    versions = [path.read_bytes()]
    steps: tuple[tuple[Verb, str], ...] = (("reset", "h0"), ("disable", "h0"), ("half-open", "h1"))
    for verb, name in steps:
        do(path, verb, name)
        versions.append(path.read_bytes())
    at = len(versions) - 1
    for step in (-1, -1, 1, -1, -1, 1, 1, 1, -1, 1):
        if step < 0:
            undo(last_action([path]))
        else:
            redo(last_undo([path]))
        at += step
        assert path.read_bytes() == versions[at]
    assert at == len(versions) - 1
    with pytest.raises(NotFoundError, match="nothing to redo"):
        last_undo([path])
    assert len(list(audit.records())) == 13


def test_undo_and_redo_are_named_after_the_action(path: Path) -> None:
    do(path, "reset", "h0")
    undo(last_action())
    redo(last_undo())
    undo(last_action())
    assert [each.action for each in audit.records()] == ["undo reset", "redo reset", "undo reset", "reset"]
    newest, again, back, first = audit.records()
    assert (newest.undoes, again.undoes, back.undoes) == (again.id, back.id, first.id)


def test_what_was_done_since_an_undo_is_not_redone_over(path: Path) -> None:
    first = do(path, "reset", "h0")
    undo(last_action())
    do(path, "half-open", "h1")
    with pytest.raises(NotFoundError, match="nothing to redo"):
        to_redo()
    assert [each.undoes for each in to_redo(first[:6])] == [first], "but it can be chosen"
    redo(*to_redo(first))
    assert hook(path, "h0")["state"] == "closed"
    undo(last_action())
    assert hook(path, "h0")["state"] == "open", "what was done last is taken back first"


def test_a_redo_that_no_longer_applies_names_the_places(path: Path) -> None:
    do(path, "reset", "h0")
    undo(last_action())
    value = load(path)
    value["hooks"]["h0"]["failure_count"] = 7
    write(path, value)
    with pytest.raises(RefusedError, match="moved on: /hooks/h0/failure_count"):
        redo(last_undo())


def test_a_chosen_action_is_undone_and_redone_whatever_was_done_to_other_hooks(path: Path) -> None:
    first, second = do(path, "reset", "h0"), do(path, "reset", "h1")
    undo(*to_undo(first))
    assert (hook(path, "h0")["state"], hook(path, "h1")["state"]) == ("open", "closed")
    assert last_action().id == second
    with pytest.raises(RefusedError, match="was taken back already, at 20"):
        to_undo(first)
    with pytest.raises(RefusedError, match=f"{second} .reset. is in force, so there is nothing to redo"):
        to_redo(second)
    redo(*to_redo(first))
    assert hook(path, "h0")["state"] == "closed"
    undo(*to_undo(first))
    assert hook(path, "h0")["state"] == "open", "its id stands for the redo as well"
    back = next(audit.records())
    with pytest.raises(RefusedError, match=r"is itself an undo .*statewatch redo"):
        to_undo(back.id)
    assert to_redo(back.id) == to_redo(first) == [back]


@pytest.mark.parametrize("identity", ["", "nothing", "ab"])
def test_an_id_that_is_not_one_names_those_that_are(identity: str) -> None:
    audit.ready()
    for each in ("abc1", "abd2", "f00d"):
        audit.append(record(each))
    with pytest.raises(NotFoundError) as caught:
        find_action(identity)
    assert "abc1 (reset a b, c/d)" in str(caught.value)
    assert ("give more of the id" in str(caught.value)) == (identity == "ab")
    assert find_action("f").id == find_action("f00d").id == "f00d"


def test_an_action_is_found_among_those_of_some_sources() -> None:
    audit.ready()
    audit.append(record("abc1", "/a"))
    audit.append(record("abd2", "sqlite:/x?namespace=y"))
    assert find_action("ab", [Path("/a")]).id == "abc1"
    assert find_action("ab", ["sqlite:/x?namespace=y"]).id == "abd2"
    assert last_action(["sqlite:/x?namespace=y"]).id == "abd2"


def test_what_one_request_did_to_several_files_is_undone_and_redone_as_one(path: Path, other: Path) -> None:
    before = [path.read_bytes(), other.read_bytes()]
    do(path, "half-open", "h2")
    after_the_first = path.read_bytes()
    ids = [do(path, "reset", "h0", group="g"), do(other, "reset", "h1", group="g")]
    after = [path.read_bytes(), other.read_bytes()]
    assert [each.id for each in to_undo()] == ids[::-1], "the newest first"
    undo(*to_undo())
    assert [path.read_bytes(), other.read_bytes()] == [after_the_first, before[1]]
    assert len(to_redo()) == 2
    redo(*to_redo())
    assert [path.read_bytes(), other.read_bytes()] == after
    undo(*to_undo())
    undo(*to_undo())
    assert [path.read_bytes(), other.read_bytes()] == before


def test_of_a_request_on_several_files_one_may_be_undone_alone(path: Path, other: Path) -> None:
    first, second = do(path, "reset", "h0", group="g"), do(other, "reset", "h0", group="g")
    assert [each.id for each in to_undo(None, [path])] == [first]
    assert [each.id for each in to_undo(second)] == [second]
    undo(*to_undo(None, [path]))
    assert [each.id for each in to_undo()] == [second], "the other one is taken back already"
    undo(*to_undo())
    assert [each.source for each in to_redo()] == [str(other)], "they were two requests"


def put_back_after(monkeypatch: pytest.MonkeyPatch, act: Callable[[], object], path: Path) -> None:
    """Do something that another program overwrites with what it had read before."""
    before = path.read_bytes()
    genuine = audit.finish

    def and_put_back(identity: str, outcome: Literal["done", "void"]) -> None:
        genuine(identity, outcome)
        support.replace(path, before)

    with monkeypatch.context() as patch:
        patch.setattr(audit, "finish", and_put_back)
        act()


def test_what_was_overwritten_is_neither_undone_nor_redone(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = do(path, "reset", "h0")
    put_back_after(monkeypatch, lambda: do(path, "reset", "h1"), path)
    note, lost, _ = audit.records()
    for identity, why in ((lost.id, "was overwritten by another program"), (note.id, "only tells what became of")):
        with pytest.raises(RefusedError, match=why):
            to_undo(identity)
        with pytest.raises(RefusedError, match=why):
            to_redo(identity)
    with pytest.raises(NotFoundError):
        last_undo()
    assert last_action().id == first
    undo(last_action())
    put_back_after(monkeypatch, lambda: redo(last_undo()), path)
    assert [each.undoes for each in to_redo()] == [first], "the redo did not hold, so it is to be redone still"
    redo(*to_redo())
    assert hook(path, "h0")["state"] == "closed"


def kill(path: Path, when: str) -> None:
    assert subprocess.run(command("die", path, "h1", when), cwd=ROOT, check=False).returncode == -9


def test_an_action_that_was_killed_after_it_was_done_can_be_undone(path: Path) -> None:
    before = path.read_bytes()
    kill(path, "after")
    assert hook(path, "h1")["state"] == "closed"
    killed = last_action()
    assert killed.outcome == "interrupted"
    undo(killed)
    assert path.read_bytes() == before
    with pytest.raises(NotFoundError):
        last_action()
    redo(last_undo())
    assert hook(path, "h1")["state"] == "closed"


def test_an_action_that_was_killed_before_it_was_done_is_not_offered(path: Path) -> None:
    first = do(path, "reset", "h0")
    kill(path, "before")
    assert hook(path, "h1")["state"] == "open"
    assert [each.outcome for each in audit.records()] == ["interrupted", "done"]
    assert last_action().id == first
    with pytest.raises(RefusedError, match="was broken off before anything was written"):
        to_undo(next(audit.records()).id)


@pytest.mark.parametrize(("when", "offered"), [("before", False), ("after", True)])
def test_others_may_have_gone_on_writing_after_an_action_was_killed(path: Path, when: str, *, offered: bool) -> None:
    kill(path, when)
    value = load(path)
    value["hooks"]["h0"]["failure_count"] = 7
    write(path, value)
    if not offered:
        with pytest.raises(NotFoundError):
            last_action()
        return
    undo(last_action())
    assert (hook(path, "h1")["state"], hook(path, "h0")["failure_count"]) == ("open", 7)


def test_a_killed_action_in_a_file_that_cannot_be_read_is_not_passed_over(path: Path) -> None:
    do(path, "reset", "h0")
    kill(path, "after")
    path.write_text("{")
    assert last_action().outcome == "interrupted"


def test_a_record_whose_changes_are_damaged_is_refused(path: Path) -> None:
    do(path, "reset", "h0")
    found = replace(last_action(), inverse=[{"op": "destroy", "path": []}])
    for action in (undo_action(found), redo_action(found)):
        with pytest.raises(RefusedError, match="cannot be taken back: a change in the audit log is damaged"):
            perform(action, settle_for=0)


def test_what_changed_no_value_but_the_layout_is_undone_and_redone_too(path: Path) -> None:
    before = path.read_bytes()
    compact = path.with_name("compact.json")
    compact.write_text(json.dumps(document()))

    def keep(value: JSON, now: float) -> Change:
        return Change("restore", (), value, ())

    perform(Action(path, keep, "restore", exact=True, like=read(compact)), settle_for=0)
    assert path.read_bytes() == compact.read_bytes()
    undo(last_action())
    assert path.read_bytes() == before
    redo(last_undo())
    assert path.read_bytes() == compact.read_bytes()
