"""A namespace in PostgreSQL 12 or later, in tables that other tools may share; any number of hosts may write to it."""

from statewatch.core.stores.postgres.store import PostgresStore

__all__ = ["PostgresStore"]
