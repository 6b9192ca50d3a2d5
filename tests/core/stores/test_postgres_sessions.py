"""The store in PostgreSQL with others at work: who holds it, checkpoints, notifications, kills, forks, lost replies."""

import json
import multiprocessing
import os
import signal
import threading
import time
import uuid
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from multiprocessing.process import BaseProcess
from multiprocessing.synchronize import Barrier, Event

import psycopg
import pytest

from statewatch.core.errors import LockedError, MissingCheckpointError, RefusedError, UnknownOutcomeError
from statewatch.core.stores.base import Checkpoint
from statewatch.core.stores.postgres import PostgresStore
from statewatch.core.stores.postgres.faults import PostgresError
from statewatch.core.stores.transaction import Transaction
from statewatch.documents.values import JSON
from tests.cutter import Cutter
from tests.servers import PostgresServer
from tests.support import until

SPAWN = multiprocessing.get_context("spawn")
COMMIT = b"COMMIT\0"
"""What the message to commit ends with; that to begin has READ COMMITTED in it."""


def increased(value: JSON) -> JSON:
    assert isinstance(value, int)
    return value + 1


runs: list[int] = []


def counted(value: JSON) -> JSON:
    runs.append(1)
    return increased(value)


@contextmanager
def processes(*works: tuple[object, ...]) -> Iterator[Sequence[BaseProcess]]:
    """Run functions with their arguments, each in a process, which must end well unless the block has killed it."""
    started = [SPAWN.Process(target=work[0], args=work[1:]) for work in works]  # type: ignore[arg-type]
    try:
        for process in started:
            process.start()
        yield started
        for process in started:
            process.join(60)
        assert all(process.exitcode in (0, -signal.SIGKILL) for process in started)
    finally:
        for process in started:
            process.kill()
            process.join()
            process.close()


# --- no lost update


