"""Both layouts of JSON files pass the suite."""

import json
import os
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path

import pytest

from statewatch.conformance.addresses import AddressClauses
from statewatch.conformance.place import Opener, Place
from statewatch.conformance.suite import AddressConformance, LockingConformance
from statewatch.core.errors import RefusedError
from statewatch.core.reading import MAX_BYTES
from statewatch.core.stores.base import Store
from statewatch.core.stores.file import FileStore
from statewatch.core.stores.model import Checkpoint
from tests.conformance.looks import SPOILT, files


class FilePlace(Place):
    """A directory, and the directory where statewatch keeps checkpoints of other people's files."""

    def __init__(self, directory: Path, opener: Opener) -> None:
        super().__init__(opener)
        self._directories = (directory, Path(os.environ["STATEWATCH_STATE_DIR"]) / "checkpoints")

    def traces(self) -> Mapping[str, object]:
        here, apart = map(files, self._directories)
        return here | apart

    def damage(self, store: Store, checkpoint: str) -> None:  # noqa: ARG002
        (path,) = (path for place in self._directories for path in place.rglob(f"{checkpoint}.json"))
        path.write_text(json.dumps(SPOILT))


def plain(directory: Path, namespace: str, timeout: float) -> Store:
    """Open a file of the project's own naming."""
    return FileStore(directory / f"{namespace}.json", timeout)


class TestPlainFile(LockingConformance, AddressClauses):
    @pytest.fixture
    def place(self, tmp_path: Path) -> Iterator[FilePlace]:
        place = FilePlace(tmp_path, partial(plain, tmp_path / "project"))
        yield place
        place.close()


class TestKeyedFile(LockingConformance, AddressConformance):
    @pytest.fixture
    def place(self, tmp_path: Path) -> Iterator[FilePlace]:
        place = FilePlace(tmp_path, partial(FileStore.keyed, tmp_path / "state"))
        yield place
        place.close()


@pytest.mark.parametrize("opener", [plain, FileStore.keyed])
def test_what_would_be_too_large_to_be_read_again_is_refused(opener: Callable[..., Store], tmp_path: Path) -> None:
    store = opener(tmp_path, "default", 5.0)
    store.save("key", "small")
    with pytest.raises(RefusedError, match="MB"):
        store.save("large", "x" * MAX_BYTES)
    assert opener(tmp_path, "default", 5.0).snapshot().document == {"key": "small"}
    with pytest.raises(RefusedError, match="MB"):
        store.put_checkpoint(Checkpoint("large", 1.0), {"key": "x" * MAX_BYTES})
    assert store.checkpoints() == []


def test_who_only_reads_makes_no_directory_and_no_lock(tmp_path: Path) -> None:
    for store in (plain(tmp_path / "a", "default", 5.0), FileStore.keyed(tmp_path / "b", "default")):
        assert store.load("key", None) is None
        assert store.keys() == []
        assert store.checkpoints() == []
        assert store.wait(store.snapshot().digest, 0) is False
        assert store.holders() == []
    assert list(tmp_path.iterdir()) == []
