"""The history as its readers use it: what was when, what came before, who changed what, and what is kept."""

import json
import os
import sqlite3
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from statewatch.core.errors import SourceError
from statewatch.documents.noise import Noise
from statewatch.watch.history.store import LARGEST, Entry, History, HistoryError, default_path
from tests.support import timeline

HOOKS, BATCH = "/project/.claude/hook_state.json", "/project/.claude/batch_state.json"
DAY = 86_400.0


@pytest.fixture
def history(tmp_path: Path) -> Iterator[History]:
    with History.open(tmp_path / "history.db") as opened:
        yield opened


def recorded(history: History, source: str, data: object, moment: float) -> Entry:
    entry = history.record(source, json.dumps(data).encode(), at=moment, seen_at=moment)
    assert entry is not None
    return entry


@pytest.mark.parametrize("name", ["hook_state", "batch_state"])
def test_every_version_of_the_real_timeline_comes_back_byte_for_byte(history: History, name: str) -> None:
    versions = timeline(name)
    entries = [history.record(HOOKS, data, at=at, seen_at=at) for at, data in enumerate(versions)]
    found = history.entries(HOOKS)[::-1]
    assert found == entries
    assert [history.data(entry) for entry in found] == list(versions)
    assert sum(entry.dropped for entry in found) == 0
    assert [entry.before for entry in found] == [None, *(entry.digest for entry in found[:-1])]


def test_the_usual_history_is_the_users_own_and_nobody_elses(state_directory: Path) -> None:
    with History.open() as history:
        recorded(history, HOOKS, 1, 1.0)
        assert history.path == default_path() == state_directory / "history.db"
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (state_directory, *state_directory.iterdir())}
    assert modes.pop(state_directory.name) == 0o700
    assert {"history.db", "history.db-wal"} <= modes.keys()
    assert set(modes.values()) == {0o600}


def test_what_a_source_was_at_any_moment(history: History) -> None:
    entries = [recorded(history, HOOKS, number, 100.0 + number) for number in range(5)]
    recorded(history, BATCH, "another", 102.5)
    assert history.sources() == (BATCH, HOOKS)
    assert history.at(HOOKS, 102.9) == entries[2]
    assert history.at(HOOKS, 102.0) == entries[2]
    assert history.at(HOOKS, 99.9) is None, "the history begins later"
    assert history.back(HOOKS, 0) == history.newest(HOOKS) == entries[4]
    assert history.back(HOOKS, 3) == entries[1]
    assert history.back(HOOKS, 5) is None
    assert history.back(HOOKS, -1) is None
    assert history.entries(HOOKS, since=101.0, until=103.0) == entries[3:0:-1]
    assert history.entries(HOOKS, limit=2) == [entries[4], entries[3]]
    assert history.by_digest(HOOKS, entries[3].digest) == entries[3]
    assert history.by_digest(BATCH, entries[3].digest) is None
    assert [entry.seen_at for entry in history.moments()] == [100.0, 101.0, 102.0, 102.5, 103.0, 104.0]
    assert history.moments([BATCH]) == history.entries(BATCH)
    assert history.moments(since=103.5) == [entries[4]]
    assert history.newest("/nothing/known") is None


def test_identical_content_is_no_revision(history: History) -> None:
    recorded(history, HOOKS, 1, 1.0)
    assert history.record(HOOKS, b"1", at=2.0, seen_at=2.0) is None
    recorded(history, HOOKS, 2, 3.0)
    back = recorded(history, HOOKS, 1, 4.0)
    assert len(history.entries(HOOKS)) == 3, "what comes back after something else is one"
    assert history.by_digest(HOOKS, back.digest) == back


def heartbeat(second: int, **fields: object) -> dict[str, object]:
    return {"updated_at": f"2026-11-20T14:00:{second:02}Z", **fields}