def increment(url: str, number: int, times: int) -> None:
    """Add to one key that all share, and to one of its own; half of them from two threads."""
    with PostgresStore(url, "counts", 60) as store:

        def work(share: int) -> None:
            for _ in range(share):
                store.update("all", increased, 0)
                store.update(f"own {number}", increased, 0)

        if number % 2:
            work(times)
        else:
            with ThreadPoolExecutor(2) as pool:
                list(pool.map(work, (times // 2, times // 2)))


def test_no_update_of_eight_processes_with_threads_is_lost(postgres_url: str) -> None:
    with processes(*((increment, postgres_url, number, 200) for number in range(8))):
        pass
    with PostgresStore(postgres_url, "counts", 60) as store:
        assert store.snapshot().document == {"all": 1_600, **{f"own {number}": 200 for number in range(8)}}
    with psycopg.connect(postgres_url) as tool:
        assert tool.execute("SELECT max(version), count(*) FROM agent_state").fetchone() == (1_600, 9)
        assert tool.execute("SELECT count(*) FROM state_history").fetchone() == (3_200,)


BURSTS = 10


def bursts(url: str, number: int, start: Barrier) -> None:
    """Write to a schema without tables as soon as the others do, and to the next one."""
    for turn in range(BURSTS):
        with (
            PostgresStore(f"{url}?options=-csearch_path%3Dburst_{turn}", f"of {number}", 60) as own,
            PostgresStore(f"{url}?options=-csearch_path%3Dburst_{turn}", "of all", 60) as common,
        ):
            start.wait(60)
            runs.clear()
            own.update("count", counted, 0)
            assert len(runs) == 1, "making the tables has failed and was tried again"
            common.update("count", increased, 0)
            common.checkpoint(f"by {number}")


def test_eight_who_make_the_tables_at_once_make_them_once(postgres_url: str) -> None:
    with psycopg.connect(postgres_url) as tool:
        for turn in range(BURSTS):
            tool.execute(f"CREATE SCHEMA burst_{turn}".encode())
    start = SPAWN.Barrier(8)
    with processes(*((bursts, postgres_url, number, start) for number in range(8))):
        pass
    for turn in range(BURSTS):
        with PostgresStore(f"{postgres_url}?options=-csearch_path%3Dburst_{turn}", "of all", 60) as store:
            assert store.load("count") == 8
            assert {made.name for made in store.checkpoints()} == {f"by {number}" for number in range(8)}


# --- who holds it


def hold(url: str, reached: Event) -> None:
    """Hold the namespace until killed."""
    with PostgresStore(url, "wf", 60) as store:

        def body(transaction: Transaction) -> None:
            transaction.save("key", "never")
            transaction.save_all({f"key {number}": "never" for number in range(3)})
            reached.set()
            threading.Event().wait()

        store.transact(body, "reset all circuits")


def test_who_is_killed_holds_nothing_any_more_and_has_changed_nothing(postgres_url: str) -> None:
    with PostgresStore(postgres_url, "wf", 60) as store, ThreadPoolExecutor(1) as pool:
        store.save("key", 1)
        for _ in range(3):
            reached = SPAWN.Event()
            with processes((hold, postgres_url, reached)) as (process,):
                assert reached.wait(60)
                (holder,) = store.holders()
                assert (holder.pid, holder.operation) == (process.pid, "reset all circuits")
                assert holder.since.startswith("2")
                waiting = pool.submit(store.update, "key", increased)
                process.kill()
                waiting.result()
        assert store.snapshot().document == {"key": 4}
        assert store.holders() == []


def test_whoever_waits_too_long_is_told_who_holds_it(postgres_url: str) -> None:
    reached = SPAWN.Event()
    with (
        processes((hold, postgres_url, reached)) as (process,),
        PostgresStore(postgres_url, "wf", 0.2) as store,
    ):
        assert reached.wait(60)
        with pytest.raises(LockedError) as caught:
            store.save("key", 1)
        assert f"process {process.pid}: reset all circuits, since 20" in str(caught.value)
        assert str(caught.value).startswith(f"{store.url}: cannot save key, locked for more than 0.2 s by ")
        assert store.keys() == []  # who reads does not wait
        process.kill()


def test_another_program_that_holds_a_row_is_named(postgres_url: str) -> None:
    with (
        PostgresStore(postgres_url, "wf", 0.2) as store,
        psycopg.connect(postgres_url, application_name="nightly report") as tool,
    ):
        store.save("key", 1)
        tool.execute("UPDATE agent_state SET state_data = '2'")
        with pytest.raises(LockedError, match=rf"nightly report.*pg_terminate_backend\({tool.info.backend_pid}\)"):
            store.save("key", 3)
        tool.commit()
        assert store.load("key") == 2
        store.save("key", 3)


def test_a_long_operation_is_cut_in_its_name_and_the_process_is_not(postgres_url: str) -> None:
    with PostgresStore(postgres_url, "wf", 60) as store, PostgresStore(postgres_url, "wf", 60) as other:
        found = store.transact(lambda _: other.holders(), "größe (of (everything) " * 9)
    assert found[0].pid == os.getpid()
    assert found[0].operation.startswith("gr??e (of (everything)")


# --- checkpoints


def test_rows_of_other_tools_are_checkpoints_that_only_they_change(postgres_url: str) -> None:
    with PostgresStore(postgres_url, "wf", 60) as store:
        store.save("key", 1)
        mine = store.checkpoint("mine")
        ids = [uuid.UUID(int=number) for number in range(1, 6)]
        with psycopg.connect(postgres_url) as tool:
            for number, (id_, metadata) in enumerate(
                zip(ids, (None, '{"name": "theirs"}', '{"name": "mine"}', "[1]", '{"name": 7}'), strict=True)
            ):
                tool.execute(
                    "INSERT INTO workflow_checkpoints VALUES (%s, 'wf', %s, %s, %s)",
                    (id_, json.dumps({"key": number}), datetime(2026, 1, 2, 3, 4, 5 + number, tzinfo=UTC), metadata),
                )
            tool.execute(
                "INSERT INTO workflow_checkpoints (id, workflow_id, checkpoint_data) VALUES (%s, 'other', '{}')",
                (uuid.uuid4(),),
            )
            tool.execute(
                "INSERT INTO workflow_checkpoints SELECT %s, workflow_id, checkpoint_data, '2026-02-02Z', metadata "
                "FROM workflow_checkpoints WHERE metadata->>'statewatch' = '1'",
                (copy := uuid.UUID(int=9),),
            )
        names = [
            f"20260102_030405_{ids[0]}",
            "theirs",
            f"20260102_030407_{ids[2]}",
            f"20260102_030408_{ids[3]}",
            f"20260102_030409_{ids[4]}",
        ]
        found = store.checkpoints()
        assert [made.name for made in found] == [*names, f"20260202_000000_{copy}", "mine"]
        assert [made.foreign for made in found] == [True] * 6 + [False]
        assert [store.read_checkpoint(name).document for name in names] == [{"key": number} for number in range(5)]
        assert found[-1] == mine
        for use in (
            lambda: store.delete_checkpoint("theirs"),
            lambda: store.edit_checkpoint("theirs", note="no"),
            lambda: store.checkpoint("theirs"),
        ):
            with pytest.raises(RefusedError):
                use()
        store.put_checkpoint(Checkpoint("theirs", 1.0), {"key": "ours"})
        assert store.read_checkpoint("theirs").document == {"key": "ours"}
        assert store.read_checkpoint(f"20260102_030406_{ids[1]}").document == {"key": 1}


def test_what_a_tool_adds_to_the_metadata_stays(postgres_url: str) -> None:
    with PostgresStore(postgres_url, "wf", 60) as store, psycopg.connect(postgres_url, autocommit=True) as tool:
        store.checkpoint("one")
        tool.execute("UPDATE workflow_checkpoints SET metadata = metadata || '{\"theirs\": [1e400, 2]}'")
        store.edit_checkpoint("one", new_name="two", note="a \0 note")
        store.edit_checkpoint("two", note="another", pinned=True)
        (metadata,) = tool.execute("SELECT metadata::text FROM workflow_checkpoints").fetchone() or ()
        assert json.loads(metadata)["theirs"] == [10**400, 2]
        assert (json.loads(metadata)["name"], json.loads(metadata)["statewatch"]) == ("two", 1)
        assert [(made.note, made.pinned) for made in store.checkpoints()] == [("another", True)]


def test_a_checkpoint_that_a_tool_deletes_is_gone_and_leaves_nothing(postgres_url: str) -> None:
    with PostgresStore(postgres_url, "wf", 60) as store, psycopg.connect(postgres_url, autocommit=True) as tool:
        store.save("key", {"bb": 1, "a": 2})
        for name in ("one", "two"):
            store.checkpoint(name)
        tool.execute("DELETE FROM workflow_checkpoints WHERE metadata->>'name' = 'one'")
        with pytest.raises(MissingCheckpointError):
            store.read_checkpoint("one")
        store.delete_checkpoint("two")
        assert tool.execute("SELECT count(*) FROM statewatch_checkpoints").fetchone() == (0,)


def test_a_list_of_checkpoints_does_not_fetch_what_they_hold(own_postgres: PostgresServer) -> None:
    large = "x" * 3_000_000
    with Cutter(own_postgres.port) as cutter, PostgresStore(cutter.through(own_postgres.url), "wf", 60) as store:
        store.put_checkpoint(Checkpoint("large", 1.0), {"zz": large, "a": 1})
        cutter.cut_after(to_client=100_000)
        assert [(made.name, made.size) for made in store.checkpoints()] == [("large", 3_000_018)]
        assert cutter.cuts == 0


# --- waiting


def test_a_notification_wakes_who_waits_and_nobody_else(postgres_url: str) -> None:
    with (
        PostgresStore(postgres_url, "wf", 60) as store,
        PostgresStore(postgres_url, "other", 60) as other,
        ThreadPoolExecutor(1) as pool,
    ):
        store.save("key", 1)
        digest = store.snapshot().digest
        listening = pool.submit(store.wait, digest, 60.0)
        until(lambda: listens(postgres_url), "the store listens")
        other.save("key", 2)
        assert not listening.done()
        began = time.monotonic()
        store.save("key", 2)
        assert listening.result()
        assert time.monotonic() - began < 30


def listens(url: str) -> bool:
    """Tell whether a session waits for notifications in that database."""
    with psycopg.connect(url) as tool:
        row = tool.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state = 'idle' "
            "AND application_name = 'statewatch: watching'"
        ).fetchone()
        return bool(row and row[0])


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE agent_state SET state_data = '2'",
        "UPDATE agent_state SET state_type = 'other'",
        "DELETE FROM agent_state",
        "TRUNCATE agent_state",
        "INSERT INTO agent_state (agent_id, state_type, state_data) SELECT agent_id, 'other', '2' FROM agent_state",
        "DROP TABLE agent_state",
    ],
)
def test_a_change_that_nobody_tells_of_is_seen(postgres_url: str, change: str) -> None:
    with PostgresStore(postgres_url, "wf", 60) as store, psycopg.connect(postgres_url, autocommit=True) as tool:
        store.save("key", 1)
        digest = store.snapshot().digest
        assert store.wait(digest, 0.0) is False
        tool.execute(change.encode())
        assert store.wait(digest, 60.0) is True


