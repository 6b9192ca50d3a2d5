"""Actions on single keys: in a large namespace they read and keep these keys only; a small one is judged as a whole."""

import json
from pathlib import Path

import pytest

from statewatch.core.actions import perform, preview
from statewatch.core.audit import records
from statewatch.core.errors import RefusedError
from statewatch.core.keys import delete_action, save_action
from statewatch.core.restoring import candidates
from statewatch.core.stores.base import Store
from statewatch.core.stores.urls import open_store, with_namespace
from statewatch.core.undo import last_action, last_undo, redo_action, undo_action
from statewatch.documents.values import JSON

MANY: dict[str, JSON] = {f"k{number:03}": {"n": number} for number in range(100)}


@pytest.fixture(params=["sqlite", "redis", "postgres"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    """Return a namespace with many keys, in an engine that keeps each value by itself."""
    url = f"sqlite:{tmp_path}" if request.param == "sqlite" else request.getfixturevalue(f"{request.param}_url")
    made = open_store(with_namespace(url, "many"))
    made.transact(lambda transaction: transaction.save_all(MANY))
    return made


@pytest.fixture
def narrow(store: Store, monkeypatch: pytest.MonkeyPatch) -> Store:
    """Return that store, which fails whoever reads all of it."""

    def fail(self: Store) -> None:
        raise AssertionError("the whole namespace was read")

    for name in ("snapshot", "_held"):
        monkeypatch.setattr(type(store), name, fail)
    return store


def test_an_action_on_a_key_of_many_reads_and_keeps_only_that(narrow: Store) -> None:
    outcome = perform(save_action(narrow, "k042", "new"), settle_for=0.05)
    assert outcome.copy is not None
    assert json.loads(outcome.copy.read_bytes()) == {"k042": {"n": 42}}
    assert [change.pointer for change in outcome.plan.differences] == ["/k042"]
    assert (narrow.load("k042"), narrow.load("k043")) == ("new", {"n": 43})
    perform(delete_action(narrow, "k000"), settle_for=0)
    perform(save_action(narrow, "brand new", None), settle_for=0)
    assert sorted(narrow.keys()) == sorted({*MANY, "brand new"} - {"k000"})
    assert not preview(save_action(narrow, "k001", {"n": 1})).changed


def test_it_is_undone_and_redone_by_reading_only_that(narrow: Store) -> None:
    perform(save_action(narrow, "k042", "new"), settle_for=0)
    perform(delete_action(narrow, "k000"), settle_for=0)
    for _ in range(2):
        perform(undo_action(last_action()), settle_for=0)
    assert (narrow.load("k042"), narrow.load("k000")) == ({"n": 42}, {"n": 0})
    perform(redo_action(last_undo()), settle_for=0)
    assert narrow.load("k042") == "new"
    narrow.save("k042", "another's")
    with pytest.raises(RefusedError, match="/k042"):
        perform(undo_action(next(each for each in records() if each.action == "save")), settle_for=0)


def test_what_is_kept_of_some_keys_is_nothing_to_recover_the_namespace_with(store: Store) -> None:
    perform(save_action(store, "k042", "new"), settle_for=0)
    assert candidates(store) == []


def test_what_puts_the_old_value_back_is_noticed(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    action = save_action(store, "k042", "new")
    waited = []

    def put_back(version: object, timeout: float) -> None:
        waited.append(timeout)
        store.save("k042", {"n": 42})

    monkeypatch.setattr(action.store, "await_other", put_back)
    assert perform(action, settle_for=5).overwritten
    assert len(waited) == 1


def test_a_small_namespace_that_is_a_batch_is_judged_as_one(tmp_path: Path) -> None:
    store = open_store(f"sqlite:{tmp_path}?namespace=batch")
    batch: dict[str, JSON] = {
        "batch_id": "b-1",
        "features": ["a", "b"],
        "total_features": 2,
        "current_index": 0,
        "completed_features": [],
        "failed_features": [],
        "status": "in_progress",
        "created_at": "2026-11-15T09:00:00Z",
        "updated_at": "2026-11-15T10:30:00Z",
    }
    store.transact(lambda transaction: transaction.save_all(batch))
    with pytest.raises(RefusedError, match="would not be valid"):
        perform(save_action(store, "status", "nonsense"), settle_for=0)