def test_revisions_that_only_tell_the_time_coalesce_and_the_newest_is_there(history: History) -> None:
    first = recorded(history, HOOKS, heartbeat(0, done=1), 0.0)
    for second in range(1, 30):
        beat = recorded(history, HOOKS, heartbeat(second, done=1), float(second))
    assert history.entries(HOOKS) == [beat, first]
    assert history.document(beat) == heartbeat(29, done=1)
    assert beat.dropped == 28
    assert beat.before == first.digest
    assert history.at(HOOKS, 12.0) == first, "of those between, the time of the change before them stays"
    work = recorded(history, HOOKS, heartbeat(30, done=2), 30.0)
    assert [entry.dropped for entry in history.entries(HOOKS)] == [0, 28, 0]
    assert [touch.entry for touch in history.blame(HOOKS, ("updated_at",))] == [work, beat]
    assert history.blame(HOOKS, ("updated_at",))[1].before == "2026-11-20T14:00:00Z"


def test_counters_are_how_far_a_run_has_come_and_coalesce_only_when_asked(tmp_path: Path, history: History) -> None:
    for number in range(5):
        recorded(history, HOOKS, {"current_index": number}, float(number))
    assert len(history.entries(HOOKS)) == 5
    with History.open(tmp_path / "other.db", noise=Noise(timestamps=True, counters=True)) as other:
        for number in range(5):
            recorded(other, HOOKS, {"current_index": number}, float(number))
        assert [other.document(entry) for entry in other.entries(HOOKS)] == [{"current_index": 4}, {"current_index": 0}]


def test_numbers_that_only_exact_readers_tell_apart_are_no_noise(history: History) -> None:
    for number in (10**25, 10**25 + 1, 10**25 + 2):
        recorded(history, HOOKS, {"count": number}, float(number % 9))
    assert [history.document(entry) for entry in history.entries(HOOKS, limit=1)] == [{"count": 10**25 + 2}]
    assert [touch.after for touch in history.blame(HOOKS, ("count",))] == [10**25 + 2, 10**25 + 1]


@pytest.mark.parametrize("data", [b"", b"\xff\xfe no JSON", b'{"half": ', b"\0" * 100, b"null"])
def test_what_is_no_json_is_recorded_too(history: History, data: bytes) -> None:
    recorded(history, HOOKS, {"a": 1}, 1.0)
    entry = history.record(HOOKS, data, at=2.0, seen_at=2.0)
    recorded(history, HOOKS, {"a": 2}, 3.0)
    assert entry is not None
    assert history.data(entry) == data
    if data != b"null":
        with pytest.raises(SourceError, match="not JSON"):
            history.document(entry)
        assert [touch.op for touch in history.blame(HOOKS, ("a",))] == ["add", "remove"]


@pytest.mark.parametrize("depth", [400, 900, 3_000])
def test_what_is_nested_deep_or_has_endless_keys_is_recorded_and_blamed(history: History, depth: int) -> None:
    for number in range(3):
        key = "k" * 5_000
        data = b'{"a": ' * depth + f'{{"{key}": {number}, "b": {number}}}'.encode() + b"}" * depth
        entry = history.record(HOOKS, data, at=float(number), seen_at=float(number))
        assert entry is not None
        assert history.data(entry) == data
    touched = history.blame(HOOKS, ("a",))
    assert len(touched) == (2 if depth == 400 else 0), "what no reader takes is only kept"


def test_names_may_be_any_bytes(history: History) -> None:
    name = os.fsdecode(b"/project/\xff\xfe.json")
    entry = recorded(history, name, 1, 1.0)
    assert history.sources() == (name,)
    assert history.newest(name) == entry


def test_what_is_too_large_is_refused_in_words(history: History) -> None:
    with pytest.raises(HistoryError, match="67 MB are not recorded"):
        history.record(HOOKS, bytes(LARGEST + 1), at=1.0, seen_at=1.0)
    assert history.sources() == ()


# --- blame


