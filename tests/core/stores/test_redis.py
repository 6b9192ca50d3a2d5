"""The layout that the Redis store shares with other tools: what they write, what they read, and what is damaged."""

import json
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import redis

from statewatch.core.errors import RefusedError, SourceError
from statewatch.core.stores.redis import RedisStore
from statewatch.core.stores.transaction import Transaction
from statewatch.core.stores.urls import open_store
from statewatch.documents.values import JSON
from tests.support import until


@pytest.fixture
def client(redis_url: str) -> Iterator[redis.Redis]:
    """Return a client that knows nothing of statewatch."""
    with redis.Redis.from_url(redis_url, decode_responses=True, protocol=2) as client:
        yield client


@pytest.fixture
def store(redis_url: str) -> Iterator[RedisStore]:
    """Return a store on an empty database."""
    with RedisStore(redis_url, "wf-1", timeout=10) as store:
        yield store


class TestLayout:
    """`state:NAMESPACE:KEY` and `checkpoint:NAMESPACE:NAME`, as other tools write and read them."""

    def test_what_another_tool_has_written_is_read_at_once(self, store: RedisStore, client: redis.Redis) -> None:
        client.set("state:wf-1:phase", json.dumps({"name": "build", "größe": 1.0}, ensure_ascii=False), ex=86_400)
        client.set("state:wf-1:a:key:with:colons", "[1, 2]")
        client.set("state:other:phase", '"of another namespace"')
        client.set("state:wf-10:phase", '"of another one"')
        assert store.load("phase") == {"name": "build", "größe": 1.0}
        assert store.keys() == ["a:key:with:colons", "phase"]
        client.set("state:wf-1:phase", '"test"')
        assert store.snapshot().document == {"a:key:with:colons": [1, 2], "phase": "test"}

    def test_another_tool_reads_what_is_saved(self, store: RedisStore, client: redis.Redis) -> None:
        store.save("phase", {"größe": [1, None, 0.1]})
        assert json.loads(str(client.get("state:wf-1:phase"))) == {"größe": [1, None, 0.1]}
        store.delete("phase")
        assert client.exists("state:wf-1:phase") == 0

    def test_nothing_else_of_another_tool_is_touched(self, store: RedisStore, client: redis.Redis) -> None:
        client.rpush("queue", "a", "b")
        client.set("state:wf-1:untouched", "  [1,2]  ", ex=1000)
        store.save("phase", "build")
        store.checkpoint("release")
        theirs = {key for key in client.scan_iter() if not key.startswith("statewatch:wf-1:")}
        assert theirs == {"queue", "state:wf-1:untouched", "state:wf-1:phase", "checkpoint:wf-1:release"}
        assert client.get("state:wf-1:untouched") == "  [1,2]  "
        assert client.lrange("queue", 0, -1) == ["a", "b"]

    def test_a_checkpoint_of_another_tool_is_one(self, store: RedisStore, client: redis.Redis) -> None:
        client.set("checkpoint:wf-1:auto_20261120_140300", '{"phase": "build", "flag": true}')
        client.set("checkpoint:wf-1:mine", '{"phase": "test"}')
        mine, automatic = store.checkpoints()
        assert (mine.name, mine.created_at, mine.digest, mine.size) == ("mine", 0, "", 17)
        assert time.localtime(automatic.created_at)[:6] == (2026, 11, 20, 14, 3, 0)
        assert store.read_checkpoint(automatic.name).document == {"phase": "build", "flag": True}
        assert store.verify_checkpoint("mine")
        store.edit_checkpoint("mine", new_name="ours", note="kept", pinned=True)
        assert json.loads(str(client.get("checkpoint:wf-1:ours"))) == {"phase": "test"}
        assert client.exists("checkpoint:wf-1:mine") == 0
        assert store.find_checkpoint("ours").pinned

    def test_another_tool_reads_a_checkpoint_which_never_expires(self, redis_url: str, client: redis.Redis) -> None:
        with RedisStore(redis_url, "wf-1", ttl=100) as store:
            store.save("phase", "build")
            store.checkpoint("release", note="why")
        assert json.loads(str(client.get("checkpoint:wf-1:release"))) == {"phase": "build"}
        assert client.ttl("checkpoint:wf-1:release") == -1

    def test_one_that_another_tool_has_replaced_is_not_as_it_was_made(
        self, store: RedisStore, client: redis.Redis
    ) -> None:
        store.save("phase", "build")
        store.checkpoint("release", pinned=True)
        client.set("checkpoint:wf-1:release", '{"phase": "another"}')
        assert store.read_checkpoint("release").document == {"phase": "another"}
        assert not store.verify_checkpoint("release")
        with pytest.raises(RefusedError, match="pinned"):
            store.delete_checkpoint("release")

    def test_a_checkpoint_that_another_tool_has_deleted_is_gone(self, store: RedisStore, client: redis.Redis) -> None:
        store.checkpoint("release", note="old")
        client.delete("checkpoint:wf-1:release")
        assert store.checkpoints() == []
        assert store.checkpoint("release").note == ""

    def test_a_namespace_of_a_newer_statewatch_is_read_and_not_written(
        self, store: RedisStore, client: redis.Redis
    ) -> None:
        store.save("phase", "build")
        client.hset("statewatch:wf-1:meta", "format", 2)
        assert store.load("phase") == "build"
        for write in (lambda: store.save("phase", "test"), lambda: store.checkpoint("release")):
            with pytest.raises(RefusedError, match="newer statewatch"):
                write()
        assert store.load("phase") == "build"

    @pytest.mark.parametrize("namespace", ["a+b c", "größe", "名", "x" * 128])
    def test_a_namespace_is_no_pattern(self, redis_url: str, client: redis.Redis, namespace: str) -> None:
        with RedisStore(redis_url, namespace) as store:
            store.save("[a]*?", 1)
            assert store.keys() == ["[a]*?"]
            assert store.snapshot().document == {"[a]*?": 1}
        assert client.get(f"state:{namespace}:[a]*?") == "1"


