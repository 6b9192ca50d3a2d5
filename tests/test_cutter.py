"""The proxy loses what it was told to lose and nothing else: a connection, a request, the reply to one."""

import contextlib
import socket
import socketserver
import threading
from collections.abc import Iterator

import psycopg
import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from tests.cutter import Cutter
from tests.servers import PostgresServer, RedisServer
from tests.support import until


class Echo(socketserver.BaseRequestHandler):
    """Says back whatever it gets."""

    def handle(self) -> None:
        with contextlib.suppress(ConnectionResetError):
            while data := self.request.recv(1 << 16):
                self.server.heard += data  # type: ignore[attr-defined]
                self.request.sendall(data)


class EchoServer(socketserver.ThreadingTCPServer):
    """A server that remembers what it has heard."""

    daemon_threads = True
    heard = b""


@pytest.fixture
def echo() -> Iterator[EchoServer]:
    with EchoServer(("127.0.0.1", 0), Echo) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def client(cutter: Cutter) -> socket.socket:
    """Connect, and make sure that the server is reached."""
    connection = socket.create_connection(("127.0.0.1", cutter.port), timeout=10)
    assert say(connection, b"hello") == b"hello"
    return connection


def say(connection: socket.socket, words: bytes) -> bytes:
    """Send and return what comes back, as much as was sent."""
    connection.sendall(words)
    back = b""
    while len(back) < len(words) and (data := connection.recv(1 << 16)):
        back += data
    return back


def test_connections_are_cut_refused_and_healed(echo: EchoServer) -> None:
    with Cutter(echo.server_address[1]) as cutter, client(cutter) as first, client(cutter) as second:
        cutter.cut()
        for connection in (first, second):
            with pytest.raises(ConnectionResetError):
                connection.recv(1)
        assert cutter.cuts == 2
        with client(cutter) as third:
            cutter.refuse()
            with pytest.raises(ConnectionRefusedError):
                client(cutter)
            assert say(third, b"still here") == b"still here"
        cutter.heal()
        with client(cutter) as fourth:
            assert say(fourth, b"x" * 3_000_000) == b"x" * 3_000_000


def test_so_many_bytes_pass_and_no_more(echo: EchoServer) -> None:
    with Cutter(echo.server_address[1]) as cutter, client(cutter) as connection:
        cutter.cut_after(to_client=7)
        assert say(connection, b"four") == b"four"
        connection.sendall(b"and more")
        assert connection.recv(100) == b"and"
        with pytest.raises(ConnectionResetError):
            connection.recv(100)
        with client(cutter) as another:
            cutter.cut_after(to_server=3)
            with pytest.raises(ConnectionResetError):
                say(another, b"only three")
        until(lambda: echo.heard == b"hellofourand morehelloonl", "the end of what the server hears")


def test_the_reply_to_a_commit_is_lost_after_the_server_has_committed(
    postgres_server: PostgresServer, postgres_url: str
) -> None:
    with psycopg.connect(postgres_url, autocommit=True) as direct, Cutter(postgres_server.port) as cutter:
        direct.execute("CREATE TABLE numbers (number int)")
        cutter.lose_reply(b"COMMIT", nth=2, then_refuse=True)
        with psycopg.connect(cutter.through(postgres_url)) as connection:
            for number in (1, 2):
                connection.execute("INSERT INTO numbers VALUES (%s)", (number,))
                with contextlib.nullcontext() if number == 1 else pytest.raises(psycopg.OperationalError):
                    connection.commit()
        assert cutter.cuts == 1
        assert direct.execute("SELECT number FROM numbers ORDER BY number").fetchall() == [(1,), (2,)]
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(cutter.through(postgres_url))

        cutter.heal()
        cutter.lose_request(b"COMMIT")
        with psycopg.connect(cutter.through(postgres_url)) as connection:
            connection.execute("INSERT INTO numbers VALUES (3)")
            with pytest.raises(psycopg.OperationalError):
                connection.commit()
        assert direct.execute("SELECT max(number) FROM numbers").fetchone() == (2,)
        psycopg.connect(cutter.through(postgres_url)).close()  # a plan happens once


def test_the_reply_to_a_script_is_lost_after_redis_has_run_it(redis_server: RedisServer, redis_url: str) -> None:
    script = "return redis.call('INCR', 'counted')"
    with redis.Redis.from_url(redis_url) as direct, Cutter(redis_server.port) as cutter:
        through = redis.Redis.from_url(cutter.through(redis_url), retry=Retry(NoBackoff(), 0))
        with through:
            cutter.lose_reply(b"EVAL")
            with pytest.raises(redis.ConnectionError):
                through.eval(script, 0)
            assert direct.get("counted") == b"1"
            cutter.lose_request(b"EVAL")
            with pytest.raises(redis.ConnectionError):
                through.eval(script, 0)
            assert direct.get("counted") == b"1"
            assert through.eval(script, 0) == 2
            assert cutter.cuts == 2
