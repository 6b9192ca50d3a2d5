"""The connections of a Redis store: what is sent again when one breaks, what is not, and errors in words.

Nothing here repeats a commit: redis-py's own retries are off, since they cannot know what was done already.
"""

import contextlib
import os
import random
import re
import time
from collections.abc import Callable
from typing import Any, Final, Protocol, TypeVar, cast

import redis
from redis.backoff import NoBackoff
from redis.connection import parse_url
from redis.retry import Retry

from statewatch.core.errors import RefusedError, SourceError, StatewatchError, UnavailableError
from statewatch.core.stores.redis_scripts import Script
from statewatch.documents.text import harmless

T = TypeVar("T")
Word = bytes | str | int

_OLDEST: Final = (6, 2)
_FIRST_PAUSE, _LONGEST_PAUSE = 0.01, 0.25
_SHORTEST_ANSWER, _LONGEST_ANSWER = 1.0, 30.0
"""Seconds to wait for the next bytes of an answer before the connection counts as broken, at least and at most."""

_IN_SCRIPT: Final = re.compile(r"-(OOM|READONLY|MISCONF|NOREPLICAS|WRONGTYPE)\b")
"""The code of an error inside a script, as Redis before 7.0 says it."""
_FORBIDDEN_IN_SCRIPT: Final = "The user executing the script can't"
"""How each Redis says what others of its errors say with a code."""
_CODES: Final = (
    (redis.exceptions.NoPermissionError, "NOPERM"),
    (redis.exceptions.OutOfMemoryError, "OOM"),
    (redis.exceptions.ReadOnlyError, "READONLY"),
    (redis.exceptions.AuthenticationError, "NOAUTH"),
    (redis.exceptions.MasterDownError, "MASTERDOWN"),
    (redis.exceptions.MovedError, "MOVED"),
    (redis.exceptions.AskError, "MOVED"),
    (redis.exceptions.ClusterCrossSlotError, "MOVED"),
    (redis.exceptions.ClusterDownError, "MOVED"),
)
"""redis-py takes the code off the message of these."""
_CLUSTER: Final = (
    "Redis Cluster is not supported: a namespace must be on one server. Name one that is not in a cluster."
)
_REFUSED: Final = {
    "OOM": "the server is at its limit of memory (maxmemory) and takes nothing more. Free some, or raise the limit.",
    "READONLY": "this server is a replica, which only reads. Name the server that it is a copy of.",
    "MISCONF": "the server cannot save its data to its disk, and so takes no changes. See its log.",
    "NOREPLICAS": "the server takes no changes while it has too few replicas (min-replicas-to-write).",
    "MOVED": _CLUSTER,
}
_PASSING: Final = frozenset({"BUSY", "MASTERDOWN", "LOADING", "TRYAGAIN"})


class LostReplyError(Exception):
    """The connection broke while the reply was awaited: it was done, or not, or will be."""


class WrongTypeError(SourceError):
    """A key holds something other than text."""


class Wire(Protocol):
    """What is used of redis-py's Connection."""

    def send_command(self, *words: Word) -> None: ...
    def read_response(self) -> Any: ...
    def can_read(self, timeout: float = 0) -> bool: ...
    def disconnect(self) -> None: ...