class TestTimeToLive:
    """Keys that expire."""

    def test_a_key_keeps_the_time_it_has(self, store: RedisStore, client: redis.Redis) -> None:
        client.set("state:wf-1:phase", '"build"', ex=1000)
        store.save("phase", "test")
        store.save("new", 1)
        assert 990 < int(str(client.ttl("state:wf-1:phase"))) <= 1000
        assert client.ttl("state:wf-1:new") == -1

    def test_every_save_gives_it_anew_where_the_store_has_one(self, redis_url: str, client: redis.Redis) -> None:
        with open_store(f"{redis_url}?namespace=wf-1&ttl=500") as store:
            store.save("phase", "build")
            assert client.ttl("state:wf-1:phase") == 500
            client.expire("state:wf-1:phase", 10)
            store.save("phase", "build")  # a sign of life
            assert client.ttl("state:wf-1:phase") == 500
            client.expire("state:wf-1:phase", 10)
            store.transact(lambda transaction: transaction.save_all({"phase": "build", "other": 1}))
            assert client.ttl("state:wf-1:phase") == 500

    def test_a_sign_of_life_is_no_change(self, redis_url: str, client: redis.Redis) -> None:
        with RedisStore(redis_url, "wf-1", ttl=500) as store:
            store.save("phase", "build")
            before = client.hgetall("statewatch:wf-1:meta")
            store.save("phase", "build")
            assert client.hgetall("statewatch:wf-1:meta") == before

    def test_one_that_expires_inside_a_transaction_is_read_anew(self, store: RedisStore, client: redis.Redis) -> None:
        client.set("state:wf-1:phase", '"build"')
        seen = []

        def body(transaction: Transaction) -> None:
            seen.append(transaction.load("phase", None))
            client.pexpire("state:wf-1:phase", 1)
            until(lambda: not client.exists("state:wf-1:phase"), "the end of the key")
            transaction.save("seen", seen[-1])

        store.transact(body)
        assert seen == ["build", None]
        assert store.load("seen") is None


