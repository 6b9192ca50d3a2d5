"""Redis writers that meet: nothing is lost, who is too slow gets its turn, who is killed holds up nobody."""

import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest
import redis

from statewatch.conformance.crew import Crew, Job
from statewatch.core.errors import LockedError
from statewatch.core.stores import redis_commit
from statewatch.core.stores.redis import RedisStore
from statewatch.core.stores.redis_scripts import COMMIT, GIVE_UP
from statewatch.core.stores.transaction import Transaction
from statewatch.documents.values import JSON


@pytest.fixture
def client(redis_url: str) -> Iterator[redis.Redis]:
    """Return a client that knows nothing of statewatch."""
    with redis.Redis.from_url(redis_url, decode_responses=True, protocol=2) as client:
        yield client


@pytest.fixture
def store(redis_url: str) -> Iterator[RedisStore]:
    """Return a store on an empty database."""
    with RedisStore(redis_url, "wf-1", timeout=30) as store:
        yield store


@pytest.fixture
def crew(redis_url: str) -> Iterator[Crew]:
    """Return processes with a store each."""
    with Crew(partial(RedisStore, redis_url)) as crew:
        yield crew


def one_more(value: JSON) -> JSON:
    """Return the next integer."""
    assert isinstance(value, int)
    return value + 1


def increment(job: Job, times: int) -> None:
    """Add one to a number, so many times, in a process."""
    for _ in range(times):
        job.store.update("count", one_more, 0)


def increment_with_children(job: Job, count: int) -> None:
    """Add to a number in a process and in children of it that have taken over its store, and its connection."""
    increment(job, 1)
    children = []
    for _ in range(count):
        child = os.fork()
        if child == 0:
            increment(job, 50)
            os._exit(0)
        children.append(child)
    increment(job, 49)
    assert all(os.waitpid(child, 0)[1] == 0 for child in children)


def hang_in_its_turn(job: Job, url: str) -> None:
    """Be too slow until it is this process's turn, and stay inside the transaction."""
    runs = 0

    def body(transaction: Transaction) -> None:
        nonlocal runs
        runs += 1
        transaction.save("count", [transaction.load("count", None)])
        if job.store.holders():
            job.say("my turn")
            job.pause()
        with redis.Redis.from_url(url) as client:
            client.set("state:default:count", runs)

    job.store.transact(body, "reset everything")


def test_increments_by_another_tool_are_not_lost_among_ours(redis_url: str, client: redis.Redis, crew: Crew) -> None:
    """Redis' own INCR is what such a tool would use: it asks for no permission, and is never told to try again."""
    members = crew.members(3)
    for member in members:
        member.begin(increment, 100)
    for _ in range(1000):
        client.incr("state:default:count")
    for member in members:
        member.result()
    assert client.get("state:default:count") == "1300"


def test_writers_of_different_keys_are_never_in_each_others_way(store: RedisStore) -> None:
    def work(me: int) -> int:
        runs = 0

        def change(value: JSON) -> JSON:
            nonlocal runs
            runs += 1
            return one_more(value)

        for _ in range(50):
            store.update(f"count of {me}", change, 0)
        return runs

    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(work, range(6))) == [50] * 6


def test_whose_turn_it_is_can_be_seen_and_is_named_to_who_waits(
    store: RedisStore, client: redis.Redis, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redis_commit, "_SHORTEST_TURN", 60.0)
    monkeypatch.setattr(redis_commit, "_LONGEST_TURN", 60.0)
    seen = []
    runs = 0

    def body(transaction: Transaction) -> None:
        nonlocal runs
        runs += 1
        transaction.save("count", one_more(transaction.load("count", 0)))
        if not (holders := store.holders()):
            client.incr("state:wf-1:count")  # another tool, which is faster each time
            return
        seen.extend(holders)
        with RedisStore(redis_url, "wf-1", timeout=0.1) as other, pytest.raises(LockedError) as caught:
            other.save("other", 1)
        assert str(os.getpid()) in str(caught.value)
        assert "reset everything" in str(caught.value)

    store.transact(body, "reset everything")
    (holder,) = seen
    assert (holder.pid, holder.operation, holder.host) == (os.getpid(), "reset everything", os.uname().nodename)
    assert store.holders() == []
    assert store.keys() == ["count"]
    assert store.load("count") == runs > 1  # before, another tool was faster each time


