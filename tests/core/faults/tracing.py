"""Processes whose system calls fail, or are their last, at a chosen point: strace injects it."""

import json
import os
import re
import secrets
import shutil
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from statewatch.core.processes import is_running
from tests.core.faults.telling import Told
from tests.core.files import ROOT
from tests.support import PATIENCE, lacking, until

CHANGING: dict[str, tuple[str, ...]] = {
    "openat": ("EMFILE", "EACCES", "ENOSPC", "EIO"),
    "write": ("ENOSPC", "EIO"),
    "pwrite64": ("ENOSPC", "EIO"),
    "renameat2": ("EIO", "ENOSYS", "ENOSPC", "EACCES"),
    "rename": ("EIO", "EACCES", "ENOSPC"),
    "renameat": ("EIO", "EACCES", "ENOSPC"),
    "link": ("EIO", "EPERM", "ENOSPC"),
    "linkat": ("EIO", "EPERM", "ENOSPC"),
    "unlink": ("EIO", "EROFS"),
    "unlinkat": ("EIO", "EROFS"),
    "mkdir": ("ENOSPC", "EACCES"),
    "mkdirat": ("ENOSPC", "EACCES"),
    "ftruncate": ("EIO",),
    "fchmod": ("EIO", "EPERM"),
    "fchown": ("EIO", "EPERM"),
}
"""The system calls that change something, under all names that systems have for them, and how each may fail."""

OTHERS: dict[str, tuple[str, ...]] = {
    "fsync": ("EIO", "ENOSPC"),
    "fdatasync": ("EIO",),
    "fcntl": ("ENOLCK", "EIO"),
    "flock": ("ENOLCK",),
    "read": ("EIO",),
    "pread64": ("EIO",),
    "getdents64": ("EIO",),
    "newfstatat": ("EIO", "EACCES"),
    "fstat": ("EIO",),
    "stat": ("EIO", "EACCES"),
    "lstat": ("EIO", "EACCES"),
    "access": ("EACCES",),
    "faccessat2": ("EACCES",),
    "close": ("EIO", "ENOSPC"),
    "mmap": ("ENOMEM",),
}
"""Those that something else depends on."""

UNHEARD_OF = ("writev", "pwritev", "pwritev2", "sendfile", "copy_file_range", "truncate", "chmod", "symlinkat", "open")
"""Calls that change files too, and that nothing here uses: whoever begins to adds them above."""

_EVERY = {
    **dict.fromkeys(("newfstatat", "fstat", "stat", "lstat", "close"), 6),
    **dict.fromkeys(("fcntl", "read", "pread64", "getdents64", "access", "faccessat2", "fsync", "fdatasync"), 2),
    "pwrite64": 3,
}
"""Of those that are made very often every so-manieth is enough: they are made for few reasons."""


@dataclass(frozen=True)
class Fault:
    """What happens to a system call when it is made for the so-manieth time, or, where it lasts, from then on.

    `how` is the name of an error, or KILL: then the process is killed instead.
    """

    call: str
    how: str
    number: int
    lasting: bool = False

    @property
    def options(self) -> tuple[str, ...]:
        """Return what strace has to be told."""
        what = "signal=KILL" if self.how == "KILL" else f"error={self.how}"
        when = f"{self.number}{'+' * self.lasting}"
        return "-e", f"trace={self.call}", "-e", f"inject={self.call}:{what}:when={when}"

    def __str__(self) -> str:
        return f"{self.call} {self.number}{' and on' * self.lasting}: {self.how}"


@cache
def strace() -> str:
    """Return the program; skip the test where it is not, or may not trace."""
    program = shutil.which("strace")
    if program is None:
        lacking("strace is not there")
    tried = subprocess.run([program, "-f", "-o", os.devnull, "true"], capture_output=True, check=False)
    if tried.returncode:
        lacking("strace may not trace here")
    return program