class Link:
    """The way to one server, for all threads of a process; a child process has connections of its own.

    *url* is one of redis-py's, *shown* what messages call it, *timeout* in seconds. Raises RefusedError where the URL
    is none. Nothing is connected to yet.
    """

    def __init__(self, url: str, shown: str, timeout: float) -> None:
        self._shown = shown
        self._timeout = timeout
        answer = min(max(timeout, _SHORTEST_ANSWER), _LONGEST_ANSWER)
        try:
            given: dict[str, Any] = parse_url(url)  # type: ignore[no-untyped-call]
            options: dict[str, Any] = {"socket_timeout": answer, "max_connections": 2**31}
            if "path" not in given:
                options |= {"socket_connect_timeout": answer, "socket_keepalive": True}
            options |= given
            # These decide what is read and how often something is sent, so a URL cannot change them.
            options |= {"protocol": 2, "decode_responses": False, "retry": Retry(NoBackoff(), 0)}
            self._pool = redis.ConnectionPool(**options)
            self._pool.connection_class(**self._pool.connection_kwargs)
        except (ValueError, TypeError):  # whose text may hold a part of the password
            raise RefusedError(
                f"{shown}: this is no address of a Redis server. Those are redis://USER:PASSWORD@HOST:PORT/NUMBER, "
                "rediss:// for TLS and unix://PATH?db=NUMBER, with %XX for special characters in a password, and with "
                "options that redis-py knows."
            ) from None
        self.database = int(options.get("db") or 0)
        self._place = str(options.get("path") or f"{options.get('host', 'localhost')}:{options.get('port', 6379)}")
        self._known_in = 0

    def ask(self, *words: Word) -> Any:
        """Send a command, again where the connection breaks, and return the reply.

        Raises UnavailableError when there was none in time, and as `explained` says.
        """
        return self.persist(lambda wire: _exchange(wire, words))

    def run(self, script: Script, *words: Word) -> Any:
        """Run a script, as `ask` does."""
        return self.persist(lambda wire: _run(wire, script, words))

    def run_once(self, script: Script, *words: Word) -> Any:
        """Run a script that must not be sent again. Raises LostReplyError, and otherwise as `ask` does."""

        def once(wire: Wire) -> Any:
            try:
                return _run(wire, script, words)
            except (redis.ConnectionError, redis.TimeoutError) as error:
                if _can_pass(error) and not isinstance(error, redis.exceptions.BusyLoadingError):
                    raise LostReplyError from None
                raise

        return self.persist(once)

    def persist(self, use: Callable[[Wire], T]) -> T:
        """Let *use* have a connection, and another one after a pause where it breaks; raises as `ask` does."""
        deadline = time.monotonic() + self._timeout
        pause = _FIRST_PAUSE
        while True:
            try:
                wire = self.take()
                try:
                    return use(wire)
                finally:
                    self.give_back(wire)
            except redis.RedisError as error:
                if not _can_pass(error):
                    raise self.explained(error) from None
                left = deadline - time.monotonic()
                if left <= 0:
                    raise self._out_of_reach(error) from None
            time.sleep(min(pause * random.uniform(0.5, 1.0), left))  # noqa: S311 - spreads callers, decides nothing
            pause = min(pause * 2, _LONGEST_PAUSE)

    def _out_of_reach(self, error: redis.RedisError) -> UnavailableError:
        return UnavailableError(
            self._shown,
            f"the Redis server at {self._place} could not be reached in {self._timeout:g} s "
            f"({harmless(str(error), 300)}). See whether it runs there, and whether the address is right.",
        )

    def explained(self, error: redis.RedisError) -> StatewatchError:
        """Return what the server has said, in words: RefusedError where it will not write, else SourceError."""
        code, said = _code(error), harmless(str(error), 300)
        if code in _REFUSED:
            return RefusedError(f"{self._shown}: {_REFUSED[code]} Nothing was changed.")
        if code == "NOPERM":
            return RefusedError(
                f"{self._shown}: the user may not do this: {said}. It needs the keys state:*, checkpoint:* and "
                "statewatch:*, the commands for reading and writing texts, and EVALSHA, EVAL and HELLO."
            )
        if code == "NOAUTH":
            return SourceError(
                self._shown,
                f"{self._place} did not accept the user and password, or their absence: {said}. Set REDIS_URL to the "
                "address of the server with its password, or give that address (redis://USER:PASSWORD@HOST:PORT/NUMBER).",
            )
        if code == "WRONGTYPE":
            return WrongTypeError(self._shown, "it holds something other than text")
        return SourceError(self._shown, f"{self._place} answered: {said}")

    def close(self) -> None:
        """Let go of the connections that nobody uses at the moment."""
        self._pool.disconnect(inuse_connections=False)

    def take(self) -> Wire:
        """Return a connection that is the caller's alone until it is given back. Raises redis-py's errors."""
        connection = self._pool.get_connection()
        if self._known_in != os.getpid():
            with contextlib.ExitStack() as unless_it_will_do:
                unless_it_will_do.callback(self.give_back, connection)
                self._meet(connection)
                unless_it_will_do.pop_all()
            self._known_in = os.getpid()
        return connection

    def give_back(self, wire: Wire) -> None:
        """Give a connection back, whose replies have all been read."""
        self._pool.release(cast("Any", wire))

    def _meet(self, wire: Wire) -> None:
        """Make sure that this is a server that will do."""
        try:
            words = _exchange(wire, ("HELLO",))
        except redis.ResponseError as error:
            if isinstance(error, redis.exceptions.NoPermissionError):
                return  # it will show
            words = []
        about = dict(zip(words[::2], words[1::2], strict=True))
        version = tuple(int(part) for part in re.findall(rb"\d+", about.get(b"version", b"0"))[:2])
        if version < _OLDEST:
            raise self._unfit("statewatch needs Redis 6.2 or later")
        if about.get(b"mode") == b"cluster":
            raise self._unfit(_CLUSTER)
        if about.get(b"mode") == b"sentinel":
            raise self._unfit("this is a Sentinel, which keeps no data. Name the server that it watches.")

    def _unfit(self, why: str) -> RefusedError:
        return RefusedError(f"{self._shown}: {self._place} will not do: {why}")


def _exchange(wire: Wire, words: tuple[Word, ...]) -> Any:
    wire.send_command(*words)
    return wire.read_response()


def _run(wire: Wire, script: Script, words: tuple[Word, ...]) -> Any:
    try:
        return _exchange(wire, ("EVALSHA", script.sha, 0, *words))
    except redis.exceptions.NoScriptError:
        return _exchange(wire, ("EVAL", script.text, 0, *words))


def _code(error: redis.RedisError) -> str:
    for kind, code in _CODES:
        if isinstance(error, kind):
            return code
    if _FORBIDDEN_IN_SCRIPT in str(error):
        return "NOPERM"
    inside = _IN_SCRIPT.search(str(error))
    return inside[1] if inside else str(error).partition(" ")[0]


def _can_pass(error: redis.RedisError) -> bool:
    if isinstance(error, redis.TimeoutError | redis.exceptions.TryAgainError):
        return True
    code = _code(error)
    return code in _PASSING or (isinstance(error, redis.ConnectionError) and code not in ("NOAUTH", "NOPERM"))
