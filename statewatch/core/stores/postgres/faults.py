"""What PostgreSQL says when it does not do something: what may pass, and what to tell people about the rest."""

import os
import re
from collections.abc import Iterable
from typing import Final
from urllib.parse import urlsplit

import psycopg

from statewatch.core.errors import RefusedError, SourceError, StatewatchError, UnavailableError
from statewatch.core.stores.postgres.layout import NAMES, STATE
from statewatch.documents.text import harmless

LOCK_TIMEOUT: Final = "55P03"
READ_ONLY: Final = "25006"

_PASSING: Final = {
    "40001",  # serialization failure
    "40P01",  # deadlock
    "42P07",  # another process has just made the table
    "53300",  # too many connections
    "57P01",  # the administrator has ended the session
    "57P02",  # another session has crashed
    "57P03",  # starting up or shutting down
}
_PASSING_AT_CONNECT: Final = (
    "the database system is",
    "too many clients",
    "too many connections",
    "remaining connection slots",
    "terminating connection",
    "Temporary failure in name resolution",
)
_LASTING_AT_CONNECT: Final = ("FATAL:", "failed to resolve host", "SSL", "password", "invalid ")
_PASSWORD_ADVICE: Final = (
    "Set PGPASSWORD, add the server to ~/.pgpass, set DATABASE_URL to its address with the password, or give that "
    "address."
)
_UNSET: Final = (
    "DATABASE_URL is not set, and PGHOST and the like are all that says where the server is. Set it to "
    "postgresql://USER@HOST/DATABASE, or give that address."
)
_MEANINGS: Final = {
    READ_ONLY: "this server takes no writes: it is a standby, or set to be read only. Name the primary in the URL",
    "42501": "this user may not do that. Ask the owner of the tables for the right (GRANT), or for the tables",
    "53100": "the disk of the server is full. Make room there",
    "57014": "the server has cancelled it. Look at its statement_timeout",
    "22001": "a column of these tables is too short for that",
    "22P05": "the database's encoding cannot hold these characters. Use one with the encoding UTF8",
}
"""What to say before the server's own words, by SQLSTATE: https://www.postgresql.org/docs/current/errcodes-appendix.html"""


class PostgresError(UnavailableError):
    """The database did not do it.

    `state` is the SQLSTATE, empty where the server has said nothing; `passing` means that it may do it when asked
    again; `lost`, that the connection is gone.
    """

    def __init__(self, reason: str, *, state: str = "", passing: bool = False, lost: bool = False) -> None:
        super().__init__("PostgreSQL", reason)
        self.state = state
        self.passing = passing
        self.lost = lost

    @classmethod
    def of(cls, error: psycopg.Error, *, lost: bool) -> "PostgresError":
        """Return what an error during a session means."""
        state = error.sqlstate or ""
        passing = lost or state in _PASSING or state.startswith("08") or _is_collision(error)
        return cls(error.diag.message_primary or _first_line(error), state=state, passing=passing, lost=lost)

    @classmethod
    def at_connect(cls, error: psycopg.Error, secrets: Iterable[str]) -> "PostgresError":
        """Return what an error while connecting means, with *secrets* blotted out. It has no SQLSTATE, only words."""
        words = _first_line(error).removeprefix("connection failed: ")
        for secret in filter(None, secrets):
            words = words.replace(secret, "***")
        lasting = any(sign in words for sign in _LASTING_AT_CONNECT)
        return cls(words, passing=not lasting or any(sign in words for sign in _PASSING_AT_CONNECT), lost=True)

    def explained(self, url: str, operation: str, *, writing: bool) -> StatewatchError:
        """Return the error to raise when it is not tried again."""
        unchanged = " Nothing was changed." if writing else ""
        unset = _UNSET if self.lost and _names_no_server(url) and not os.environ.get("DATABASE_URL") else ""
        if self.passing:
            advice = "See that the server runs and can be reached, then try again." if self.lost else "Try again later."
            return UnavailableError(url, f"cannot {operation}: {self.reason}.{unchanged} {unset or advice}")
        meaning = _MEANINGS.get(self.state)
        reason = f"{meaning} ({self.reason})" if meaning else self.reason
        if self.lost:
            about_password = "password" in self.reason
            advice = _PASSWORD_ADVICE if about_password else "See that the address and the account are right."
            return SourceError(url, f"cannot {operation}: {reason}. {unset or advice}")
        if writing:
            return RefusedError(f"{url}: cannot {operation}: {reason}.{unchanged}")
        return SourceError(url, f"cannot {operation}: {reason}.")


def _names_no_server(url: str) -> bool:
    parts = urlsplit(url)
    return not parts.netloc and not re.search(r"(^|&)(host|hostaddr|service)=", parts.query)


def _is_collision(error: psycopg.Error) -> bool:
    """Tell whether another writer was faster: with a key, or with making a table (which shows in the catalogue)."""
    where = error.diag
    return error.sqlstate == "23505" and (where.schema_name == "pg_catalog" or where.table_name in (STATE, NAMES))


def _first_line(error: psycopg.Error) -> str:
    """Return what libpq says; the lines after the first are advice, or the same for each address of a host."""
    return harmless(str(error).strip().partition("\n")[0], 500).rstrip(".")
