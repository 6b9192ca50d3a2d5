"""What holds whatever happens: every entry that is kept is exact to the byte, and blame says what the documents say."""

import hashlib
import itertools
import json
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from statewatch.documents import pointer
from statewatch.documents.values import JSON, same
from statewatch.watch.history import compaction
from statewatch.watch.history.store import Entry, History
from tests.documents.strategies import documents

NAMES = ("/project/a.json", "/project/b.json")
HOUR = 3_600.0

steps = st.lists(
    st.one_of(
        st.tuples(st.just("record"), st.sampled_from(NAMES), st.integers(0, 6), st.binary(max_size=40)),
        st.tuples(st.just("again"), st.sampled_from(NAMES), st.just(0), st.just(b"")),
        st.tuples(st.just("bookmark"), st.sampled_from(NAMES), st.integers(0, 30), st.just(b"")),
        st.tuples(st.just("unbookmark"), st.sampled_from(NAMES), st.integers(0, 5), st.just(b"")),
        st.tuples(st.just("prune"), st.sampled_from(NAMES), st.sampled_from([1, 2, 5, 50]), st.just(b"")),
        st.tuples(st.just("prune by age"), st.sampled_from(NAMES), st.integers(1, 40), st.just(b"")),
    ),
    max_size=60,
)


@settings(max_examples=60)
@given(steps)
def test_every_entry_that_is_kept_comes_back_byte_for_byte(done: list[tuple[str, str, int, bytes]]) -> None:
    """Text of some length with a little that changes, so that versions do lean on one another."""
    with tempfile.TemporaryDirectory() as directory, History.open(Path(directory, "h.db")) as history:
        recorded: dict[int, bytes] = {}
        newest: dict[str, bytes] = {}
        pinned: set[int] = set()
        now = 0.0
        for what, name, number, extra in done:
            now += HOUR
            kept = history.entries(name)
            if what in {"record", "again"}:
                data = newest.get(name, b"") if what == "again" else b"some text that stays as it is " * number + extra
                entry = history.record(name, data, at=now, seen_at=now)
                assert (entry is None) == (newest.get(name) == data)
                if entry is not None:
                    recorded[entry.number] = newest[name] = data
            elif what == "bookmark" and kept:
                chosen = kept[number % len(kept)]
                history.bookmark(chosen, f"mark {chosen.number}")
                pinned.add(chosen.number)
            elif what == "unbookmark" and pinned:
                chosen_number = sorted(pinned)[number % len(pinned)]
                history.unbookmark(f"mark {chosen_number}")
                pinned.remove(chosen_number)
            elif what == "prune":
                history.prune(now, dense=number)
            elif what == "prune by age":
                history.prune(now, max_age=number * HOUR)
            everything = history.moments()
            assert [history.data(entry) for entry in everything] == [recorded[entry.number] for entry in everything]
            assert pinned <= {entry.number for entry in everything}
            for source, data in newest.items():
                found = history.newest(source)
                assert found is not None
                assert history.data(found) == data
        lost = sum(entry.dropped + 1 for entry in history.moments())
        assert lost == len(recorded), "each revision is kept, or counted as dropped by the next one"


def value_at(history: History, entry: Entry, tokens: tuple[str | int, ...]) -> list[JSON]:
    """Return what a place held, as a list: empty where there was no such place."""
    try:
        return [pointer.get(history.document(entry), tokens)]
    except pointer.PointerError:
        return []


def places_of(value: JSON, here: tuple[str | int, ...] = ()) -> set[tuple[str | int, ...]]:
    """Return all places in a document."""
    found = {here}
    children: list[tuple[str | int, JSON]] = []
    if isinstance(value, dict):
        children = list(value.items())
    elif isinstance(value, list):
        children = list(enumerate(value))
    for token, child in children:
        found |= places_of(child, (*here, token))
    return found


def judged(history: History, name: str) -> None:
    """Compare blame, for every place there ever was, with what the kept documents say."""
    kept = history.entries(name)[::-1]
    for place in set().union(*(places_of(history.document(entry)) for entry in kept)):
        held = [value_at(history, entry, place) for entry in kept]
        changed = [
            entry.number for entry, was, became in zip(kept[1:], held, held[1:], strict=False) if not same(was, became)
        ]
        touches = history.blame(name, place)
        assert sorted({touch.entry.number for touch in touches}) == changed, place
        before = {entry.number: earlier for earlier, entry in itertools.pairwise(kept)}
        for touch in touches:
            assert touch.path[: len(place)] == place
            was, became = (value_at(history, each, touch.path) for each in (before[touch.entry.number], touch.entry))
            assert not same(was, became), touch
            assert touch.op == ("add" if not was else "remove" if not became else "replace")
            assert same([touch.before], was or [None])
            assert same([touch.after], became or [None])


def keyed(value: JSON) -> bool:
    """Tell whether no key of an object looks like a position in a list: a pointer cannot tell the two apart."""
    if isinstance(value, dict):
        return all(not key.isdigit() and keyed(child) for key, child in value.items())
    return all(map(keyed, value)) if isinstance(value, list) else True


@settings(max_examples=80)
@given(
    st.lists(documents.filter(keyed), min_size=2, max_size=8, unique_by=json.dumps),
    st.lists(st.booleans(), min_size=8, max_size=8),
)
def test_blame_says_what_the_kept_documents_say(versions: list[Any], prunes: list[bool]) -> None:
    with tempfile.TemporaryDirectory() as directory, History.open(Path(directory, "h.db")) as history:
        for number, (version, prune) in enumerate(zip(versions, prunes, strict=False)):
            history.record("/a", json.dumps(version).encode(), at=number * HOUR, seen_at=number * HOUR)
            if prune:
                history.prune(number * HOUR + 2 * HOUR, dense=1)
        judged(history, "/a")
        compaction.compact(history._link, wholly=True)
        judged(history, "/a")


def test_the_digest_is_that_of_the_bytes(tmp_path: Path) -> None:
    with History.open(tmp_path / "h.db") as history:
        entry = history.record("/a", b"[1]", at=1.0, seen_at=2.0)
        assert entry is not None
        assert entry.digest == hashlib.sha256(b"[1]").hexdigest()
        assert history.by_digest("/a", entry.digest) == entry
        assert history.by_digest("/a", "not a digest") is None