class TestForeignWriters:
    """Programs that know of no transaction are not robbed."""

    def test_what_another_tool_writes_inside_a_transaction_is_not_overwritten(
        self, store: RedisStore, client: redis.Redis
    ) -> None:
        store.save("count", 1)
        seen: list[JSON] = []

        def change(value: JSON) -> JSON:
            seen.append(value)
            if len(seen) == 1:
                client.set("state:wf-1:count", "10")
            assert isinstance(value, int)
            return value + 1

        assert store.update("count", change) == 11
        assert seen == [1, 10]

    @pytest.mark.parametrize("keys", [3, 1500])
    def test_a_key_that_another_tool_adds_to_what_was_read_as_a_whole_makes_it_run_again(
        self, store: RedisStore, client: redis.Redis, keys: int
    ) -> None:
        store.transact(lambda transaction: transaction.save_all({f"key {number}": number for number in range(keys)}))
        runs = []

        def body(transaction: Transaction) -> None:
            runs.append(len(transaction.document()))
            client.set("state:wf-1:late", "1")
            transaction.save("sum", runs[-1])

        store.transact(body)
        assert runs == [keys, keys + 1]
        assert store.load("sum") == keys + 1

    def test_a_key_of_another_type_that_appears_makes_it_run_again(
        self, store: RedisStore, client: redis.Redis
    ) -> None:
        store.save("phase", "build")

        def body(transaction: Transaction) -> None:
            transaction.load("phase")
            client.delete("state:wf-1:phase")
            client.rpush("state:wf-1:phase", "a list")
            transaction.save("phase", "test")

        with pytest.raises(SourceError, match="list"):
            store.transact(body)
        assert client.lrange("state:wf-1:phase", 0, -1) == ["a list"]

    def test_reads_of_two_moments_mislead_nobody(self, store: RedisStore, client: redis.Redis) -> None:
        """An account that is being moved: seen half, it would be an error that does not exist."""
        store.transact(lambda transaction: transaction.save_all({"a": 1, "b": 0}))
        runs: list[tuple[JSON, JSON]] = []

        def body(transaction: Transaction) -> int:
            a = transaction.load("a")
            if not runs:
                client.mset({"state:wf-1:a": "0", "state:wf-1:b": "1"})
            b = transaction.load("b")
            runs.append((a, b))
            assert isinstance(a, int)
            assert isinstance(b, int)
            if a + b != 1:
                raise LookupError
            return a + b

        assert store.transact(body) == 1
        assert runs == [(1, 1), (0, 1)]

    @pytest.mark.parametrize("told", ["", "KA"], ids=["by looking", "by the server"])
    def test_what_another_tool_writes_wakes_who_waits(self, store: RedisStore, client: redis.Redis, told: str) -> None:
        client.config_set("notify-keyspace-events", told)
        try:
            with ThreadPoolExecutor(1) as pool:
                waiting = pool.submit(store.wait, store.snapshot().digest, 30)
                until(lambda: client.pubsub_numpat() == 1, "the subscription")
                begun = time.monotonic()
                client.set("state:wf-1:phase", '"test"')
                assert waiting.result() is True
                assert not told or time.monotonic() - begun < 0.9  # a look comes after a second
        finally:
            client.config_set("notify-keyspace-events", "")

    def test_a_commit_is_told_to_whoever_listens(self, store: RedisStore, client: redis.Redis) -> None:
        with client.pubsub(ignore_subscribe_messages=True) as listening:  # type: ignore[no-untyped-call]
            listening.subscribe("statewatch:wf-1:changes")
            store.save("phase", "build")
            store.load("phase")
            store.save("phase", "build")
            store.checkpoint("release")
            store.delete("phase")
            heard: list[str] = []

            def two() -> bool:
                if message := listening.get_message():
                    heard.append(message["data"])
                return len(heard) == 2

            until(two, "the second message")
        assert heard == ["1", "2"]