def test_blame_names_the_revision_that_changed_a_value_and_what_it_was(history: History) -> None:
    recorded(history, HOOKS, {"hooks": {"lint": {"state": "closed", "runs": 1}}}, 1.0)
    opened = recorded(history, HOOKS, {"hooks": {"lint": {"state": "open", "runs": 2}}}, 2.0)
    ran = recorded(history, HOOKS, {"hooks": {"lint": {"state": "open", "runs": 3}}}, 3.0)
    (touch,) = history.blame(HOOKS, ("hooks", "lint", "state"))
    assert (touch.entry, touch.op, touch.before, touch.after) == (opened, "replace", "closed", "open")
    assert touch.path == ("hooks", "lint", "state")
    inside = [(touch.entry, touch.path[-1]) for touch in history.blame(HOOKS, ("hooks", "lint"))]
    assert inside == [(ran, "runs"), (opened, "runs"), (opened, "state")]
    gone = recorded(history, HOOKS, {"hooks": {}}, 4.0)
    latest = history.blame(HOOKS, ("hooks", "lint", "state"))[0]
    assert (latest.entry, latest.op, latest.before, latest.after) == (gone, "remove", "open", None)
    assert history.blame(HOOKS, ("hooks", "other")) == []
    assert history.blame("/nothing/known", ()) == []


def test_blame_of_an_item_whose_list_was_rearranged_tells_what_the_position_held(history: History) -> None:
    recorded(history, BATCH, {"runs": ["a", "b", "c"]}, 1.0)
    recorded(history, BATCH, {"runs": ["a", "b", "c", "d"]}, 2.0)
    front = recorded(history, BATCH, {"runs": ["new", "a", "b", "c", "d"]}, 3.0)
    (touch,) = history.blame(BATCH, ("runs", "1"))  # text, as an address has it
    assert (touch.entry, touch.path, touch.before, touch.after) == (front, ("runs", 1), "b", "a")


def test_a_rewrite_of_everything_takes_little_of_the_index_and_is_blamed_all_the_same(history: History) -> None:
    names = [f"hook-{number}" for number in range(3_000)]
    recorded(history, HOOKS, {name: {"runs": 1, "last": "then"} for name in names}, 1.0)
    rewrite = recorded(history, HOOKS, {name: {"runs": 2, "last": "now"} for name in names}, 2.0)
    (touch,) = history.blame(HOOKS, ("hook-77", "runs"))
    assert (touch.entry, touch.before, touch.after) == (rewrite, 1, 2)
    with sqlite3.connect(history.path) as link:
        assert link.execute("SELECT count(*) FROM touches").fetchone()[0] <= 256
    link.close()


# --- keeping it small


def test_the_latest_are_all_kept_and_ever_fewer_of_those_before(history: History) -> None:
    for number in range(1_000):
        recorded(history, HOOKS, number, float(number))
    assert history.prune(10 * 3_600.0, dense=100) > 0
    kept = [history.document(entry) for entry in history.entries(HOOKS)][::-1]
    assert kept[-100:] == list(range(900, 1_000))
    assert set(range(800, 900, 2)) <= set(map(int, filter(None, map(str, kept))))
    first_half = [number for number in kept if isinstance(number, int) and number < 500]
    assert 40 < len(first_half) < 80
    assert sum(entry.dropped for entry in history.entries(HOOKS)) + len(kept) == 1_000


def test_nothing_of_the_last_hour_is_thinned_out(history: History) -> None:
    for number in range(300):
        recorded(history, HOOKS, number, float(number))
    assert history.prune(3_000.0, dense=10) == 0


def test_what_is_too_old_goes_but_for_bookmarks_and_the_newest(history: History) -> None:
    entries = [recorded(history, HOOKS, number, number * DAY) for number in range(20)]
    only = recorded(history, BATCH, "the only one", 0.0)
    history.bookmark(entries[3], "before the migration")
    assert history.prune(30 * DAY) == 15
    assert [entry.number for entry in history.entries(HOOKS)] == [
        entries[19].number,
        entries[18].number,
        entries[17].number,
        entries[16].number,
        entries[3].number,
    ]
    (marked,) = history.bookmarks()
    assert (marked.number, marked.bookmark, marked.dropped) == (entries[3].number, "before the migration", 3)
    assert history.document(marked) == 3
    assert history.newest(BATCH) == only
    with pytest.raises(HistoryError, match="kept no longer") as told:
        history.data(entries[5])
    assert told.value.missing


