"""Which store a URL names, and the URL without what nobody else should see."""

import os
import re
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import parse_qsl, quote, unquote, unquote_to_bytes, urlencode, urlsplit, urlunsplit

from statewatch.core.errors import RefusedError
from statewatch.core.lock import TIMEOUT
from statewatch.core.names import check_namespace
from statewatch.core.places import STATE_ROOT
from statewatch.core.stores.passwords import completed, recalled, remember

if TYPE_CHECKING:
    from statewatch.core.stores.base import Store

DEFAULT_NAMESPACE = "default"
FORMS = (
    "PATH of a JSON file (its top-level keys), json:DIRECTORY?namespace=NAME, sqlite:PATH?namespace=NAME, "
    "redis://HOST:PORT/DB?namespace=NAME, postgresql://USER@HOST/DATABASE?namespace=NAME"
)

BACKENDS = ("json", "sqlite", "redis", "postgres")
"""What a namespace may be kept in, by the name that means the usual place of each."""

_SERVERS = {"redis": "redis", "rediss": "redis", "unix": "redis", "postgresql": "postgres", "postgres": "postgres"}
_SCHEMES = {"json", "sqlite", "memory", "file", *_SERVERS}
_OURS = {"namespace", "ttl"}
_LIKE_A_URL = re.compile(r"([A-Za-z][A-Za-z0-9+-]*):")


class Parts(NamedTuple):
    """A URL taken apart: what the engine wants to have, and what only we understand."""

    scheme: str
    rest: str
    namespace: str
    options: Mapping[str, str]


def is_store_url(text: str) -> bool:
    """Tell whether *text* is the URL of a store, and not the path of a file."""
    scheme, colon, rest = text.partition(":")
    return bool(colon) and scheme in _SCHEMES and (scheme not in _SERVERS or rest.startswith("//"))


def refuse_guess(text: str) -> None:
    """Refuse, with RefusedError, what looks like a URL of nothing we know: it must not become the name of a file.

    A file that is there may be called anything; one that is not is named `./NAME` where its name looks like a URL.
    """
    found = _LIKE_A_URL.match(text)
    if found is None or is_store_url(text) or os.path.lexists(text):
        return
    raise RefusedError(
        f"{without_password(text)}: there is no store for {found[1] + ':'!r} addresses. Stores are named: {FORMS}. "
        "A file of that name is named './NAME'."
    )


def refuse_bare_word(text: str) -> None:
    """Refuse, with RefusedError, a word that is neither a backend, nor a file that is there, nor looks like a path."""
    if "/" in text or "." in text or is_store_url(text) or os.path.lexists(text):
        return
    raise RefusedError(
        f"{text!r} is no backend ({', '.join(BACKENDS)}) and no file that is there. A new file is named with its "
        f"directory, as in './{text}', a store by its address: {FORMS}"
    )


def backend_url(backend: str, namespace: str = DEFAULT_NAMESPACE, environment: Mapping[str, str] = os.environ) -> str:
    """Return the URL of a namespace where a backend keeps it by default.

    `json` and `sqlite` keep it below `.claude/state`; `redis` where REDIS_URL says, else on this machine; `postgres`
    where DATABASE_URL says, else where the environment of libpq does (PGHOST and the like). Raises RefusedError for
    another name.
    """
    check_namespace(namespace)
    if backend in ("json", "sqlite"):
        return f"{backend}:{STATE_ROOT}?{urlencode({'namespace': namespace})}"
    if backend == "memory":
        return f"memory:?{urlencode({'namespace': namespace})}"
    if backend == "redis":
        return with_namespace(environment.get("REDIS_URL") or "redis://localhost:6379/0", namespace)
    if backend in ("postgres", "postgresql"):
        return with_namespace(environment.get("DATABASE_URL") or "postgresql://", namespace)
    raise RefusedError(f"there is no backend {backend!r}: it is json, sqlite, redis, postgres, or a URL: {FORMS}")


def with_namespace(url: str, namespace: str) -> str:
    """Return *url* with that namespace in place of the one it names, if any."""
    base, _, query = url.partition("?")
    return f"{base}?{'&'.join(filter(None, (_without(query, {'namespace'}), urlencode({'namespace': namespace}))))}"


def _without(query: str, names: Collection[str]) -> str:
    """Return a query without these parameters. The others stay as they are written: in libpq's, `+` is no space."""
    return "&".join(part for part in query.split("&") if part and unquote(part.partition("=")[0]) not in names)


def without_password(url: str) -> str:
    """Return *url* without its password, for messages and logs."""
    try:
        parts = urlsplit(url)
    except ValueError:  # where its password ends cannot be told
        return f"{url.partition(':')[0]}://…"
    netloc = parts.netloc
    if "@" in netloc:
        account, _, host = netloc.rpartition("@")
        name, colon, _ = account.partition(":")
        netloc = f"{name}@{host}" if name or not colon else host
    shown = urlunsplit((parts.scheme, netloc, parts.path, _without(parts.query, {"password", "sslpassword"}), ""))
    # urlunsplit drops the slashes of an empty host, which for these mean "the server of the environment"
    return shown if not url.startswith(f"{parts.scheme}://") or "://" in shown else shown.replace(":", "://", 1)