class TestDamage:
    """What cannot be read is named, and nothing else suffers."""

    @pytest.mark.parametrize(
        ("text", "reason"),
        [
            (b"", "empty"),
            (b"{'a': 1}", "not JSON"),
            (b'{"a": 1, "a": 2}', "occurs twice"),
            (b"NaN", "NaN"),
            (b'"\xff"', "UTF-8"),
            (b'{"a": [1, 2', "ends too early"),
            (b"[" * 5000 + b"]" * 5000, "nested"),
        ],
    )
    def test_a_damaged_value_is_named_and_the_others_stay_usable(
        self, store: RedisStore, redis_url: str, text: bytes, reason: str
    ) -> None:
        store.save("good", 1)
        with redis.Redis.from_url(redis_url) as client:
            client.set("state:wf-1:bad key", text)
        for read in (lambda: store.load("bad key"), store.snapshot, lambda: store.update("bad key", str)):
            with pytest.raises(SourceError, match=reason) as caught:
                read()
            assert "state:wf-1:bad key" in str(caught.value)
            assert "DEL" in str(caught.value)
            assert store.url in str(caught.value)
        assert store.keys() == ["bad key", "good"]
        store.update("good", lambda value: [value])
        assert store.load("good") == [1]

    def test_a_key_that_is_no_text_is_named_with_what_it_is(self, store: RedisStore, client: redis.Redis) -> None:
        store.save("good", 1)
        client.rpush("state:wf-1:bad", "a")
        for read in (lambda: store.load("bad"), store.snapshot):
            with pytest.raises(SourceError, match=r"state:wf-1:bad.*holds a Redis list"):
                read()
        store.save("good", 2)
        assert store.keys() == ["bad", "good"]

    def test_a_name_that_is_not_utf8_is_an_error_of_the_list(self, store: RedisStore, client: redis.Redis) -> None:
        store.save("good", 1)
        client.set(b"state:wf-1:\xff", "1")
        with pytest.raises(SourceError, match="not UTF-8"):
            store.keys()
        assert store.load("good") == 1

    @pytest.mark.parametrize("text", ["[1]", "{", '"text"', ""])
    def test_a_damaged_checkpoint_is_named(self, store: RedisStore, client: redis.Redis, text: str) -> None:
        client.set("checkpoint:wf-1:bad", text)
        with pytest.raises(SourceError, match="'bad' is damaged"):
            store.read_checkpoint("bad")
        assert [made.name for made in store.checkpoints()] == ["bad"]

    def test_a_checkpoint_that_is_no_text_is_named(self, store: RedisStore, client: redis.Redis) -> None:
        client.hset("checkpoint:wf-1:bad", "a", "1")
        with pytest.raises(SourceError, match="'bad' is damaged"):
            store.read_checkpoint("bad")
        assert [(made.name, made.size) for made in store.checkpoints()] == [("bad", None)]

    @pytest.mark.parametrize("note", ["", "{", "[]", '{"created_at": "x", "note": 5}', "[" * 100_000])
    def test_damage_in_our_own_notes_loses_no_checkpoint(
        self, store: RedisStore, client: redis.Redis, note: str
    ) -> None:
        store.save("phase", "build")
        store.checkpoint("release", note="why")
        client.hset("statewatch:wf-1:checkpoints", "release", note)
        (found,) = store.checkpoints()
        assert (found.name, found.note) == ("release", "")
        assert store.read_checkpoint("release").document == {"phase": "build"}

    def test_without_our_index_all_checkpoints_are_listed_and_the_next_edit_begins_it_anew(
        self, store: RedisStore, client: redis.Redis
    ) -> None:
        store.save("phase", "build")
        for name in ("one", "two"):
            store.checkpoint(name)
        client.delete("statewatch:wf-1:checkpoints")
        assert [(made.name, made.size) for made in store.checkpoints()] == [("one", 18), ("two", 18)]
        store.edit_checkpoint("two", note="known again")
        assert client.hkeys("statewatch:wf-1:checkpoints") == ["two"]
        assert store.find_checkpoint("two").note == "known again"

    def test_what_only_our_index_knows_is_gone(self, store: RedisStore, client: redis.Redis) -> None:
        store.checkpoint("release")
        client.hset("statewatch:wf-1:checkpoints", "never made", '{"created_at": 1.0}')
        assert [made.name for made in store.checkpoints()] == ["release"]
        client.delete("checkpoint:wf-1:release")
        assert store.checkpoints() == []

    def test_something_else_in_the_place_of_our_index_hides_nothing(
        self, store: RedisStore, client: redis.Redis
    ) -> None:
        store.checkpoint("release")
        client.set("statewatch:wf-1:checkpoints", "x")
        assert [made.name for made in store.checkpoints()] == ["release"]

    def test_a_note_in_its_older_form_is_read_and_moves_with_the_next_edit(
        self, store: RedisStore, client: redis.Redis
    ) -> None:
        client.set("checkpoint:wf-1:release", "{}")
        client.set("statewatch:wf-1:checkpoint:release", '{"created_at": 5.0, "note": "old", "pinned": true}')
        (found,) = store.checkpoints()
        assert (found.created_at, found.note, found.pinned, found.size) == (5.0, "old", True, 2)
        store.edit_checkpoint("release", pinned=False)
        assert (store.find_checkpoint("release").note, store.find_checkpoint("release").pinned) == ("old", False)
        assert client.exists("statewatch:wf-1:checkpoint:release") == 0
        store.delete_checkpoint("release")
        assert client.hlen("statewatch:wf-1:checkpoints") == 0


