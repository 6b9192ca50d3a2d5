"""The moods of a Redis server: full, read-only, still loading, locked up, not the one that is needed."""

import os
import signal
import socketserver
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
import redis

from statewatch.core.errors import MissingKeyError, RefusedError, SourceError, StatewatchError, UnavailableError
from statewatch.core.stores.redis import RedisStore
from statewatch.core.stores.transaction import Transaction
from tests.conftest import running
from tests.servers import RedisServer
from tests.support import until


class SetServer(RedisServer):
    """A server with further settings."""

    def __init__(self, *settings: str, durable: bool = False) -> None:
        super().__init__(durable=durable)
        self._settings = settings

    def _command(self, port: int) -> Sequence[str | Path]:
        return [*super()._command(port), *self._settings]


@contextmanager
def server(*settings: str, durable: bool = False) -> Iterator[SetServer]:
    """Run a server with further settings."""
    with closing(running(lambda: SetServer(*settings, durable=durable))) as servers:  # type: ignore[type-var]
        yield next(servers)


@contextmanager
def told(*sayings: bytes) -> Iterator[str]:
    """Run what is no Redis server: it answers each command with the next saying, in the end always with the last.

    What redis-py says of itself (CLIENT SETINFO) is well received.
    """
    answers = list(sayings)

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            while data := self.request.recv(65_536):
                greetings = data.count(b"SETINFO")
                self.request.sendall(b"+OK\r\n" * greetings or (answers.pop(0) if len(answers) > 1 else answers[0]))

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as one:
        one.daemon_threads = True
        threading.Thread(target=one.serve_forever, args=(0.01,), daemon=True).start()
        yield f"redis://127.0.0.1:{one.server_address[1]}/0"
        one.shutdown()


def refused(store: RedisStore) -> str:
    """Return why a store will not save."""
    with pytest.raises(RefusedError) as caught:
        store.save("new", "x" * 100)
    return str(caught.value)


def test_a_full_server_is_read_and_takes_deletions_and_no_half_of_a_change() -> None:
    with server() as full, RedisStore(full.url, "wf-1", 2) as store, redis.Redis.from_url(full.url) as client:
        store.transact(lambda transaction: transaction.save_all({"a": 1, "b": 2}))
        client.config_set("maxmemory", 1)
        assert "maxmemory" in refused(store)

        def exchange(transaction: Transaction) -> None:
            transaction.delete("a")
            transaction.save("c", "x" * 1000)

        with pytest.raises(RefusedError, match="limit of memory"):
            store.transact(exchange)
        assert store.snapshot().document == {"a": 1, "b": 2}
        with pytest.raises(RefusedError, match="limit of memory"):
            store.checkpoint("release")
        store.delete("a")
        assert store.keys() == ["b"]
        client.config_set("maxmemory", 0)
        store.save("c", 3)
        assert store.snapshot().document == {"b": 2, "c": 3}


def test_a_replica_is_read_and_says_that_it_only_reads(own_redis: RedisServer) -> None:
    with redis.Redis.from_url(own_redis.url) as client:
        client.config_set("repl-diskless-sync-delay", 0)
    with RedisStore(own_redis.url, "wf-1") as primary, server("--replicaof", "127.0.0.1", str(own_redis.port)) as copy:
        primary.save("phase", "build")
        primary.checkpoint("release")
        with RedisStore(copy.url, "wf-1", 2) as store:
            until(lambda: store.load("phase", None) == "build", "the copy")
            until(lambda: [made.name for made in store.checkpoints()] == ["release"], "the checkpoint")
            assert store.snapshot().document == {"phase": "build"}
            assert "replica" in refused(store)
            with pytest.raises(RefusedError, match="replica"):
                store.delete("phase")
            digest = store.snapshot().digest
            with ThreadPoolExecutor(1) as pool:
                waiting = pool.submit(store.wait, digest, 30)
                primary.save("phase", "test")
                assert waiting.result()


def test_a_server_that_cannot_save_to_its_disk_says_so() -> None:
    with server("--dbfilename", "dump") as sick, RedisStore(sick.url, "wf-1", 2) as store:
        with redis.Redis.from_url(sick.url) as client:
            client.config_set("save", "3600 1")
            (sick.directory / "dump").mkdir()  # nothing can be put in its place
            client.set("x", 1)
            client.bgsave()
            until(lambda: client.info("persistence")["rdb_last_bgsave_status"] == "err", "the failure")
        assert "disk" in refused(store)
        assert store.keys() == []