def take_apart(url: str) -> Parts:
    """Take the URL of a store apart. Raises RefusedError when it is none, or its namespace cannot be one."""
    if not is_store_url(url):
        raise RefusedError(f"{without_password(url)!r} names no store. Stores are named: {FORMS}")
    scheme, _, after = url.partition(":")
    base, _, query = after.partition("?")
    pairs = parse_qsl(query, keep_blank_values=True)
    ours = {name: value for name, value in pairs if name in _OURS}
    namespace = ours.pop("namespace", DEFAULT_NAMESPACE)
    check_namespace(namespace)
    if scheme in _SERVERS:
        try:
            urlsplit(url)
        except ValueError as error:
            raise RefusedError(f"{scheme}://…: this is no URL ({error}). Stores are named: {FORMS}") from None
        theirs = _without(query, _OURS)
        return Parts(scheme, f"{scheme}:{base}" + (f"?{theirs}" if theirs else ""), namespace, ours)
    if unknown := [name for name, _ in pairs if name not in _OURS]:
        raise RefusedError(f"{url}: {unknown[0]!r} is no option of a {scheme} store; it has only `namespace`")
    if base.strip("/") == ":memory:":  # SQLite's own word for a database that nobody else sees
        raise RefusedError(f"{url}: a namespace in the memory of this process is memory:?namespace=NAME")
    return Parts(scheme, os.fsdecode(unquote_to_bytes(base)), namespace, ours)


def path_url(scheme: str, path: Path, namespace: str | None = None) -> str:
    """Return the URL of a store that lives in the file system."""
    place = f"{scheme}:{quote(os.fsencode(path), safe='/')}"
    return place if namespace is None else f"{place}?{urlencode({'namespace': namespace})}"


def reopen_store(source: str) -> "Store":
    """Return the store that the audit log names, which never holds a password, with the one that it was opened with.

    That is known where this process has opened a store on that server, as that user; else it is as with `open_store`.
    """
    return open_store(recalled(source) if is_store_url(source) else source)


def open_store(url: str | Path, timeout: float = TIMEOUT) -> "Store":
    """Return the store that *url* names: a URL, or the path of a JSON file. Nothing is read or connected to yet.

    *timeout* is in seconds, for other writers to finish. A server's password that the URL does not have is taken from
    REDIS_URL or DATABASE_URL where these name the same server and user. Raises RefusedError when it names none, or when
    the package of its engine is not installed.
    """
    if isinstance(url, Path) or not is_store_url(url):
        if isinstance(url, str):
            refuse_guess(url)
        from statewatch.core.beside import owner_of  # noqa: PLC0415 - each program loads the engine it uses

        if owner_of(Path(url)) is not None:
            from statewatch.core.extras_file import ExtrasFile  # noqa: PLC0415

            return ExtrasFile(Path(url), timeout)
        from statewatch.core.stores.file import FileStore  # noqa: PLC0415

        return FileStore(Path(url), timeout)
    scheme, rest, namespace, options = take_apart(url)
    if scheme in ("file", "json"):
        from statewatch.core.stores.file import FileStore  # noqa: PLC0415

        return FileStore(Path(rest), timeout) if scheme == "file" else FileStore.keyed(Path(rest), namespace, timeout)
    if scheme == "sqlite":
        from statewatch.core.stores.sqlite import SqliteStore  # noqa: PLC0415

        return SqliteStore(Path(rest), namespace, timeout)
    if scheme == "memory":
        from statewatch.core.stores.memory import MemoryStore  # noqa: PLC0415

        return MemoryStore(namespace, timeout)
    remember(rest)
    return _open_server(_SERVERS[scheme], completed(rest), namespace, options, timeout)


def _open_server(engine: str, rest: str, namespace: str, options: Mapping[str, str], timeout: float) -> "Store":
    try:
        if engine == "redis":
            from statewatch.core.stores.redis import RedisStore  # noqa: PLC0415

            return RedisStore(rest, namespace, timeout, ttl=_seconds(options.get("ttl")))
        from statewatch.core.stores.postgres import PostgresStore  # noqa: PLC0415

        return PostgresStore(rest, namespace, timeout)
    except ImportError as error:
        if error.name not in ("redis", "psycopg") and "pq wrapper" not in str(error):  # psycopg without its libpq
            raise
        raise RefusedError(
            f"{without_password(rest)}: the package for this engine is not installed. Install it with: "
            f"pip install 'statewatch[{engine}]'"
        ) from None


def _seconds(text: str | None) -> int | None:
    if text is None:
        return None
    if not text.isdigit() or int(text) == 0:
        raise RefusedError(f"ttl={text}: the time to live is a number of seconds, at least 1")
    return int(text)