def faults(calls: Sequence[tuple[str, str]], root: Path, *, thorough: bool, sparing: bool) -> Iterator[Fault]:
    """Yield what may happen to each of the *calls* (name and arguments) that a process makes.

    If not *thorough*, each fails in one way only, the next one in another; and those that are made very often, and all
    those of a process with which one is *sparing*, but now and then.
    """
    counts: Counter[str] = Counter()
    for name, arguments in calls:
        counts[name] += 1
        number = counts[name]
        is_elsewhere = arguments.startswith("AT_FDCWD") and str(root) not in arguments
        if is_elsewhere and not thorough:
            continue
        is_change = name in CHANGING and (name != "openat" or "O_CREAT" in arguments)
        errors = {**CHANGING, **OTHERS}[name]
        every = [Fault(name, error, number) for error in errors]
        if name in CHANGING:
            every.append(Fault(name, errors[0], number, lasting=True))
        step = 1 if thorough else _EVERY.get(name, 1 if is_change else 2) * (6 if sparing else 1)
        if number % step == (1 if step > 1 else 0):
            if is_change:
                yield Fault(name, "KILL", number)
            yield from every if thorough else [every[number // step % len(every)]]


class Traced:
    """A nursery, and what its processes do under the eyes of strace."""

    def __init__(self, process: "subprocess.Popen[str]", listener: socket.socket, address: str) -> None:
        self._process, self._listener, self._address = process, listener, address

    def run(self, jobs: Sequence[tuple[str, Path]], *options: str, log: Path) -> list[Told]:
        """Do operations, each on its world, traced with *options*; return what came of each."""
        with ExitStack() as stack:
            children = [stack.enter_context(self._started(name, root)) for name, root in jobs]
            command = [strace(), "-o", str(log), *options, *(f"--attach={process}" for process, _ in children)]
            tracer = stack.enter_context(subprocess.Popen(command, stderr=subprocess.PIPE, text=True))
            assert tracer.stderr is not None
            for _ in children:
                line = tracer.stderr.readline()
                assert "attached" in line, line
            for _, speaking in children:
                speaking.sendall(b"!")
            told = [_told(speaking) for _, speaking in children]
            tracer.communicate(timeout=PATIENCE)
            for process, _ in children:
                until(lambda process=process: not is_running(process), "the end of the process")  # type: ignore[misc]
            return told

    def calls(self, job: tuple[str, Path], log: Path) -> list[tuple[str, str]]:
        """Do an operation undisturbed, and return the system calls that it made: name and arguments."""
        every = ",".join(f"?{name}" for name in (*CHANGING, *OTHERS, *UNHEARD_OF))
        (told,) = self.run([job], "-e", f"trace={every}", log=log)
        assert told == Told("done"), told.text
        found = re.findall(r"^(?:\d+ +)?(\w+)\((.*)", log.read_text(), re.MULTILINE)
        assert not {name for name, _ in found}.intersection(UNHEARD_OF)
        return found

    @contextmanager
    def _started(self, name: str, root: Path) -> Iterator[tuple[int, socket.socket]]:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps([name, str(root), self._address]) + "\n")
        self._process.stdin.flush()
        speaking, _ = self._listener.accept()
        with speaking:
            speaking.settimeout(PATIENCE)
            yield int(speaking.recv(100)), speaking


def _told(speaking: socket.socket) -> Told:
    said = b""
    try:
        while part := speaking.recv(65_536):
            said += part
    except ConnectionResetError:
        pass
    except TimeoutError:
        return Told("crash", f"it has not ended within {PATIENCE:.0f} s")
    return Told.read(said)


@contextmanager
def traced(names: Sequence[str]) -> Iterator[Traced]:
    """Run a nursery that knows these operations; end it with the block."""
    strace()
    address = f"statewatch-faults-{os.getpid()}-{secrets.token_hex(4)}"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(f"\0{address}")
        listener.listen()
        listener.settimeout(PATIENCE)
        command = [sys.executable, "-m", "tests.core.faults.nursery", *names]
        with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            yield Traced(process, listener, address)