def test_the_size_is_bounded_and_the_newest_of_each_source_stays(history: History) -> None:
    for number in range(150):
        for source in (HOOKS, BATCH):
            history.record(source, os.urandom(8_000), at=float(number), seen_at=float(number))
    newest = {source: history.newest(source) for source in (HOOKS, BATCH)}
    assert history.size() > 2_000_000
    history.prune(200.0, max_bytes=600_000)
    assert history.size() <= 600_000
    for source, entry in newest.items():
        found = history.newest(source)
        assert entry is not None
        assert found is not None
        assert found.number == entry.number
        assert len(history.entries(source)) > 5
    history.close()
    assert history.path.stat().st_size < 1_000_000, "the room is given back"


# --- bookmarks and looks


def test_a_bookmark_names_an_entry_until_it_is_taken_away(history: History) -> None:
    one, other = recorded(history, HOOKS, 1, 1.0), recorded(history, HOOKS, 2, 2.0)
    elsewhere = recorded(history, BATCH, 1, 3.0)
    history.bookmark(one, "good")
    history.bookmark(elsewhere, "good")
    with pytest.raises(HistoryError, match="already"):
        history.bookmark(other, "good")
    assert [entry.source for entry in history.bookmarks()] == [HOOKS, BATCH]
    history.unbookmark("good")
    assert history.bookmarks() == []
    with pytest.raises(HistoryError, match="no bookmark"):
        history.unbookmark("good")
    with pytest.raises(HistoryError, match="no bookmark"):
        history.unbookmark("")


@pytest.mark.parametrize("name", ["", "a\x1b[31mb", "line\nbreak", "x" * 101])
def test_a_bookmark_has_a_name_that_can_be_shown(history: History, name: str) -> None:
    entry = recorded(history, HOOKS, 1, 1.0)
    with pytest.raises(HistoryError, match="visible"):
        history.bookmark(entry, name)


def test_when_somebody_last_looked_at_a_project(history: History) -> None:
    assert history.last_look("/project") is None
    history.looked("/project", 12.5)
    history.looked("/project", 99.5)
    assert history.last_look("/project") == 99.5
    assert history.last_look("/other") is None


# --- several recorders, and clocks


def test_a_recorder_that_is_behind_another_one_adds_nothing_that_is_older(tmp_path: Path) -> None:
    path = tmp_path / "history.db"
    with History.open(path) as quick, History.open(path) as slow:
        for moment in (1.0, 2.0, 3.0):
            recorded(quick, HOOKS, moment, moment)
        for moment in (1.0, 2.0, 3.0):
            assert slow.record(HOOKS, str(moment).encode(), at=moment, seen_at=moment + 0.01) is None
        entry = recorded(slow, HOOKS, 4.0, 4.0)
        assert quick.record(HOOKS, b"4.0", at=4.0, seen_at=4.0) is None
        assert quick.newest(HOOKS) == entry
        assert len(quick.entries(HOOKS)) == 4


def test_what_comes_back_with_its_old_time_is_a_revision(tmp_path: Path) -> None:
    """As when somebody moves a copy back into place, with two recorders looking on."""
    path = tmp_path / "history.db"
    with History.open(path) as one, History.open(path) as other:
        one.record(HOOKS, b"good", at=1.0, seen_at=1.0)
        one.record(HOOKS, b"bad", at=50.0, seen_at=50.0)
        assert other.record(HOOKS, b"bad", at=50.0, seen_at=50.1) is None
        assert other.record(HOOKS, b"good", at=1.0, seen_at=55.0) is not None
        assert one.record(HOOKS, b"good", at=1.0, seen_at=55.1) is None
        assert [one.data(entry) for entry in one.entries(HOOKS)] == [b"good", b"bad", b"good"]


@pytest.mark.parametrize("back", [0.2, 5.0, 3_600.0, 400 * DAY])
def test_a_clock_that_is_set_back_costs_nothing(history: History, back: float) -> None:
    now = 500 * DAY
    recorded(history, HOOKS, "before", now)
    recorded(history, HOOKS, "after", now - back)
    newest = history.newest(HOOKS)
    assert newest is not None
    assert history.document(newest) == "after"
    history.prune(now - back)
    newest = history.newest(HOOKS)
    assert newest is not None
    assert history.document(newest) == "after"