def test_a_turn_ends_with_the_transaction_however_that_ends(
    store: RedisStore, client: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redis_commit, "_SHORTEST_TURN", 60.0)
    monkeypatch.setattr(redis_commit, "_LONGEST_TURN", 60.0)

    def body(transaction: Transaction) -> None:
        transaction.save("count", [transaction.load("count", 0)])
        if store.holders():
            raise KeyboardInterrupt
        client.incr("state:wf-1:count")

    with pytest.raises(KeyboardInterrupt):
        store.transact(body)
    assert store.holders() == []
    store.save("other", 1)


def test_one_who_is_killed_in_its_turn_holds_up_the_others_for_a_moment_only(redis_url: str, crew: Crew) -> None:
    member = crew.member()
    member.begin(hang_in_its_turn, redis_url)
    assert member.hear() == "my turn"
    member.kill()
    begun = time.monotonic()
    with RedisStore(redis_url, timeout=20) as store:
        store.save("after", 1)
        assert time.monotonic() - begun < 10  # 2, where nothing else runs
        assert store.holders() == []
        assert store.load("after") == 1


def test_one_who_gives_up_names_the_last_who_was_faster(
    store: RedisStore, redis_url: str, client: redis.Redis, crew: Crew
) -> None:
    member = crew.member()

    def body(transaction: Transaction) -> None:
        transaction.save("count", [transaction.load("count", 0)])
        member.do(increment, 1)

    with RedisStore(redis_url, timeout=0.2) as hasty, pytest.raises(LockedError, match="other writers") as caught:
        hasty.transact(body, "reset everything")
    assert f"process {member.pid}: update count" in str(caught.value)
    assert "reset everything" in str(caught.value)

    def against_another_tool(transaction: Transaction) -> None:
        transaction.save("count", [transaction.load("count", 0)])
        client.incr("state:wf-2:count")

    with RedisStore(redis_url, "wf-2", timeout=0.2) as hasty, pytest.raises(LockedError, match="does not say who"):
        hasty.transact(against_another_tool)


def test_a_commit_that_was_given_up_is_not_made_when_it_arrives_late(store: RedisStore, client: redis.Redis) -> None:
    """A request may still be on its way when its connection is long gone and the change has been made by another."""
    store.save("count", 1)
    own, pattern = "statewatch:wf-1:", "state:wf-1:*"
    lengths, row = "1,3,16,1", "3SETstate:wf-1:count2"
    late: list[str | int] = [own, pattern, -1, "a-writer", 7, 600, "", "{}", 1, 0, 0, lengths, row]
    assert client.eval(GIVE_UP.text, 0, f"{own}writer:a-writer", 7, 600) == 0
    assert client.eval(COMMIT.text, 0, *late) == ["void"]
    assert store.load("count") == 1
    late[4] = 8
    assert client.eval(COMMIT.text, 0, *late) == ["done"]
    assert store.load("count") == 2
    assert client.eval(GIVE_UP.text, 0, f"{own}writer:a-writer", 8, 600) == 1


def test_what_is_kept_of_writers_goes_away_by_itself(store: RedisStore, client: redis.Redis) -> None:
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda number: store.save("count", number), range(40)))
    writers = list(client.scan_iter("statewatch:wf-1:writer:*"))
    assert 1 <= len(writers) <= 4
    assert all(0 < int(str(client.ttl(key))) <= 600 for key in writers)
    ours = set(client.scan_iter("statewatch:*")) - set(writers)
    assert ours == {"statewatch:wf-1:meta"}


def test_children_use_connections_and_names_of_their_own(client: redis.Redis, crew: Crew) -> None:
    crew.member().do(increment_with_children, 3)
    assert client.get("state:default:count") == "200"
    assert len(list(client.scan_iter("statewatch:default:writer:*"))) == 4
