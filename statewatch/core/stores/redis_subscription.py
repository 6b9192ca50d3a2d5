"""Waiting for what a Redis server tells: that statewatch has committed, and any change where the server tells of those.

The latter are keyspace notifications (`notify-keyspace-events`). They are listened for; the server's settings are left
as they are.
"""

import time
from types import TracebackType
from typing import Final, Self

import redis

from statewatch.core.stores.redis_link import Link, Wire

_AFTER_FAILURE: Final = 0.1


class Subscription:
    """A subscription to channels and patterns, made when it is first waited for."""

    def __init__(self, link: Link, channels: tuple[bytes, ...], patterns: tuple[bytes, ...]) -> None:
        self._link = link
        self._wanted = [(b"SUBSCRIBE", name) for name in channels] + [(b"PSUBSCRIBE", name) for name in patterns]
        self._wire: Wire | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._leave()

    def wait(self, timeout: float) -> None:
        """Wait until something is told, at most *timeout* seconds.

        Returns at once where the subscription is new, since something may have been told before. Where none can be had
        it only waits: the caller looks now and then anyway.
        """
        try:
            if self._wire is None:
                self._wire = self._link.take()
                self._subscribe(self._wire)
            elif self._wire.can_read(timeout):
                self._wire.read_response()
                while self._wire.can_read(0):  # many commits are one reason to look
                    self._wire.read_response()
        except redis.RedisError:
            self._leave()
            time.sleep(min(timeout, _AFTER_FAILURE))

    def _subscribe(self, wire: Wire) -> None:
        for words in self._wanted:
            wire.send_command(*words)
            try:
                wire.read_response()
            except redis.exceptions.NoPermissionError:
                continue  # not this one, then

    def _leave(self) -> None:
        if self._wire is not None:
            wire, self._wire = self._wire, None
            wire.disconnect()  # as it is, it takes no commands
            self._link.give_back(wire)
