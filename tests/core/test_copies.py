"""Safety copies: byte for byte, bounded in number, and never in the way."""

import os
import subprocess
from pathlib import Path

import pytest

from statewatch.core import copies
from statewatch.core.errors import RefusedError
from statewatch.core.reading import read
from statewatch.core.stores.urls import open_store


def kept(path: Path) -> list[bytes]:
    return [copy.read_bytes() for copy in sorted(copies.directory_for(path).iterdir())]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "state.json"
    path.write_bytes(b"0")
    return path


def keep(path: Path, content: bytes, now: float) -> Path:
    path.write_bytes(content)
    copy = copies.keep(path, read(path), now)
    copies.secure(copy)
    return copy


def test_a_copy_is_the_file_byte_for_byte_and_recognisable(path: Path) -> None:
    copy = keep(path, b"\xff not even JSON", 1_794_830_400.25)
    assert copy.read_bytes() == b"\xff not even JSON"
    assert copy.name.startswith("20261116T120000.250000Z-")
    assert copy.suffix == ".json"
    assert copy.parent.name.startswith("state.json-")


def test_files_of_the_same_name_have_copies_of_their_own(path: Path, tmp_path: Path) -> None:
    assert copies.directory_for(path) != copies.directory_for(tmp_path / "other" / "state.json")


def test_only_the_newest_are_kept(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copies, "KEEP", 3)
    for number in range(5):
        keep(path, b"%d" % number, 1_000_000_000 + number)
    assert kept(path) == [b"2", b"3", b"4"]


def test_the_oldest_go_when_all_are_too_large_together_but_never_the_newest_few(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(copies, "MAX_BYTES", 35)
    monkeypatch.setattr(copies, "ALWAYS", 2)
    for number in range(6):
        keep(path, b"%d" % number * 10, 1_000_000_000 + number)
    assert kept(path) == [b"3" * 10, b"4" * 10, b"5" * 10]
    keep(path, b"6" * 100, 1_000_000_006)
    assert kept(path) == [b"5" * 10, b"6" * 100]


def test_a_copy_of_a_database_is_named_as_the_json_that_it_is(tmp_path: Path) -> None:
    store = open_store(f"sqlite:{tmp_path}/state.db")
    store.save("a", 1)
    copy = copies.keep(store.source, store.version(), 1_000_000_000)
    assert (copy.suffix, copy.read_bytes()) == (".json", b'{\n  "a": 1\n}')
    assert copies.copies_of(store.source) == [copy]


def test_a_clock_that_was_set_back_does_not_cost_the_copy_just_made(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(copies, "KEEP", 2)
    for number in range(3):
        keep(path, b"%d" % number, 2_000_000_000 + number)
    newest = keep(path, b"now", 1_000_000_000)
    assert newest.read_bytes() == b"now"


def test_what_a_killed_process_left_unfinished_is_cleared_away(path: Path) -> None:
    copy = keep(path, b"1", 1_000_000_000)
    gone = subprocess.Popen(["true"])
    gone.wait()
    unfinished = copy.with_name(f".{copy.name}.{gone.pid}.tmp")
    unfinished.write_bytes(b"ha")
    under_way = copy.with_name(f".{copy.name}.{os.getppid()}.tmp")
    under_way.write_bytes(b"ha")
    keep(path, b"2", 1_000_000_001)
    assert not unfinished.exists()
    assert under_way.exists()


def test_no_place_for_a_copy_is_told_with_what_to_do(path: Path, state_directory: Path) -> None:
    state_directory.write_text("a file where a directory should be")
    with pytest.raises(RefusedError, match=r"no safety copy can be kept in .*STATEWATCH_STATE_DIR"):
        copies.keep(path, read(path), 1_000_000_000)
