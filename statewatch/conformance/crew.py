"""Processes that use a store as other programs would: opened anew, told what to do, and killed where that is the test.

They are forked from a process that has loaded everything and has no threads, so that each costs milliseconds and shares
nothing with the test. What they are told to do are functions of `work`, called with a `Job` first.
"""

import multiprocessing
import os
import traceback
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from statewatch.conformance.place import PATIENCE, Opener
from statewatch.core.stores.base import Store

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from multiprocessing.context import ForkServerProcess

Work = Callable[..., object]

_PRELOADED = ["statewatch.conformance.work", "statewatch.core.stores.file", "orjson", "sqlite3", "redis", "psycopg"]
"""What the processes would import, each anew: what is not installed is passed over."""


class Job:
    """What a process has at hand: the store, and a line to the test."""

    def __init__(self, opener: Opener, line: "Connection[Any, Any]") -> None:
        self.open = opener
        self._line = line
        self._store: Store | None = None

    @property
    def store(self) -> Store:
        """The namespace that most clauses use, opened when it is first asked for."""
        if self._store is None:
            self._store = self.open("default", PATIENCE)
        return self._store

    def say(self, what: object) -> None:
        """Tell the test something in the midst of the work."""
        self._line.send(("said", what))

    def pause(self) -> None:
        """Wait until the test says to go on."""
        self._line.recv()


class _Telling:
    """Tells the test how the work failed, whatever it was."""

    def __init__(self, line: "Connection[Any, Any]") -> None:
        self._line = line

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if error is not None:
            self._line.send(("failed", "".join(traceback.format_exception(error))))


def _serve(opener: Opener, line: "Connection[Any, Any]", environment: Mapping[str, str]) -> None:
    os.environ.clear()  # the process this one was forked from was begun by an earlier test
    os.environ.update(environment)
    job = Job(opener, line)
    try:
        while True:
            work, arguments = line.recv()
            with _Telling(line):
                line.send(("done", work(job, *arguments)))
    except (EOFError, BrokenPipeError, ConnectionResetError):
        pass  # the test is over


class Member:
    """One process."""

    def __init__(self, opener: Opener) -> None:
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(_PRELOADED)
        self._line, theirs = context.Pipe()
        self._process: ForkServerProcess = context.Process(
            target=_serve, args=(opener, theirs, dict(os.environ)), daemon=True
        )
        self._process.start()
        theirs.close()

    @property
    def pid(self) -> int:
        """The number of the process."""
        assert self._process.pid is not None
        return self._process.pid

    def begin(self, work: Work, *arguments: object) -> None:
        """Tell it to do something."""
        self._line.send((work, arguments))

    def hear(self) -> Any:
        """Return the next thing it says in the midst of its work."""
        return self._next("said")

    def go_on(self) -> None:
        """Let it go on after a pause."""
        self._line.send(None)

    def result(self) -> Any:
        """Return what its work came to, passing over what it still says."""
        return self._next("done")

    def do(self, work: Work, *arguments: object) -> Any:
        """Let it do something and return what came of it."""
        self.begin(work, *arguments)
        return self.result()

    def kill(self) -> list[Any]:
        """Kill it at once, with SIGKILL, and return what it had said that was not heard yet."""
        self._process.kill()
        self._process.join()
        unheard = []
        try:
            while self._line.poll():
                _, what = self._line.recv()
                unheard.append(what)
        except (EOFError, OSError):  # cut off in the middle of a word
            pass
        return unheard

    def close(self) -> None:
        """End it."""
        self._process.kill()
        self._process.join()
        self._process.close()
        self._line.close()

    def _next(self, wanted: str) -> Any:
        while True:
            assert self._line.poll(2 * PATIENCE), f"a process said nothing for {2 * PATIENCE:.0f} s"
            try:
                kind, what = self._line.recv()
            except (EOFError, ConnectionResetError):
                raise AssertionError("a process has ended before it was done") from None
            assert kind != "failed", f"a process has failed:\n{what}"
            if kind == wanted:
                return what


class Crew:
    """The processes of one test, which end with it."""

    def __init__(self, opener: Opener) -> None:
        self._opener = opener
        self._members: list[Member] = []

    def __enter__(self) -> Self:
        """Return the crew."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """End all processes."""
        while self._members:
            self._members.pop().close()

    def member(self) -> Member:
        """Begin another process."""
        member = Member(self._opener)
        self._members.append(member)
        return member

    def members(self, count: int) -> list[Member]:
        """Begin some more processes."""
        return [self.member() for _ in range(count)]


def together(members: list[Member], work: Work, *arguments: object, numbered: bool = False) -> list[Any]:
    """Let several do the same at the same time, told their own number first if *numbered*; return what came of it."""
    for number, member in enumerate(members):
        member.begin(work, *([number] if numbered else []), *arguments)
    return [member.result() for member in members]