def test_a_change_that_leaves_the_document_as_it_is_is_none(postgres_url: str) -> None:
    with PostgresStore(postgres_url, "wf", 60) as store, psycopg.connect(postgres_url, autocommit=True) as tool:
        store.save("key", 1)
        digest = store.snapshot().digest
        tool.execute("UPDATE agent_state SET version = 9")
        assert store.wait(digest, 0.0) is False


# --- processes and connections


def test_a_child_process_leaves_the_sessions_of_its_parent_alone(postgres_url: str) -> None:
    with PostgresStore(postgres_url, "wf", 60) as store:
        store.save("key", 1)
        backend = store._database.read(lambda session: session.backend, "look")
        for _ in range(3):
            child = os.fork()
            if not child:
                os._exit(
                    0 if store.update("key", increased) and store._database.read(_backend, "look") != backend else 1
                )
            assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert store.load("key") == 4
        assert store._database.read(_backend, "look") == backend


def _backend(session: object) -> object:
    return session.backend  # type: ignore[attr-defined]


def test_a_child_that_is_born_in_a_transaction_and_leaves_it_does_not_end_it(postgres_url: str) -> None:
    class LeftError(Exception):
        pass

    with PostgresStore(postgres_url, "wf", 60) as store, PostgresStore(postgres_url, "wf", 60) as other:

        def body(transaction: Transaction) -> int:
            transaction.save("key", transaction.load("key", 0))
            child = os.fork()
            if not child:
                raise LeftError
            assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
            assert [holder.pid for holder in other.holders()] == [os.getpid()]
            transaction.save("key", "by the parent")
            return child

        try:
            store.transact(body)
        except LeftError:
            os._exit(0 if store.keys() == [] else 1)
        assert store.load("key") == "by the parent"


