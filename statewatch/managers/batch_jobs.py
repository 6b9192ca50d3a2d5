"""The processes of a run: started, listened to, and ended; one thread looks after all of them.

Each is the leader of a process group of its own, reads nothing, and writes its errors (on a terminal its output too)
through us, so that the end of them can be recorded. A guard, a process of its own, ends them if we are killed.
"""

import contextlib
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Final, NamedTuple, Self

from statewatch.managers import batch_guard

KEPT: Final = 4_000
"""Bytes of the end of a command's errors that are recorded."""
_PORTION: Final = 65_536
_LEFT: Final = 1024 * 1024 // _PORTION
"""Portions that are read of an output after its command has ended: no pipe holds more, but what is still written."""
_STOPPING: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Job:
    """A command at work on an item."""

    def __init__(self, index: int, process: int, deadline: float | None) -> None:
        self.index = index
        self.process = process
        self.deadline = deadline
        self.is_late = False
        self.status: int | None = None
        self.errors = bytearray()
        self.readers: dict[int, int] = {}
        """Descriptors that are read, and the one of ours that each is passed on to."""

    @property
    def code(self) -> int:
        """Return the exit code, negative for a signal."""
        return os.waitstatus_to_exitcode(self.status or 0)

    def error(self, timeout: float | None) -> str | None:
        """Return why it failed, None where it went well."""
        said = self.errors[-KEPT:].decode("utf-8", "replace").strip()
        if self.is_late:
            return f"Timed out after {timeout:g} s" + (f"\n{said}" if said else "")
        if self.code == 0:
            return None
        return said or (f"Exit code {self.code}" if self.code > 0 else f"Killed by signal {_name_of(-self.code)}")


class Event(NamedTuple):
    """What was written by a command: to which of our descriptors it goes."""

    descriptor: int
    data: bytes