def test_a_server_that_misses_its_replicas_says_so() -> None:
    with server("--min-replicas-to-write", "1") as lonely, RedisStore(lonely.url, "wf-1", 2) as store:
        assert "replicas" in refused(store)


class TestUsers:
    """Passwords and permissions."""

    def test_a_password_is_used_and_never_told(self) -> None:
        with server() as guarded, redis.Redis.from_url(guarded.url) as client:
            client.config_set("requirepass", "hunter2/ä")
            right = guarded.url.replace("://", "://:hunter2%2F%C3%A4@")
            with RedisStore(right, "wf-1", 2) as store:
                store.save("phase", "build")
                assert "hunter2" not in store.url
            for url in (
                guarded.url,
                guarded.url.replace("://", "://:hunter3@"),
                guarded.url.replace("://", "://me:hunter3@"),
            ):
                begun = time.monotonic()
                with RedisStore(url, "wf-1", 20) as store, pytest.raises(SourceError, match="password") as caught:
                    store.load("phase")
                assert not isinstance(caught.value, UnavailableError)
                assert time.monotonic() - begun < 10
                assert "hunter3" not in str(caught.value)

    def test_a_password_that_the_server_does_not_want_is_an_error(self, redis_url: str) -> None:
        with RedisStore(redis_url.replace("://", "://:hunter2@"), timeout=2) as store:
            with pytest.raises(SourceError, match="password") as caught:
                store.keys()
            assert "hunter2" not in str(caught.value)

    @pytest.mark.parametrize(
        "rights",
        [
            ["~state:*", "+@all", "allchannels"],
            ["~*", "+@read", "+@scripting", "+@connection", "-keys"],
            ["~*", "+@all", "-set", "allchannels"],
            ["~*", "+@all", "-del", "allchannels"],
        ],
        ids=["not our own keys", "reading only", "no SET", "no DEL"],
    )
    def test_one_who_may_not_write_is_refused_and_changes_nothing(self, rights: list[str]) -> None:
        with server() as strict, redis.Redis.from_url(strict.url) as client:
            with RedisStore(strict.url, "wf-1") as store:
                store.transact(lambda transaction: transaction.save_all({"a": 1, "b": 2}))
            client.execute_command("ACL", "SETUSER", "me", "on", ">secret", *rights)

            def exchange(transaction: Transaction) -> None:
                transaction.delete("a")
                transaction.save("c", 3)

            with RedisStore(strict.url.replace("://", "://me:secret@"), "wf-1", 2) as store:
                assert store.snapshot().document == {"a": 1, "b": 2}
                with pytest.raises(RefusedError, match="may not"):
                    store.transact(exchange)
                assert store.snapshot().document == {"a": 1, "b": 2}

    def test_keys_channels_and_information_may_be_forbidden(self) -> None:
        with server() as strict, redis.Redis.from_url(strict.url) as client:
            rights = ["~state:*", "~checkpoint:*", "~statewatch:*", "+@all", "-keys", "-@admin", "resetchannels"]
            client.execute_command("ACL", "SETUSER", "me", "on", ">secret", *rights)
            with RedisStore(strict.url.replace("://", "://me:secret@"), "wf-1", 2) as store:
                for number in range(1100):
                    client.set(f"state:other:{number}", "1")
                store.transact(lambda transaction: transaction.save_all({f"k{number:04}": 1 for number in range(1100)}))
                assert store.keys() == [f"k{number:04}" for number in range(1100)]
                store.transact(lambda transaction: transaction.replace({"a": 1}))
                store.checkpoint("release")
                assert store.read_checkpoint("release").document == store.snapshot().document == {"a": 1}
                with ThreadPoolExecutor(1) as pool:
                    waiting = pool.submit(store.wait, store.snapshot().digest, 30)
                    client.set("state:wf-1:a", "2")
                    assert waiting.result()