def test_connections_are_few_and_end_with_the_store(postgres_url: str) -> None:
    with psycopg.connect(postgres_url, autocommit=True) as tool:

        def count() -> int:
            row = tool.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
            ).fetchone()
            return int(row[0]) if row else 0

        store = PostgresStore(postgres_url, "wf", 60)

        def add(_: int, store: PostgresStore = store) -> JSON:
            return store.update("key", increased, 0)

        with ThreadPoolExecutor(16) as pool:
            assert sorted(map(str, pool.map(add, range(64)))) == sorted(map(str, range(1, 65)))
            assert count() <= 16
        until(lambda: count() <= 4, "few connections are kept")
        store.close()
        until(lambda: count() == 0, "the connections are closed")
        assert store.load("key") == 64
        del store, add
        until(lambda: count() == 0, "the connections of a store that is forgotten are closed")


def test_a_commit_is_found_out_about_when_its_reply_is_lost(own_postgres: PostgresServer) -> None:
    with Cutter(own_postgres.port) as cutter, PostgresStore(cutter.through(own_postgres.url), "wf", 10) as store:
        store.save("count", 0)
        for lose in (cutter.lose_reply, cutter.lose_request):
            for _ in range(5):
                runs.clear()
                lose(COMMIT)
                store.update("count", counted)
                assert len(runs) == (1 if lose == cutter.lose_reply else 2)
        assert cutter.cuts == 10
        assert store.load("count") == 10


