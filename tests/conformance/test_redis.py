"""The Redis store passes the suite, on a real server, and with one that goes away."""

import json
from collections.abc import Iterator, Mapping
from functools import partial

import pytest
import redis

from statewatch.conformance.place import Place, ServerPlace
from statewatch.conformance.suite import AddressConformance, OptimisticConformance, ServerConformance
from statewatch.core.stores.base import Store
from statewatch.core.stores.redis import RedisStore
from statewatch.core.stores.redis_scripts import COMMIT
from tests.conformance.looks import SPOILT
from tests.conftest import running
from tests.cutter import Cutter
from tests.servers import RedisServer


class RedisPlace(Place):
    """A server with nothing on it."""

    def __init__(self, url: str) -> None:
        super().__init__(partial(RedisStore, url))
        self._url = url

    def traces(self) -> Mapping[str, object]:
        with redis.Redis.from_url(self._url) as client:
            return {repr(key): client.dump(key) for key in client.scan_iter() if client.ttl(key) == -1}

    def damage(self, store: Store, checkpoint: str) -> None:
        with redis.Redis.from_url(self._url) as client:
            assert client.set(f"checkpoint:{store.namespace}:{checkpoint}", json.dumps(SPOILT), xx=True)


class RedisServerPlace(ServerPlace):
    """A server of our own with nothing on it, and the connections to it."""

    def __init__(self, server: RedisServer, proxy: Cutter) -> None:
        self._url = proxy.through(server.url)
        super().__init__(partial(RedisStore, self._url), server, proxy, COMMIT.sha.encode())

    def with_password(self, password: str, timeout: float) -> Store:
        return self.kept(RedisStore(self._url.replace("://", f"://user:{password}@"), "default", timeout))


class TestRedis(OptimisticConformance, AddressConformance):
    @pytest.fixture
    def place(self, redis_url: str) -> Iterator[RedisPlace]:
        place = RedisPlace(redis_url)
        yield place
        place.close()


class TestRedisServer(ServerConformance):
    @pytest.fixture(scope="class")
    def server(self) -> Iterator[RedisServer]:
        yield from running(lambda: RedisServer(durable=True))

    @pytest.fixture
    def place(self, server: RedisServer) -> Iterator[RedisServerPlace]:
        server.empty()
        with Cutter(server.port) as cutter:
            place = RedisServerPlace(server, cutter)
            yield place
            place.close()