class TestSize:
    """Large namespaces."""

    def test_many_values_that_look_alike_do_not_hold_up_the_server(self, redis_url: str) -> None:
        """Redis' Lua takes texts for alike that differ where it does not look: many at a time would cost minutes."""
        document: dict[str, JSON] = {}
        for number in range(40_000):
            digits = f"{number:06}"
            document[f"item/{digits}"] = f"-{digits[:3]}-{digits[3:]}{'-' * 112}"  # of four characters it looks at one
        with RedisStore(redis_url, "wf-1", timeout=60) as store, redis.Redis.from_url(redis_url) as client:
            client.config_resetstat()
            store.transact(lambda transaction: transaction.save_all(document))
            assert store.snapshot().document == document
            store.transact(lambda transaction: transaction.replace({**document, "item/000000": 0}))
            assert store.keys() == [*document]
            stats: Any = client.info("commandstats")
        busy = sum(stats[name]["usec"] for name in ("cmdstat_eval", "cmdstat_evalsha") if name in stats) / 1e6
        assert busy < 6, f"the server was busy for {busy} s"  # about 1; 8 without care

    def test_a_namespace_in_pages_is_one_moment(self, store: RedisStore) -> None:
        keys = [f"key {number}" for number in range(2500)]
        store.transact(lambda transaction: transaction.save_all(dict.fromkeys(keys, 0)))
        done = threading.Event()

        def write() -> None:
            for turn in range(1, 1000):
                store.transact(lambda transaction, turn=turn: transaction.save_all(dict.fromkeys(keys, turn)))  # type: ignore[misc]
                if done.is_set():
                    return

        with ThreadPoolExecutor(1) as pool:
            writing = pool.submit(write)
            try:
                for _ in range(10):
                    found = store.snapshot().document
                    assert isinstance(found, dict)
                    assert len(found) == 2500
                    assert len({*map(str, found.values())}) == 1
            finally:
                done.set()
            writing.result()
