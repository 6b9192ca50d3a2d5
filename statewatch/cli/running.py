"""Running the command of a hook: its streams, signals and exit code are its own, and the end of its errors is kept.

Standard input and output are inherited. Standard error is too where it is a terminal, or goes where standard output
goes: a detour through us would be seen there. Elsewhere it goes through a pipe and is passed on at once, as it comes.
It loads fast, because it runs in front of every hook.
"""

from __future__ import annotations

import _thread
import errno
import os
import select
import signal
import time

TYPE_CHECKING = False  # as type checkers take it; `typing` alone costs 3 ms
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

KEPT = 100_000
"""Bytes of the end of standard error that are kept."""
TIMED_OUT = 124
"""The exit code of a command that was ended because it took too long, as that of `timeout`."""

_FORWARDED = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT)
_ENOUGH = signal.SIGURG  # ends the thread that forwards; nobody else has a use for it
_GRACE = 2.0
"""Seconds that a command has, after SIGTERM, before SIGKILL."""
_PORTION = select.PIPE_BUF if hasattr(select, "PIPE_BUF") else 512  # so much goes into a pipe that is ready, at once
_GLANCE = 0.02
_FROM_THE_KERNEL = 0x80
_NOT_RUNNABLE, _NOT_FOUND = 126, 127


class Ended:
    """How a command ended: its exit code (128 + N for signal N), what there is to say, and whether it took too long."""

    __slots__ = ("code", "error", "is_late")

    def __init__(self, code: int, error: str, *, is_late: bool = False) -> None:
        self.code = code
        self.error = error
        self.is_late = is_late


def signals_held() -> set[signal.Signals]:
    """Hold back the signals that are forwarded to the command; return what was held before, for `signals_released`."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, (*_FORWARDED, _ENOUGH))
    if signal.getsignal(signal.SIGCHLD) == signal.SIG_IGN:  # then no exit code would reach us
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    return {signal.Signals(number) for number in before}


def signals_released(before: set[signal.Signals]) -> None:
    """Hold back again only what was held before."""
    signal.pthread_sigmask(signal.SIG_SETMASK, before)


def run(words: Sequence[str], timeout: float | None, held: set[signal.Signals], meanwhile: Callable[[], None]) -> Ended:
    """Run a command to its end, for at most *timeout* seconds; the signals are held back, *held* were before that.

    *meanwhile* is called once, when the command has been started.
    """
    reading, writing = _pipe() if _is_apart(2) else (-1, -1)
    own_group = timeout is not None and not _is_terminal(0)  # in a group of its own it could not read a terminal
    try:
        process = _spawned(words, writing, held, own_group=own_group)
    except OSError as error:
        _close(reading)
        return _not_run(words[0], error)
    finally:
        _close(writing)
    child = _Child(process, -process if own_group else process)
    forwarder = _Forwarder(child, share_terminal=not own_group)
    try:
        pump = _Pump(child, reading, timeout)
        meanwhile()
        tail = pump.run()
    finally:
        forwarder.end()
    return _ended(child, tail, timeout)


class _Child:
    """The process of the command; `target` is whom signals go to: it, or its group."""

    def __init__(self, process: int, target: int) -> None:
        self.process = process
        self.status: int | None = None
        self.is_late = False
        self._target = target
        self._lock = _thread.allocate_lock()
        try:
            self.descriptor = os.pidfd_open(process)
        except (AttributeError, OSError):  # not Linux, or an old one
            self.descriptor = -1

    def signal(self, number: int) -> None:
        """Send a signal, unless the process has gone and its number may be somebody else's."""
        with self._lock:
            if self.status is None:
                _kill(self._target, number)

    def has_ended(self) -> bool:
        """Tell whether the process has ended; of one that took too long nothing is left running then."""
        with self._lock:
            if self.status is None:
                found, status = os.waitpid(self.process, os.WNOHANG)
                if found:
                    self.status = status
                    if self.is_late and self._target < 0:
                        _kill(self._target, signal.SIGKILL)  # the rest of the group, which keeps its number
            return self.status is not None


class _Forwarder:
    """A thread that passes signals on to the command."""

    def __init__(self, child: _Child, *, share_terminal: bool) -> None:
        self._child = child
        self._share_terminal = share_terminal
        self._done = _thread.allocate_lock()
        self._done.acquire()
        self._thread = 0
        try:
            self._thread = _thread.start_new_thread(self._forward, ())
        except RuntimeError:  # there may be no more threads: the command goes on all the same
            return

    def end(self) -> None:
        """End the thread."""
        if not self._thread:
            return
        signal.pthread_kill(self._thread, _ENOUGH)
        self._done.acquire()

    def _forward(self) -> None:
        try:
            while (number := self._next()) != _ENOUGH:
                if number:
                    self._child.signal(number)
        finally:
            self._done.release()

    def _next(self) -> int:
        """Return the next signal; 0 for one that the command has been given already: keys reach the whole group."""
        waited_for = (*_FORWARDED, _ENOUGH)
        if not hasattr(signal, "sigwaitinfo"):
            return signal.sigwait(waited_for)
        try:
            found = signal.sigwaitinfo(waited_for)
        except InterruptedError:
            return 0
        by_key = self._share_terminal and found.si_code == _FROM_THE_KERNEL
        return 0 if by_key and found.si_signo != _ENOUGH else found.si_signo


