"""What is kept of sources: found by itself, told apart, counted against the present, and never read without bounds."""

import json
import os
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from statewatch.core.actions import perform
from statewatch.core.circuits import circuit_actions
from statewatch.core.copies import directory_for
from statewatch.core.stores.urls import open_store
from statewatch.watch import kept as kept_module
from statewatch.watch import shelves as module
from statewatch.watch.kept import Counts, Kept, store_of
from statewatch.watch.picture import Source
from statewatch.watch.shelves import Looked, Shelves
from tests.core.files import document, write


class Clock:
    """A clock that stands still until it is told to go on; it may also go on by itself each time one looks at it."""

    def __init__(self) -> None:
        self.now = 100.0
        self.step = 0.0

    def __call__(self) -> float:
        self.now += self.step
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def shelves(clock: Clock) -> Shelves:
    return Shelves(clock)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Return a file with one checkpoint of what it held before."""
    path = write(tmp_path / "x.json", {"a": 1, "b": [1, 2], "gone": True})
    open_store(path).checkpoint("before", note="all green", by="ann", pinned=True)
    return write(path, {"a": 2, "b": [1, 2, 3, 4]})


def source(path: Path, kind: str = "plain") -> Source:
    return Source(str(path), path.name, kind)


def looked(shelves: Shelves, path: Path, chosen: str | None = None, kind: str = "plain") -> Looked:
    """Look as often as it takes, as the view does."""
    for _ in range(1_000):
        found = shelves.look([source(path, kind)], str(path), chosen)
        if not found.unfinished:
            return found
    raise AssertionError("it never ends")


def kept(found: Looked, path: Path) -> dict[str, Kept]:
    shelf = found.shelves[str(path)]
    assert shelf is not None
    return {each.name: each for each in shelf.kept}


def test_a_checkpoint_is_told_with_what_differs_from_now(shelves: Shelves, file: Path) -> None:
    found = looked(shelves, file)
    before = kept(found, file)["before"]
    assert (before.what, before.said, before.by, before.pinned) == ("checkpoint", "all green", "ann", True)
    assert before.since == Counts(added=2, removed=1, replaced=1)
    assert {said.subject for said in found.said or ()} == {"/a", "/b/2", "/gone"} or len(found.said or ()) >= 3
    assert found.now == ""


def test_backups_of_others_and_safety_copies_are_on_the_same_shelf_newest_first(
    shelves: Shelves, tmp_path: Path
) -> None:
    hooks = write(tmp_path / "hook_state.json", document(2))
    backup = write(tmp_path / "hook_state.json.bak", document(1))
    os.utime(backup, (1_000_000_000, 1_000_000_000))
    open_store(hooks).checkpoint("mine")
    [action] = circuit_actions("reset", hooks, ["h0"], why="noisy")
    perform(action, settle_for=0)
    shelf = looked(shelves, hooks).shelves[str(hooks)]
    assert shelf is not None
    assert [each.what for each in shelf.kept] == ["copy", "checkpoint", "backup"]
    assert shelf.kept[0].said == "before reset h0: noisy", "the audit log knows why it is there"
    assert [shelf.count(what) for what in ("copy", "checkpoint", "backup")] == [1, 1, 1]
    assert shelf.kept[0].document(open_store(hooks)) == document(2)


def test_what_others_keep_appears_by_itself_and_what_we_do_at_once(shelves: Shelves, clock: Clock, file: Path) -> None:
    looked(shelves, file)
    open_store(file).checkpoint("later")
    assert "later" not in kept(looked(shelves, file), file), "a list is believed for a moment"
    clock.now += 3
    assert "later" in kept(looked(shelves, file), file)
    open_store(file).checkpoint("ours")
    shelves.ask_anew()
    assert "ours" in kept(looked(shelves, file), file)


def test_when_the_file_changes_the_counts_are_made_anew(shelves: Shelves, file: Path) -> None:
    assert kept(looked(shelves, file), file)["before"].since == Counts(2, 1, 1)
    write(file, {"a": 1, "b": [1, 2], "gone": True})
    before = kept(looked(shelves, file), file)["before"]
    assert (before.since, before.old) == (Counts(), False)


def test_what_is_damaged_says_so_and_keeps_nothing_else_from_being_compared(shelves: Shelves, file: Path) -> None:
    store = open_store(file)
    store.checkpoint("broken")
    path = next(path for path in (directory_for(file).parents[1] / "checkpoints").rglob("broken.json"))
    path.write_text("{")
    found = kept(looked(shelves, file), file)
    assert "not JSON" in found["broken"].problem
    assert found["broken"].since is None
    assert found["before"].since == Counts(2, 1, 1)
    with pytest.raises(Exception, match="not JSON"):
        found["broken"].is_as_made(store)


def test_a_flipped_byte_is_no_longer_as_it_was_made(shelves: Shelves, file: Path) -> None:
    store = open_store(file)
    before = kept(looked(shelves, file), file)["before"]
    assert before.is_as_made(store)
    path = next(path for path in (directory_for(file).parents[1] / "checkpoints").rglob("before.json"))
    path.write_bytes(path.read_bytes().replace(b'"a": 1', b'"a": 7'))
    assert not before.is_as_made(store)


def test_a_safety_copy_is_known_by_the_digest_in_its_name(shelves: Shelves, tmp_path: Path) -> None:
    hooks = write(tmp_path / "hook_state.json", document(2))
    perform(circuit_actions("reset", hooks, ["h0"])[0], settle_for=0)
    store = open_store(hooks)
    [copy] = kept(looked(shelves, hooks), hooks).values()
    assert copy.path is not None
    assert copy.is_as_made(store)
    copy.path.write_bytes(copy.path.read_bytes().replace(b"h1", b"h9"))
    assert not copy.is_as_made(store)


@pytest.mark.parametrize(
    ("spoil", "why"),
    [(lambda path: path.unlink(), "there is no file now"), (lambda path: path.write_text("{"), "not JSON")],
    ids=["gone", "broken"],
)
def test_without_a_present_version_there_is_nothing_to_compare_with(
    shelves: Shelves, file: Path, spoil: Callable[[Path], object], why: str
) -> None:
    spoil(file)
    found = looked(shelves, file)
    assert why in found.now
    assert kept(found, file)["before"].since is None
    assert found.said is None


def test_a_directory_that_cannot_be_looked_at_is_told(shelves: Shelves, file: Path) -> None:
    [directory] = (directory_for(file).parents[1] / "checkpoints").iterdir()
    for path in directory.iterdir():
        path.unlink()
    directory.rmdir()
    directory.symlink_to(directory)
    shelf = looked(shelves, file).shelves[str(file)]
    assert shelf is not None
    assert "cannot be looked at" in shelf.problem


def test_a_namespace_has_the_checkpoints_of_its_layout(
    shelves: Shelves, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with open_store("json:.claude/state?namespace=nightly") as store:
        store.save("phase", "planning")
        store.checkpoint("first")
        store.save("phase", "building")
    path = tmp_path / ".claude/state/nightly/state.json"
    found = looked(shelves, path, kind="namespace")
    assert kept(found, path)["first"].since == Counts(replaced=1)
    assert store_of(source(path, "namespace")).namespace == "nightly"


def test_a_look_takes_a_moment_and_goes_on_where_it_stopped(
    shelves: Shelves, clock: Clock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path / "x.json", {"a": 1})
    for number in range(5):
        open_store(path).checkpoint(f"c{number}")
    write(path, {"a": 2})
    clock.step = 0.02  # each look at the clock costs as much
    first = shelves.look([source(path)], str(path), "c2")
    counted = {each.name for each in kept(first, path).values() if each.since is not None}
    assert first.unfinished
    assert "c2" in counted, "the chosen one comes first"
    assert len(counted) < 5
    assert all(each.since == Counts(replaced=1) for each in kept(looked(shelves, path, "c2"), path).values())


def test_other_sources_wait_until_there_is_time(shelves: Shelves, clock: Clock, file: Path, tmp_path: Path) -> None:
    others = [write(tmp_path / f"o{number}.json", {}) for number in range(9)]
    sources = [*map(source, others), source(file)]
    clock.step = 0.02
    first = shelves.look(sources, str(file), None)
    assert first.unfinished
    assert first.shelves[str(file)] is not None, "the one that is looked at comes first"
    assert None in first.shelves.values()
    while (found := shelves.look(sources, str(file), None)).unfinished:
        pass
    assert None not in found.shelves.values()


def test_what_is_large_is_not_compared_unasked(shelves: Shelves, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_module, "_LARGEST", 10)
    found = looked(shelves, file)
    assert kept(found, file)["before"].since is None
    assert kept(found, file)["before"].is_large


def test_parsed_documents_are_let_go_when_they_are_many(
    shelves: Shelves, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_MOST_BYTES", 1)
    open_store(file).checkpoint("other")
    looked(shelves, file)
    assert len(shelves._documents._known) == 1


def test_a_thousand_checkpoints_are_listed_in_a_moment(tmp_path: Path) -> None:
    path = write(tmp_path / "x.json", {"a": 1})
    store = open_store(path)
    made = store.checkpoint("c")
    [directory] = (directory_for(path).parents[1] / "checkpoints").iterdir()
    index = json.loads((directory / ".statewatch-index.json").read_text())
    note: dict[str, Any] = index["checkpoints"].get("c") or index["coming"]["c"]
    for number in range(1_000):
        (directory / f"c{number}.json").write_bytes((directory / "c.json").read_bytes())
        index["checkpoints"][f"c{number}"] = {**note, "inode": (directory / f"c{number}.json").stat().st_ino}
    (directory / ".statewatch-index.json").write_text(json.dumps(index))
    shelves = Shelves()
    shelves.look([source(path)], str(path), None)
    shelves.ask_anew()
    begun = time.perf_counter()
    found = shelves.look([source(path)], str(path), None)
    took = time.perf_counter() - begun
    assert len(kept(found, path)) == 1_001
    assert took < 1, "a tenth of it on an idle machine"
    assert replace(made, name="c7") in store.checkpoints()