def test_a_server_that_dies_over_a_commit_is_asked_when_it_is_back(own_postgres: PostgresServer) -> None:
    with (
        Cutter(own_postgres.port) as cutter,
        PostgresStore(cutter.through(own_postgres.url), "wf", 30) as store,
        ThreadPoolExecutor(1) as pool,
    ):
        store.save("count", 0)
        for lose in (cutter.lose_reply, cutter.lose_request):
            lose(COMMIT, then_refuse=True)
            cuts = cutter.cuts
            writing = pool.submit(store.update, "count", increased)
            until(lambda cuts=cuts: cutter.cuts > cuts, "the connection is lost")  # type: ignore[misc]
            own_postgres.kill()
            own_postgres.start()
            cutter.heal()
            writing.result()
        assert store.load("count") == 2


def test_an_outcome_that_cannot_be_found_out_is_unknown(own_postgres: PostgresServer) -> None:
    with Cutter(own_postgres.port) as cutter, PostgresStore(cutter.through(own_postgres.url), "wf", 0.3) as store:
        store.save("count", 0)
        cutter.lose_reply(COMMIT, then_refuse=True)
        with pytest.raises(UnknownOutcomeError, match=r"while this was committed: save count"):
            store.save("count", 1)
        cutter.heal()
        assert store.load("count") == 1


def test_a_session_that_waits_in_vain_for_its_client_is_ended(postgres_url: str) -> None:
    """As after a firewall has forgotten the connection: the server still has the transaction, open."""
    with PostgresStore(postgres_url, "wf", 0.5) as store:
        store.save("key", 1)
        database = store._database
        with database._sessions.lend() as forgotten, forgotten.transaction(store._lock, "statewatch", 1.0):
            forgotten.execute("UPDATE agent_state SET state_data = '2'")
            forgotten._writes += 1
            forgotten._asked = time.time()
            assert database._was_committed(forgotten, "save key") is False
            with pytest.raises(PostgresError):
                forgotten.execute("SELECT 1")
        assert store.load("key") == 1
        store.save("key", 3)
        forgotten._asked -= 86_000  # as after a computer has slept over it
        with pytest.raises(UnknownOutcomeError):
            database._was_committed(forgotten, "save key")


def test_signs_of_sessions_do_not_pile_up(postgres_url: str) -> None:
    with psycopg.connect(postgres_url, autocommit=True) as tool:
        for number in range(3):
            with PostgresStore(postgres_url, "wf", 60) as store:
                store.save("key", number)
                store.checkpoint(f"number {number}")
        assert tool.execute("SELECT count(*), max(write) FROM statewatch_sessions").fetchone() == (3, 2)
        tool.execute("UPDATE statewatch_sessions SET written_at = now() - interval '2 days'")
        with PostgresStore(postgres_url, "wf", 60) as store:
            store.save("key", None)
        assert tool.execute("SELECT count(*), max(write) FROM statewatch_sessions").fetchone() == (1, 1)


def test_a_hundred_thousand_keys_are_written_and_read(postgres_url: str) -> None:
    document: dict[str, JSON] = {f"key {number:06}": {"number": number, "a": "x" * 40} for number in range(100_000)}
    with ExitStack() as stack:
        store = stack.enter_context(PostgresStore(postgres_url, "wf", 60))
        store.transact(lambda transaction: transaction.replace(document))
        assert store.snapshot().document == document
        assert len(store.keys()) == 100_000
        store.save("key 050000", None)


def test_a_server_that_is_gone_before_the_library_knows_it_is_lost_and_not_a_refusal(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What psycopg raises when it polls a socket just closed, while libpq still takes the connection for good."""
    with PostgresStore(postgres_url, "wf-1", timeout=5) as store:
        store.save("count", 1)
        execute, failing = psycopg.Connection.execute, [True]

        def gone_once(self: object, *args: object, **options: object) -> object:
            if failing:
                failing.clear()
                raise psycopg.OperationalError("connection socket closed")
            return execute(self, *args, **options)  # type: ignore[call-overload]

        monkeypatch.setattr(psycopg.Connection, "execute", gone_once)
        assert store.update("count", increased) == 2
        assert not failing
