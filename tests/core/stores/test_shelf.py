"""Checkpoints of files: what is known about each stays with it, wherever they go and whoever writes there."""

import json
import os
import shutil
from pathlib import Path

import pytest

from statewatch.core.copies import copies_of
from statewatch.core.errors import RefusedError
from statewatch.core.stores.file import FileStore
from statewatch.core.stores.shelf_index import NAME, Index, Note


@pytest.fixture
def store(tmp_path: Path) -> FileStore:
    made = FileStore.keyed(tmp_path / "state", "ns")
    made.save("a", 1)
    made.checkpoint("one", note="the first", pinned=True)
    return made


@pytest.fixture
def shelf(store: FileStore) -> Path:
    return store.path.parent / "checkpoints"


def test_a_copy_of_the_directory_knows_the_same(store: FileStore, tmp_path: Path) -> None:
    store.save("a", 2)
    store.checkpoint("one", note="anew", replacing=True)
    shutil.copytree(tmp_path / "state", tmp_path / "copied")
    copied = FileStore.keyed(tmp_path / "copied", "ns")
    assert copied.checkpoints() == store.checkpoints()
    assert copied.verify_checkpoint("one")
    copied.checkpoint("two")
    assert copied.find_checkpoint("one").note == "anew"


def test_what_is_said_about_a_file_holds_from_the_moment_it_is_there(tmp_path: Path) -> None:
    """Whoever is killed in between has replaced either both, the checkpoint and what is said about it, or neither."""
    index = Index(tmp_path)
    old, new = Note(1.0, "old", inode=10), Note(2.0, "new", inode=20)
    index.write({"one": old})
    index.write(index.notes({"one": 10}), {"one": new})
    assert index.notes({"one": 10}) == {"one": old}
    assert index.notes({"one": 20}) == {"one": new}
    assert index.notes({}) == {}
    index.write(index.notes({"one": 10}))  # it has not come: nobody speaks of it any more
    assert index.notes({"one": 20})["one"].note == "old"


def test_a_damaged_index_loses_notes_alone_and_is_kept(store: FileStore, shelf: Path) -> None:
    (shelf / NAME).write_bytes(b'{"checkpoints": {"one"')
    assert [(each.name, each.note) for each in store.checkpoints()] == [("one", "")]
    store.checkpoint("two", note="the second")
    assert store.find_checkpoint("two").note == "the second"
    assert b'{"checkpoints": {"one"' in [copy.read_bytes() for copy in copies_of(shelf / NAME)]


@pytest.mark.parametrize(
    "told", [None, [], "x", {}, {"created_at": "now"}, {"created_at": 1e300}, {"created_at": 1.0, "pinned": "yes"}]
)
def test_one_note_that_is_damaged_spoils_no_other(told: object, store: FileStore, shelf: Path) -> None:
    index = json.loads((shelf / NAME).read_bytes())
    index["checkpoints"]["two"] = told
    index["checkpoints"]["one"] = {**(index["checkpoints"].get("one") or index["coming"]["one"]), "colour": "red"}
    (shelf / NAME).write_text(json.dumps(index))
    (shelf / "two.json").write_text("{}")
    assert {each.name: each.note for each in store.checkpoints()} == {"one": "the first", "two": ""}
    assert store.find_checkpoint("one").pinned


def test_an_index_of_a_newer_statewatch_is_left_alone(store: FileStore, shelf: Path) -> None:
    newer = json.dumps({"format": 2, "checkpoints": {}}).encode()
    (shelf / NAME).write_bytes(newer)
    with pytest.raises(RefusedError, match="a newer statewatch"):
        store.checkpoint("two")
    assert (shelf / NAME).read_bytes() == newer
    assert [each.name for each in store.checkpoints()] == ["one"]


def test_an_index_that_cannot_be_read_is_not_taken_for_none(store: FileStore, shelf: Path) -> None:
    """Or else all notes and pins would be gone with the next one."""
    before = (shelf / NAME).read_bytes()
    (shelf / NAME).rename(shelf / "moved")
    os.mkfifo(shelf / NAME)
    with pytest.raises(Exception, match="it is not a regular file"):
        store.checkpoint("two")
    (shelf / "moved").replace(shelf / NAME)
    assert (shelf / NAME).read_bytes() == before
    assert store.find_checkpoint("one").pinned


def test_a_name_that_another_tool_has_taken_meanwhile_is_not_replaced(
    store: FileStore, shelf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    genuine = Index.write

    def late(index: Index, *notes: object) -> None:
        genuine(index, *notes)  # type: ignore[arg-type]
        (shelf / "two.json").write_text('{"theirs": 1}')

    monkeypatch.setattr(Index, "write", late)
    with pytest.raises(RefusedError, match="it cannot be renamed to 'two'"):
        store.edit_checkpoint("one", new_name="two")
    with pytest.raises(RefusedError, match="already"):
        store.checkpoint("two")
    (shelf / "two.json").unlink()
    with pytest.raises(RefusedError, match="has appeared meanwhile"):
        store.checkpoint("two")
    assert (shelf / "two.json").read_text() == '{"theirs": 1}'
    assert store.read_checkpoint("one").document == {"a": 1}