class _Pump:
    """Passes on what the command writes to standard error, and waits for its end."""

    def __init__(self, child: _Child, reading: int, timeout: float | None) -> None:
        self._child = child
        self._deadline = None if timeout is None else time.monotonic() + timeout
        self._reading = reading
        self._pending = b""
        self._tail = bytearray()
        self._poll = select.poll()

    def run(self) -> bytes:
        """Return the end of standard error when the command has ended, or was ended because it took too long."""
        if self._child.descriptor >= 0:
            self._poll.register(self._child.descriptor, select.POLLIN)
        while not self._child.has_ended():
            if self._deadline is not None and time.monotonic() >= self._deadline:
                self._child.signal(signal.SIGKILL if self._child.is_late else signal.SIGTERM)
                self._child.is_late = True
                self._deadline = time.monotonic() + _GRACE
            self._step(self._patience())
        if self._child.descriptor >= 0:
            self._poll.unregister(self._child.descriptor)
            _close(self._child.descriptor)
        while self._step(0) or self._pending:
            if self._pending:
                self._step(None)
        if self._reading >= 0:
            self._leave_to_another()
        return bytes(self._tail[-KEPT:])

    def _patience(self) -> float | None:
        if self._child.descriptor < 0:
            return _GLANCE
        return None if self._deadline is None else max(self._deadline - time.monotonic(), 0)

    def _step(self, patience: float | None) -> bool:
        """Wait for so many seconds, for ever where that is None; read or write once; tell whether anything was done."""
        if self._reading >= 0:
            if self._pending:
                self._poll.register(2, select.POLLOUT)
            else:
                self._poll.register(self._reading, select.POLLIN)
        ready = [found for found, _ in self._poll.poll(None if patience is None else patience * 1000)]
        for watched in (2, self._reading):
            try:
                self._poll.unregister(watched)
            except (KeyError, ValueError):
                continue
        if self._pending and 2 in ready:
            self._write()
            return True
        if self._reading in ready and not self._pending:
            self._read()
            return True
        return False

    def _read(self) -> None:
        data = os.read(self._reading, _PORTION)
        if not data:
            self._stop()
        self._pending = data
        self._tail += data
        if len(self._tail) > 2 * KEPT:
            del self._tail[:-KEPT]

    def _write(self) -> None:
        try:
            self._pending = self._pending[os.write(2, self._pending) :]
        except BlockingIOError:
            pass
        except OSError:  # nobody reads it any more: the command is to notice that as it would without us
            self._pending = b""
            self._stop()

    def _stop(self) -> None:
        _close(self._reading)
        self._reading = -1

    def _leave_to_another(self) -> None:
        """Let a process of its own pass on what those write whom the command has left behind, as long as they live."""
        if os.fork():
            self._stop()
            return
        try:
            nowhere = os.open(os.devnull, os.O_RDWR)
            os.dup2(nowhere, 0)
            os.dup2(nowhere, 1)
            while self._reading >= 0:
                self._tail.clear()
                self._step(None)
        finally:
            os._exit(0)


def _spawned(words: Sequence[str], writing: int, held: set[signal.Signals], *, own_group: bool) -> int:
    """Start the command; return the number of its process. Raises OSError."""
    actions = [(os.POSIX_SPAWN_DUP2, writing, 2)] if writing >= 0 else []
    group = {"setpgroup": 0} if own_group else {}
    restored = [number for name in ("SIGPIPE", "SIGXFSZ") if (number := getattr(signal, name, None)) is not None]

    def start(file: str, arguments: Sequence[str]) -> int:
        return os.posix_spawnp(
            file,
            [os.fsencode(each) for each in arguments],
            os.environ,
            file_actions=actions,
            setsigmask=held,
            setsigdef=restored,  # Python ignores them, the command must not
            **group,  # type: ignore[arg-type]
        )

    try:
        return start(words[0], words)
    except OSError as error:
        if error.errno != errno.ENOEXEC or "/" not in words[0]:
            raise
        return start("/bin/sh", ["sh", *words])  # a script that names no interpreter: as shells and execvp do


def _pipe() -> tuple[int, int]:
    """Return a new pipe, nothing where there may be no more open files: then the streams are inherited."""
    try:
        return os.pipe()
    except OSError:
        return -1, -1


def _ended(child: _Child, tail: bytes, timeout: float | None) -> Ended:
    code = os.waitstatus_to_exitcode(child.status or 0)
    said = tail.decode("utf-8", "replace").strip()
    if child.is_late:
        return Ended(TIMED_OUT, f"Timed out after {timeout:g} s" + (f"\n{said}" if said else ""), is_late=True)
    if code < 0:
        return Ended(128 - code, said or f"Killed by signal {_name_of(-code)}")
    return Ended(code, said or f"Exit code {code}")


def _not_run(file: str, error: OSError) -> Ended:
    reason = os.strerror(error.errno or 0)
    code = _NOT_FOUND if isinstance(error, FileNotFoundError) else _NOT_RUNNABLE
    return Ended(code, f"cannot run {file}: {reason}")


def _name_of(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return str(number)


def _is_apart(descriptor: int) -> bool:
    """Tell whether a stream is open, and neither a terminal nor the same as standard output."""
    try:
        there = os.fstat(descriptor)
    except OSError:
        return False
    if os.isatty(descriptor):
        return False
    try:
        output = os.fstat(1)
    except OSError:
        return True
    return (there.st_dev, there.st_ino) != (output.st_dev, output.st_ino)


def _is_terminal(descriptor: int) -> bool:
    try:
        return os.isatty(descriptor)
    except OSError:
        return False


def _kill(target: int, number: int) -> None:
    try:  # noqa: SIM105 - contextlib is not loaded here
        os.kill(target, number)
    except OSError:  # it is only just gone, or has changed its user
        pass


def _close(descriptor: int) -> None:
    if descriptor >= 0:
        os.close(descriptor)
