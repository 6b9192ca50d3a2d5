"""One value of a namespace is damaged, by a disk or by another tool: it can be replaced, removed and recovered from."""

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import psycopg
import pytest
import redis

from statewatch.core.actions import perform
from statewatch.core.copies import copies_of
from statewatch.core.errors import SourceError
from statewatch.core.keys import delete_action, save_action
from statewatch.core.restoring import candidates, damage, recover_action, restore
from statewatch.core.stores.base import Store
from statewatch.core.stores.transaction import Transaction
from statewatch.core.stores.urls import open_store, with_namespace
from statewatch.core.undo import last_action, undo_action

DEEP = "[" * 600 + "]" * 600
"""JSON to PostgreSQL, and too deep for us."""


class Place(NamedTuple):
    """A store with the keys `good` and `other`, and how its key `bad` is damaged; *raw* is what it holds then."""

    store: Store
    spoil: Callable[[], None]
    raw: bytes


@pytest.fixture(params=["sqlite", "redis", "redis list", "postgres"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    engine = request.param.partition(" ")[0]
    url = f"sqlite:{tmp_path}/state" if engine == "sqlite" else request.getfixturevalue(f"{engine}_url")
    raw = DEEP.encode() if engine == "postgres" else b"" if "list" in request.param else b'{"half": "writ'

    def in_sqlite() -> None:
        with sqlite3.connect(tmp_path / "state" / "wf-1" / "state.db") as connection:
            connection.execute("UPDATE state SET value = ? WHERE key = 'bad'", (raw.decode(),))

    def in_redis() -> None:
        with redis.Redis.from_url(url) as client:
            client.set("state:wf-1:bad", raw)

    def in_redis_of_another_type() -> None:
        with redis.Redis.from_url(url) as client:
            client.delete("state:wf-1:bad")
            client.rpush("state:wf-1:bad", "a", "b")

    def in_postgres() -> None:
        with psycopg.connect(url) as connection:
            connection.execute("UPDATE agent_state SET state_data = %s WHERE state_type = 'bad'", (DEEP,))

    spoil = {
        "sqlite": in_sqlite,
        "redis": in_redis,
        "redis list": in_redis_of_another_type,
        "postgres": in_postgres,
    }[request.param]
    with open_store(with_namespace(url, "wf-1"), timeout=5) as store:
        store.transact(lambda transaction: transaction.save_all({"good": 1, "bad": 2, "other": 3}))
        yield Place(store, spoil, raw)


def kept(store: Store) -> bytes:
    """Return what the newest safety copy holds."""
    return copies_of(store.source)[-1].read_bytes()


def test_a_look_at_the_whole_names_the_damaged_key(place: Place) -> None:
    place.spoil()
    for look in (place.store.snapshot, lambda: place.store.version().document(), lambda: place.store.load("bad")):
        with pytest.raises(SourceError, match="bad"):
            look()
    assert place.store.load("good") == 1
    assert place.store.keys() == ["bad", "good", "other"]


def test_a_program_saves_over_it_and_the_old_bytes_are_kept(place: Place) -> None:
    place.spoil()
    place.store.save("bad", "new")
    assert place.store.snapshot().document == {"good": 1, "bad": "new", "other": 3}
    assert place.raw in kept(place.store)
    assert b'"bad"' in kept(place.store)


def test_a_program_deletes_it_and_the_old_bytes_are_kept(place: Place) -> None:
    place.spoil()
    place.store.delete("bad")
    assert place.store.snapshot().document == {"good": 1, "other": 3}
    assert place.raw in kept(place.store)


def test_many_keys_are_saved_over_it_at_once(place: Place) -> None:
    place.spoil()
    place.store.transact(lambda transaction: transaction.save_all({"bad": 0, "good": 1, "new": 2}))
    assert place.store.snapshot().document == {"good": 1, "bad": 0, "other": 3, "new": 2}
    assert place.raw in kept(place.store)


def test_the_whole_is_replaced(place: Place) -> None:
    place.spoil()
    place.store.transact(lambda transaction: transaction.replace({"fresh": True}))
    assert place.store.snapshot().document == {"fresh": True}
    assert place.raw in kept(place.store)


def test_the_other_keys_are_written_as_ever_and_nothing_is_kept(place: Place) -> None:
    place.spoil()

    def body(transaction: Transaction) -> None:
        transaction.save("good", 10)
        transaction.delete("other")

    place.store.transact(body)
    assert (place.store.load("good"), place.store.keys()) == (10, ["bad", "good"])
    assert copies_of(place.store.source) == []


def test_a_body_that_reads_it_is_told(place: Place) -> None:
    place.spoil()
    with pytest.raises(SourceError, match="bad"):
        place.store.update("bad", lambda value: value)


@pytest.mark.parametrize("key", ["bad", "good", "fresh"])
def test_an_operator_saves_a_key_whether_it_or_another_is_damaged(place: Place, key: str) -> None:
    place.spoil()
    done = perform(save_action(place.store, key, "new"), settle_for=0)
    assert done.copy is not None
    assert place.raw in done.copy.read_bytes()
    assert place.store.load(key) == "new"
    assert (damage(place.store) is None) == (key == "bad")
    if key == "good":
        perform(save_action(place.store, "bad", "new"), settle_for=0)
        assert place.store.snapshot().document == {"good": "new", "bad": "new", "other": 3}


def test_an_operator_deletes_it_and_the_others_stay(place: Place) -> None:
    place.spoil()
    done = perform(delete_action(place.store, "bad"), settle_for=0)
    assert done.copy is not None
    assert place.raw in done.copy.read_bytes()
    assert place.store.snapshot().document == {"good": 1, "other": 3}
    perform(undo_action(last_action()), settle_for=0)
    assert isinstance(place.store.load("bad"), str)


def test_recovering_takes_a_checkpoint_and_keeps_the_damaged_bytes(place: Place) -> None:
    place.store.checkpoint("release")
    place.store.save("later", 4)
    place.spoil()
    assert damage(place.store) is not None
    assert [each.name for each in candidates(place.store)] == ["release"]
    done = restore(recover_action(place.store, "release"), settle_for=0).outcome
    assert place.store.snapshot().document == {"good": 1, "bad": 2, "other": 3}
    assert done.copy is not None
    assert place.raw in done.copy.read_bytes()
    assert damage(place.store) is None
    assert "damaged" not in [each.name for each in candidates(place.store)]


def test_what_holds_damaged_values_is_no_version_to_recover_with(place: Place) -> None:
    place.spoil()
    place.store.save("bad", "new")
    assert candidates(place.store) == []
