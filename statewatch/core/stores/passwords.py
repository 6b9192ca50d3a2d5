"""Passwords of servers: never written down, and found again when a source is opened by the name the audit log has.

They come from an address that was given in this process, else from the environment: REDIS_URL and DATABASE_URL where
they name the same server and user. PGPASSWORD and ~/.pgpass are libpq's own business.
"""

import os
from collections.abc import Mapping
from typing import Final, NamedTuple
from urllib.parse import quote, unquote, urlsplit

_ENGINES: Final = {
    "redis": "redis",
    "rediss": "redis",
    "unix": "redis",
    "postgresql": "postgres",
    "postgres": "postgres",
}
_VARIABLES: Final = {"redis": "REDIS_URL", "postgres": "DATABASE_URL"}
_PORTS: Final = {"redis": "6379", "postgres": "5432"}


class _Account(NamedTuple):
    """Who logs in where."""

    engine: str
    user: str
    hosts: str
    path: str


_given: dict[_Account, str] = {}
"""The passwords of the addresses that were opened in this process, encoded as in an address."""


def remember(url: str) -> None:
    """Keep in mind the password of an address, if it has one, for as long as this process lives."""
    account, password = _taken_apart(url)
    if account is not None and password:
        _given[account] = password


def completed(url: str, environment: Mapping[str, str] = os.environ) -> str:
    """Return *url* with the password that the environment has for its server and user, if it has none itself."""
    account, password = _taken_apart(url)
    if account is None or password:
        return url
    other, found = _taken_apart(environment.get(_VARIABLES[account.engine]) or "")
    return _with_password(url, found) if found and other == account else url


def recalled(url: str) -> str:
    """Return *url* with the password that an address of this process had for its server and user."""
    account, password = _taken_apart(url)
    if account is None or password or account not in _given:
        return url
    return _with_password(url, _given[account])


def _taken_apart(url: str) -> tuple[_Account | None, str]:
    """Return the account that an address names, and its password; None for what is no address of a server."""
    engine = _ENGINES.get(url.partition(":")[0], "")
    try:
        parts = urlsplit(url)
    except ValueError:
        return None, ""
    if not engine or "//" not in url:
        return None, ""
    login, _, hosts = parts.netloc.rpartition("@")
    user, _, password = login.partition(":")
    options = dict(pair.partition("=")[::2] for pair in parts.query.split("&"))
    if not password and "password" in options:
        text = options["password"]
        password = quote(unquote(text if engine == "postgres" else text.replace("+", " ")), safe="")
    user = unquote(user or options.get("user", "") or options.get("username", ""))
    places = ",".join(_with_port(host.lower(), engine) for host in hosts.split(","))
    return _Account(engine, user, places, parts.path if parts.scheme == "unix" else ""), password


def _with_port(host: str, engine: str) -> str:
    name, colon, port = host.rpartition(":")
    return host if (colon and port.isdigit() and name) or not host else f"{host}:{_PORTS[engine]}"


def _with_password(url: str, password: str) -> str:
    scheme, _, rest = url.partition("://")
    netloc = urlsplit(url).netloc
    login, _, host = netloc.rpartition("@")
    return f"{scheme}://{login.partition(':')[0]}:{password}@{host}{rest[len(netloc) :]}"