class Jobs:
    """The commands at work. To be used in the main thread, as a context: signals are taken in that time.

    `stopped_by` is the signal that asked to stop, None while none did.
    """

    def __init__(self, take_output: bool) -> None:
        self.running: dict[int, Job] = {}
        self.stopped_by: int | None = None
        self._take_output = take_output
        self._poll = select.poll()
        self._null = -1

    def __enter__(self) -> Self:
        """Take the signals, and start the guard."""
        self._null = os.open(os.devnull, os.O_RDWR)
        self._mark = os.urandom(8).hex()
        self._guard = subprocess.Popen(  # noqa: S603 - a program of our own
            [sys.executable, "-I", "-S", str(Path(batch_guard.__file__)), self._mark],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        self._woken, self._waking = os.pipe()
        for descriptor in (self._woken, self._waking):
            os.set_blocking(descriptor, False)
        self._handlers = {number: signal.signal(number, self._stop) for number in _STOPPING}
        self._handlers[signal.SIGCHLD] = signal.signal(signal.SIGCHLD, lambda *_: None)
        self._wakeup = signal.set_wakeup_fd(self._waking, warn_on_full_buffer=False)
        self._poll.register(self._woken, select.POLLIN)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give the signals back; the guard ends what is left."""
        signal.set_wakeup_fd(self._wakeup)
        for number, handler in self._handlers.items():
            signal.signal(number, handler)
        assert self._guard.stdin is not None
        self._tell_guard(batch_guard.OVER)
        with contextlib.suppress(OSError):
            self._guard.stdin.close()
        self._guard.wait()
        for job in self.running.values():
            for descriptor in list(job.readers):
                os.close(descriptor)
        for descriptor in (self._woken, self._waking, self._null):
            os.close(descriptor)

    def start(
        self, index: int, words: Sequence[str], environment: Mapping[str, str], timeout: float | None
    ) -> str | None:
        """Start a command; return why it cannot be started, None where it was."""
        pipes = {2: os.pipe(), **({1: os.pipe()} if self._take_output else {})}
        actions = [(os.POSIX_SPAWN_DUP2, self._null, 0)]
        actions += [(os.POSIX_SPAWN_DUP2, writing, ours) for ours, (_, writing) in pipes.items()]
        try:
            process = os.posix_spawnp(
                words[0],
                list(words),
                {**environment, batch_guard.MARK: self._mark},
                file_actions=actions,
                setpgroup=0,
                setsigmask=(),
                setsigdef=(*_STOPPING, signal.SIGPIPE, signal.SIGCHLD),
            )
        except (OSError, ValueError) as error:
            for reading, _ in pipes.values():
                os.close(reading)
            why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
            return f"Cannot run {words[0]}: {why}"
        finally:
            for _, writing in pipes.values():
                os.close(writing)
        self._tell_guard(b"+%d\n" % process)
        job = Job(index, process, None if timeout is None else time.monotonic() + timeout)
        for ours, (reading, _) in pipes.items():
            os.set_blocking(reading, False)
            job.readers[reading] = ours
            self._poll.register(reading, select.POLLIN)
        self.running[index] = job
        return None

    def wait(self, seconds: float | None, on_output: Callable[[Event], None]) -> list[Job]:
        """Wait until something happens, for so many seconds at most; return the commands that have ended."""
        now = time.monotonic()
        ends = [job.deadline - now for job in self.running.values() if job.deadline is not None]
        patience = min([*ends, *([] if seconds is None else [seconds])], default=None)
        ready = {each for each, _ in self._poll.poll(None if patience is None else max(0.0, patience) * 1000)}
        if self._woken in ready:
            with contextlib.suppress(BlockingIOError):
                os.read(self._woken, _PORTION)
        for job in list(self.running.values()):
            for descriptor in list(job.readers):
                if descriptor in ready:
                    self._read(job, descriptor, on_output)
        self._hurry()
        return list(self._ended(on_output))

    def stop(self, on_output: Callable[[Event], None]) -> list[Job]:
        """End all commands: politely, and for good after a while; return them."""
        ended: list[Job] = []
        for number in (signal.SIGTERM, signal.SIGKILL):
            for job in self.running.values():
                batch_guard.tell(job.process, number)
            deadline = time.monotonic() + batch_guard.GRACE
            while self.running and time.monotonic() < deadline:
                ended += self.wait(deadline - time.monotonic(), on_output)
        return ended

    def _hurry(self) -> None:
        """End what takes too long."""
        now = time.monotonic()
        for job in self.running.values():
            if job.deadline is not None and now >= job.deadline:
                batch_guard.tell(job.process, signal.SIGKILL if job.is_late else signal.SIGTERM)
                job.is_late = True
                job.deadline = now + batch_guard.GRACE

    def _ended(self, on_output: Callable[[Event], None]) -> Iterator[Job]:
        for job in list(self.running.values()):
            process, status = os.waitpid(job.process, os.WNOHANG)
            if not process:
                continue
            job.status = status
            if job.is_late:
                batch_guard.tell(job.process, signal.SIGKILL)  # the rest of the group
            for descriptor in list(job.readers):
                for _ in range(_LEFT):  # and no further: what the command left behind may never stop writing
                    if not self._read(job, descriptor, on_output):
                        break
                self._forget(job, descriptor)
            del self.running[job.index]
            self._tell_guard(b"-%d\n" % job.process)
            yield job

    def _read(self, job: Job, descriptor: int, on_output: Callable[[Event], None]) -> bool:
        """Read what there is; tell whether there may be more."""
        try:
            data = os.read(descriptor, _PORTION)
        except BlockingIOError:
            return False
        if not data:
            self._forget(job, descriptor)
            return False
        if job.readers[descriptor] == 2:
            job.errors += data
            if len(job.errors) > 2 * KEPT:
                del job.errors[:-KEPT]
        on_output(Event(job.readers[descriptor], data))
        return True

    def _forget(self, job: Job, descriptor: int) -> None:
        if job.readers.pop(descriptor, None) is not None:
            self._poll.unregister(descriptor)
            os.close(descriptor)

    def _tell_guard(self, line: bytes) -> None:
        assert self._guard.stdin is not None
        with contextlib.suppress(OSError):  # somebody has ended the guard: we still end what we can
            self._guard.stdin.write(line)
            self._guard.stdin.flush()

    def _stop(self, number: int, _frame: object) -> None:
        self.stopped_by = self.stopped_by or number


def _name_of(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return str(number)