class TestOtherServers:
    """What is at the address is not what was meant."""

    def test_a_cluster_is_refused(self) -> None:
        with server("--cluster-enabled", "yes") as cluster, RedisStore(cluster.url, timeout=2) as store:
            for use in (store.keys, lambda: store.save("a", 1), store.checkpoints):
                with pytest.raises(RefusedError, match="Cluster is not supported"):
                    use()

    def test_a_sentinel_is_refused(self) -> None:
        hello = b"*4\r\n$7\r\nversion\r\n$6\r\n7.0.15\r\n$4\r\nmode\r\n$8\r\nsentinel\r\n"
        with (
            told(hello) as url,
            RedisStore(url, timeout=2) as store,
            pytest.raises(RefusedError, match="Sentinel"),
        ):
            store.keys()

    @pytest.mark.parametrize(
        "hello",
        [
            b"-ERR unknown command `HELLO`\r\n",
            b"*4\r\n$7\r\nversion\r\n$6\r\n6.0.16\r\n$4\r\nmode\r\n$10\r\nstandalone\r\n",
        ],
    )
    def test_a_server_that_is_too_old_is_refused(self, hello: bytes) -> None:
        with (
            told(hello) as url,
            RedisStore(url, timeout=2) as store,
            pytest.raises(RefusedError, match=r"6\.2 or later"),
        ):
            store.load("a")

    def test_what_is_no_redis_server_is_an_error(self) -> None:
        with (
            told(b"HTTP/1.1 400 Bad Request\r\n\r\n") as url,
            RedisStore(url, timeout=2) as store,
            pytest.raises(SourceError, match=r"127\.0\.0\.1"),
        ):
            store.keys()

    @pytest.mark.parametrize(
        "url",
        [
            "redis://127.0.0.1:port/0",
            "redis://127.0.0.1:99999999/0",
            "redis://127.0.0.1/0?socket_timeout=soon",
            "redis://127.0.0.1/0?no_such_option=1",
            "redis://:hunter2@[127.0.0.1/0",
        ],
    )
    def test_what_is_no_address_is_refused(self, url: str) -> None:
        with pytest.raises(StatewatchError) as caught:
            RedisStore(url)
        assert "hunter2" not in str(caught.value)

    def test_a_database_that_is_not_there_is_an_error(self, redis_url: str) -> None:
        with RedisStore(redis_url.rpartition("/")[0] + "/4711", timeout=2) as store:
            with pytest.raises(SourceError, match="DB index") as caught:
                store.keys()
            assert not isinstance(caught.value, UnavailableError)

    def test_options_that_would_change_the_answers_are_passed_over(self, redis_url: str) -> None:
        url = f"{redis_url}?protocol=3&decode_responses=yes&max_connections=3&socket_timeout=5&retry_on_timeout=yes"
        with RedisStore(url, "wf-1", 5) as store:
            store.save("phase", "größe")
            assert store.snapshot().document == {"phase": "größe"}
            assert store.holders() == []

    def test_a_unix_socket_will_do(self) -> None:
        with server("--unixsocket", "redis.sock") as local:
            url = f"unix://{local.directory}/redis.sock?db=2"
            with RedisStore(url, "wf-1", 2) as store, redis.Redis.from_url(local.url[:-1] + "2") as client:
                store.save("phase", "build")
                assert client.get("state:wf-1:phase") == b'"build"'
                local.stop()
                with pytest.raises(UnavailableError, match=r"redis\.sock"):
                    store.load("phase")
                local.start()
                with pytest.raises(MissingKeyError):
                    store.load("phase")


@pytest.mark.parametrize(
    "mood",
    [
        b"-LOADING Redis is loading the dataset in memory\r\n",
        b"-BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.\r\n",
        b"-MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.\r\n",
        b"-ERR max number of clients reached\r\n",
    ],
)
def test_a_mood_that_passes_is_waited_for(mood: bytes) -> None:
    hello = b"*2\r\n$7\r\nversion\r\n$6\r\n7.0.15\r\n"
    with told(hello, mood, mood, b"$1\r\n1\r\n") as url, RedisStore(url, timeout=10) as store:
        assert store.load("count") == 1
    with told(hello, mood) as url, RedisStore(url, timeout=0.2) as store:
        with pytest.raises(UnavailableError, match=r"127\.0\.0\.1"):
            store.load("count")
        with pytest.raises(UnavailableError):
            store.save("count", 1)


def test_a_server_that_is_held_up_is_waited_for_and_given_up_in_time(own_redis: RedisServer) -> None:
    with RedisStore(own_redis.url, "wf-1", 0.5) as hasty, RedisStore(own_redis.url, "wf-1", 30) as patient:
        hasty.save("count", 1)
        os.kill(own_redis.pid, signal.SIGSTOP)
        try:
            begun = time.monotonic()
            with pytest.raises(UnavailableError, match=str(own_redis.port)):
                hasty.load("count")
            assert time.monotonic() - begun < 10
            with ThreadPoolExecutor(1) as pool:
                reading = pool.submit(patient.load, "count")
                os.kill(own_redis.pid, signal.SIGCONT)
                assert reading.result() == 1
        finally:
            os.kill(own_redis.pid, signal.SIGCONT)
        hasty.save("count", 2)
        assert patient.load("count") == 2
