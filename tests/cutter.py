"""A TCP proxy in front of a server that loses connections, requests or replies when it is told to.

    with Cutter(server.port) as cutter:
        client = psycopg.connect(cutter.through(server.url))
        cutter.lose_reply(b"COMMIT")  # the server commits, the client never hears of it
        ...
        assert cutter.cuts == 1

One thread with an event loop serves all connections. A connection is cut with RST on both sides, as when a host or a
firewall forgets it, not with an orderly end.
"""

import asyncio
import socket
import struct
import threading
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from tests.machine import free_port

HOST = "127.0.0.1"
PATIENCE = 10.0
"""Seconds after which a command to the proxy is given up."""


@dataclass
class _Plan:
    """What to lose: the *nth* piece of data from a client that contains *marker*, or the reply to it."""

    marker: bytes
    nth: int
    reply: bool
    then_refuse: bool


@dataclass(eq=False)
class _Connection:
    """A connection of a client, with that to the server, and the task that serves both."""

    task: asyncio.Task[None]
    client: asyncio.StreamWriter
    server: asyncio.StreamWriter | None = None
    reply_to: _Plan | None = None
    """The plan by which the next data from the server is lost."""

    @property
    def ends(self) -> list[asyncio.StreamWriter]:
        return [self.client, self.server] if self.server else [self.client]


class _CutError(Exception):
    """The connection is to be cut now."""


class Cutter:
    """A proxy on a port of 127.0.0.1, in front of the server on port *server_port* there."""

    def __init__(self, server_port: int) -> None:
        self.server_port = server_port
        self.port = 0
        self.cuts = 0
        """How many connections were cut so far, by plan or by `cut`."""
        self._plan: _Plan | None = None
        self._left: dict[bool, int | None] = {True: None, False: None}  # bytes to the server, to the client
        self._open: set[_Connection] = set()
        self._listener: asyncio.Server | None = None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="cutter", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        while not self._listener:
            self.port = free_port()
            with suppress(OSError):  # another process was faster
                self._do(self._listen())
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._do(self._refuse())
        self._do(self._cut_all())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(PATIENCE)
        self._loop.close()

    def through(self, url: str) -> str:
        """Return the address of the server, *url*, as one that goes through the proxy."""
        there = f"{HOST}:{self.server_port}"
        assert there in url, f"{url} is not the address of the server behind this proxy"
        return url.replace(there, f"{HOST}:{self.port}")

    def cut(self) -> None:
        """Cut all connections, and return when that is done. New ones are taken."""
        self._do(self._cut_all())

    def refuse(self) -> None:
        """Refuse new connections, as if no server ran there. Those that are open go on."""
        self._do(self._refuse())

    def heal(self) -> None:
        """Take connections again and lose nothing more; what was planned and has not happened will not."""
        self._plan = None
        self._left = {True: None, False: None}
        if not self._listener:
            self._do(self._listen())

    def lose_request(self, marker: bytes, *, nth: int = 1, then_refuse: bool = False) -> None:
        """Cut a connection instead of passing on the *nth* request with *marker*: the server never gets it.

        A request is what arrives in one piece, so *marker* should be in the first bytes of a small one; an empty one
        is in every request. With *then_refuse*, no new connection is taken afterwards. A plan happens once, and
        replaces the one before.
        """
        self._plan = _Plan(marker, nth, reply=False, then_refuse=then_refuse)

    def lose_reply(self, marker: bytes, *, nth: int = 1, then_refuse: bool = False) -> None:
        """Pass on the *nth* request with *marker*, and cut the connection when the reply begins, which is lost.

        For *marker*, *nth* and *then_refuse* see `lose_request`. A server that replies only when it has done the whole
        has done it by then; the client cannot know.
        """
        self._plan = _Plan(marker, nth, reply=True, then_refuse=then_refuse)

    def cut_after(self, *, to_server: int | None = None, to_client: int | None = None) -> None:
        """Cut a connection when so many bytes, counted from now over all connections, have passed in a direction."""
        self._left = {True: to_server, False: to_client}

    def _do(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(PATIENCE)

    async def _listen(self) -> None:
        self._listener = await asyncio.start_server(self._serve, HOST, self.port)

    async def _refuse(self) -> None:
        if self._listener:
            self._listener.close()
            self._listener = None

    async def _cut_all(self) -> None:
        tasks = [connection.task for connection in self._open]
        for connection in self._open:
            self._cut(connection)
        if tasks:
            await asyncio.wait(tasks)

    def _cut(self, connection: _Connection) -> None:
        self.cuts += 1
        for end in connection.ends:
            _reset(end)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Pass data both ways until one side ends."""
        task = asyncio.current_task()
        assert task is not None
        connection = _Connection(task, writer)
        self._open.add(connection)
        try:
            from_server, connection.server = await asyncio.open_connection(HOST, self.server_port)
            await _first_of(
                self._pass_on(connection, reader, connection.server, to_server=True),
                self._pass_on(connection, from_server, writer, to_server=False),
            )
        except _CutError:
            self._cut(connection)
        except OSError:  # no server, or one that was killed: the client learns no more than it would without a proxy
            for end in connection.ends:
                _reset(end)
        finally:
            for end in connection.ends:
                end.close()
                with suppress(OSError):
                    await end.wait_closed()
            self._open.discard(connection)

    async def _pass_on(
        self, connection: _Connection, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, to_server: bool
    ) -> None:
        writer.transport.set_write_buffer_limits(0)  # so that `drain` waits until the system has everything
        while data := await reader.read(1 << 16):
            plan = self._met_by(data) if to_server else connection.reply_to
            if plan and plan.reply and to_server:
                connection.reply_to = plan
            elif plan:
                if plan.then_refuse:
                    await self._refuse()
                raise _CutError
            left = self._left[to_server]
            writer.write(data[:left])
            await writer.drain()
            if left is not None:
                self._left[to_server] = left - len(data) if left > len(data) else None
                if left <= len(data):
                    raise _CutError

    def _met_by(self, request: bytes) -> _Plan | None:
        """Return the plan if it is about this request; it is then no plan any more."""
        plan = self._plan
        if plan is None or plan.marker not in request:
            return None
        plan.nth -= 1
        if plan.nth:
            return None
        self._plan = None
        return plan


async def _first_of(*works: Coroutine[None, None, None]) -> None:
    """Wait until one of several works has ended, end the others, and raise what it raised."""
    tasks = [asyncio.create_task(work) for work in works]
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in tasks:
        task.cancel()
    for outcome in await asyncio.gather(*tasks, return_exceptions=True):
        if isinstance(outcome, Exception):  # which CancelledError is not
            raise outcome


def _reset(end: asyncio.StreamWriter) -> None:
    """Close a connection so that the other side gets RST: without lingering, and dropping what is not yet sent."""
    with suppress(OSError):  # the other side was faster
        end.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    end.transport.abort()
