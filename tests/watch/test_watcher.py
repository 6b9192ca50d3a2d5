"""The watcher on real directories: what happens on disk is shown, in order, whatever becomes of notification."""

import hashlib
import itertools
import json
import os
import shutil
import threading
import time
from collections.abc import Callable, Collection
from pathlib import Path

import pytest

from statewatch.kinds.batch import BatchView
from statewatch.kinds.hooks import HooksView
from statewatch.watch import alarm, watcher
from statewatch.watch.picture import Picture
from statewatch.watch.scope import scope_of
from statewatch.watch.watcher import Watcher
from tests.support import PATIENCE, Watched, copy_of_sample, labels, replace, said, timeline, until, watching

EMPTY = '{"hooks": {}, "global_stats": {}}'


def number(value: int) -> str:
    return json.dumps({"hooks": {}, "global_stats": {"total_failures": value}})


def shows(value: int) -> Callable[[Picture], bool]:
    def check(picture: Picture) -> bool:
        views = [source.view for source in picture.sources]
        return any(isinstance(view, HooksView) and view.total_failures == value for view in views)

    return check


def digests(pictures: list[Picture], label: str) -> list[str]:
    """Return the revisions that were shown of one source, each once, in the order in which they were shown."""
    found: list[str] = []
    for picture in pictures:
        for source in picture.sources:
            if source.label == label and source.revision and found[-1:] != [source.revision.digest]:
                found.append(source.revision.digest)
    return found


def play(path: Path, versions: tuple[bytes, ...], per_second: float) -> None:
    begun = time.monotonic()
    for position, data in enumerate(versions):
        replace(path, data)
        time.sleep(max(0.0, begun + (position + 1) / per_second - time.monotonic()))


@pytest.mark.parametrize("poll", [False, True])
def test_a_run_is_replayed_at_more_than_fifty_changes_a_second(tmp_path: Path, *, poll: bool) -> None:
    hooks, batch = timeline("hook_state")[: 100 if poll else None], timeline("batch_state")
    with watching(scope_of([tmp_path], tmp_path, tmp_path, {}), poll=poll) as watched:
        other = threading.Thread(target=play, args=(tmp_path / "batch_state.json", batch, 30))
        other.start()
        play(tmp_path / "hook_state.json", hooks, 75)
        other.join()
        last = {"hook_state.json": digest(hooks[-1]), "batch_state.json": digest(batch[-1])}
        picture = watched.until(
            lambda picture: last == {each.label: each.revision.digest for each in picture.sources if each.revision},
            "the last version of both",
        )
        for label, versions in (("hook_state.json", hooks), ("batch_state.json", batch)):
            order = [digest(version) for version in versions]
            places = [order.index(each) for each in digests(watched.pictures, label)]
            assert places == sorted(places)
            assert len(places) > (3 if poll else len(order) // 4)
        assert all(source.problem is None for picture in watched.pictures for source in picture.sources)
        assert_chained(picture)


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def assert_chained(picture: Picture) -> None:
    """Assert that every change begins where the one before it on the same source ended."""
    last: dict[str, str | None] = {}
    for line in reversed(picture.changes):
        assert line.after == last.get(line.source) or line.before == last.get(line.source, line.before)
        last[line.source] = line.after


def test_half_writes_in_place_are_never_reported(tmp_path: Path) -> None:
    path = tmp_path / "batch_state.json"
    versions = timeline("batch_state")[:40]
    path.write_bytes(versions[0])
    with watching(scope_of([tmp_path], tmp_path, tmp_path, {})) as watched:
        for version in versions[1:]:
            with path.open("wb", buffering=0) as file:
                file.write(version[:1000])
                time.sleep(0.01)
                file.write(version[1000:])
        watched.until(lambda picture: digests([picture], "batch_state.json") == [digest(versions[-1])])
        assert all(source.problem is None for picture in watched.pictures for source in picture.sources)
        assert not any("JSON" in line for line in said(watched.pictures[-1]))


def test_a_file_that_is_broken_and_mended_by_turns(tmp_path: Path) -> None:
    world = copy_of_sample(tmp_path)
    path = world.home / ".claude" / "hook_state.json"
    good = path.read_bytes()
    with watching(world.scope) as watched:
        path.write_bytes(good[: len(good) // 2])
        broken = watched.until(lambda picture: any(source.problem for source in picture.sources))
        source = broken.sources[-1]
        assert source.problem is not None
        assert source.problem.reason.startswith("not JSON at line ")
        assert source.revision is not None
        assert source.revision.digest == digest(good)
        replace(world.project / ".claude" / "batch_state.json", timeline("batch_state")[3])
        watched.until(lambda picture: picture.changes and picture.changes[0].kind == "batch", "life going on")
        replace(path, good)
        watched.until(lambda picture: all(source.problem is None for source in picture.sources))


def test_a_run_that_starts_later_appears_by_itself(tmp_path: Path) -> None:
    project, home = tmp_path / "project", tmp_path / "home"
    with watching(scope_of((), project, home, {})) as watched:
        assert watched.pictures[0].sources == ()
        (project / ".claude" / "workflows" / "adw-1").mkdir(parents=True)
        (project / ".claude" / "workflows" / "adw-1" / "state.json").write_text(
            '{"workflow_id": "adw-1", "phases": {"plan": {"status": "in_progress"}}}'
        )
        replace(project / ".claude" / "batch_state.json", timeline("batch_state")[0])
        (home / ".claude").mkdir(parents=True)
        replace(home / ".claude" / "hook_state.json", EMPTY)
        picture = watched.until(lambda picture: len(picture.sources) == 3)
        assert labels(picture) == [
            ".claude/batch_state.json",
            ".claude/workflows/adw-1/state.json",
            "~/.claude/hook_state.json",
        ]
        assert said(picture) == ["appeared"] * 3


def test_a_root_that_is_deleted_and_made_again_is_watched_again(tmp_path: Path) -> None:
    root = tmp_path / "root"
    for turn in range(3):
        root.mkdir()
        replace(root / "hook_state.json", number(turn))
        if turn == 0:
            watched = Watched(scope_of([root], tmp_path, tmp_path, {}))
            watched.watcher.start()
        try:
            watched.until(shows(turn))
            replace(root / "hook_state.json", number(turn + 100))
            watched.until(shows(turn + 100))
            shutil.rmtree(root)
            watched.until(lambda picture: any(source.problem and source.problem.gone for source in picture.sources))
        except BaseException:
            watched.watcher.stop()
            raise
    watched.watcher.stop()


def test_a_file_asked_for_by_name_may_come_and_go(tmp_path: Path) -> None:
    path = tmp_path / "anything.txt"
    with watching(scope_of([path], tmp_path, tmp_path, {})) as watched:
        picture = watched.until(lambda picture: picture.sources)
        assert picture.sources[0].problem is not None
        assert picture.sources[0].problem.gone
        replace(path, '{"a": 1}')
        picture = watched.until(lambda picture: picture.sources[0].problem is None)
        assert picture.sources[0].kind == "plain"
        path.unlink()
        picture = watched.until(lambda picture: picture.sources[0].problem is not None)
        assert picture.sources[0].revision is not None
        assert said(picture) == ["appeared", "deleted"]


class SilentAlarm(alarm.Alarm):
    """Says that it listens and never rings: as on a network mount, or after its queue has overflowed."""

    def _listen(self, _places: alarm.Places) -> str:
        self._state("")
        self._interrupt.wait()
        return ""


class BrokenAlarm(alarm.Alarm):
    """Cannot listen."""

    def _listen(self, _places: alarm.Places) -> str:
        return "the system has no watches left (fs.inotify)"


def test_what_notification_does_not_tell_the_sweep_finds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watcher, "Alarm", SilentAlarm)
    replace(tmp_path / "hook_state.json", number(0))
    with watching(scope_of([tmp_path], tmp_path, tmp_path, {})) as watched:
        begun = time.monotonic()
        replace(tmp_path / "hook_state.json", number(1))
        replace(tmp_path / "batch_state.json", timeline("batch_state")[0])
        watched.until(lambda picture: shows(1)(picture) and len(picture.sources) == 2)
        assert time.monotonic() - begun < 2.5
        assert watched.pictures[-1].watching.mode == "live"


def test_notification_that_stays_silent_is_found_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watcher, "Alarm", SilentAlarm)
    monkeypatch.setattr(watcher, "LIVE_SWEEP", (0.05, 0.05))
    monkeypatch.setattr("statewatch.watch.hearing.GRACE", 0.02)
    replace(tmp_path / "hook_state.json", number(0))
    with watching(scope_of([tmp_path], tmp_path, tmp_path, {})) as watched:
        for turn in range(1, 30):
            replace(tmp_path / "hook_state.json", number(turn))
            picture = watched.until(shows(turn))
            if picture.watching.mode == "polling":
                break
        assert (picture.watching.mode, picture.watching.reason) == (
            "polling",
            "notification does not report changes here",
        )


def test_without_notification_polling_takes_over_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watcher, "Alarm", BrokenAlarm)
    replace(tmp_path / "hook_state.json", number(0))
    with watching(scope_of([tmp_path], tmp_path, tmp_path, {})) as watched:
        picture = watched.until(lambda picture: picture.watching.mode == "polling")
        assert picture.watching.reason == "the system has no watches left (fs.inotify)"
        replace(tmp_path / "hook_state.json", number(1))
        watched.until(shows(1))


def test_polling_can_be_forced(tmp_path: Path) -> None:
    replace(tmp_path / "hook_state.json", number(0))
    with watching(scope_of([tmp_path], tmp_path, tmp_path, {}), poll=True) as watched:
        assert (watched.pictures[0].watching.mode, watched.pictures[0].watching.reason) == ("polling", "as asked for")
        replace(tmp_path / "hook_state.json", number(1))
        watched.until(shows(1))


def test_a_name_that_is_not_utf8_stops_notification_but_not_the_watching(tmp_path: Path) -> None:
    replace(tmp_path / "hook_state.json", number(0))
    with watching(scope_of([tmp_path], tmp_path, tmp_path, {})) as watched:
        wait_for_notification(watched, tmp_path)
        Path(os.fsdecode(os.fsencode(tmp_path) + b"/x\xff")).write_text("x")
        watched.until(lambda picture: picture.watching.mode == "polling")
        assert "UTF-8" in watched.pictures[-1].watching.reason
        replace(tmp_path / "hook_state.json", number(2))
        watched.until(shows(2))
        watched.until(lambda picture: picture.watching.mode == "live", "notification tried again")


def wait_for_notification(watched: Watched, directory: Path) -> None:
    """Wait until the alarm rings for a change."""
    rung: list[Collection[str]] = []
    ring = watched.watcher._alarm._ring

    def listen(paths: Collection[str] | None) -> None:
        rung.append(paths or ())
        ring(paths)

    def probe() -> bool:
        replace(directory / "probe", str(len(rung)))
        return any(rung)

    watched.watcher._alarm._ring = listen
    until(probe, "a ring of the alarm")


def test_a_change_is_shown_within_a_tenth_of_a_second(tmp_path: Path) -> None:
    for count in range(50):
        replace(tmp_path / f"batch_state_{count}.json", timeline("batch_state")[count])
    replace(tmp_path / "hook_state.json", number(0))
    with watching(scope_of([tmp_path], tmp_path, tmp_path, {})) as watched:
        wait_for_notification(watched, tmp_path)
        waits = []
        for turn in range(1, 21):
            begun = time.monotonic()
            replace(tmp_path / "hook_state.json", number(turn))
            watched.until(shows(turn))
            waits.append(time.monotonic() - begun)
        assert sorted(waits)[10] < 0.1


def test_many_files_that_change_at_once_come_as_few_pictures(tmp_path: Path) -> None:
    for count in range(200):
        replace(tmp_path / f"hook_state_{count}.json", number(0))
    with watching(scope_of([tmp_path], tmp_path, tmp_path, {})) as watched:
        before = len(watched.pictures)
        for count in range(200):
            replace(tmp_path / f"hook_state_{count}.json", number(1))
        watched.until(lambda picture: len(picture.changes) == 200)
        assert len(watched.pictures) - before < 60


def test_revisions_of_the_past_can_be_recalled(tmp_path: Path) -> None:
    replace(tmp_path / "hook_state.json", number(1))
    with watching(scope_of([tmp_path], tmp_path, tmp_path, {})) as watched:
        replace(tmp_path / "hook_state.json", number(2))
        (line,) = watched.until(lambda picture: picture.changes).changes
        assert watched.watcher.recall(line.before or "") == json.loads(number(1))
        assert watched.watcher.recall(line.after or "") == json.loads(number(2))
        assert watched.watcher.recall_bytes(line.before or "") == number(1).encode()
        assert watched.watcher.recall("unknown") is None


def test_a_poke_looks_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watcher, "Alarm", SilentAlarm)
    monkeypatch.setattr(watcher, "LIVE_SWEEP", (PATIENCE * 10, PATIENCE * 10))
    replace(tmp_path / "hook_state.json", number(0))
    with watching(scope_of([tmp_path], tmp_path, tmp_path, {})) as watched:
        replace(tmp_path / "hook_state.json", number(1))
        watched.watcher.poke()
        watched.until(shows(1))


def test_stopping_is_prompt_leaves_no_thread_and_may_be_repeated(tmp_path: Path) -> None:
    before = threading.active_count()
    for _ in range(3):
        with watching(scope_of([tmp_path], tmp_path, tmp_path, {})) as watched:
            begun = time.monotonic()
            watched.watcher.stop()
            assert time.monotonic() - begun < 0.5
    assert threading.active_count() == before
    never_started = Watcher(scope_of([tmp_path], tmp_path, tmp_path, {}), on_picture=lambda _: None)
    never_started.stop()


def test_a_watcher_may_be_stopped_by_what_it_calls(tmp_path: Path) -> None:
    watchers: list[Watcher] = []
    done = threading.Event()

    def stop(picture: Picture) -> None:
        watchers[0].stop()
        done.set()

    watchers.append(Watcher(scope_of([tmp_path], tmp_path, tmp_path, {}), on_picture=stop))
    watchers[0].start()
    assert done.wait(PATIENCE)
    watchers[0].stop()


def test_the_pace_of_a_batch_is_observed(tmp_path: Path) -> None:
    instants = itertools.count(1_000.0, 10.0)
    pictures: list[Picture] = []
    replace(tmp_path / "batch_state.json", timeline("batch_state")[0])
    subject = Watcher(
        scope_of([tmp_path], tmp_path, tmp_path, {}), on_picture=pictures.append, clock=lambda: next(instants)
    )

    def shown(version: bytes) -> Callable[[], bool]:
        return lambda: digest(version) in digests(pictures[-1:], "batch_state.json")

    subject.start()
    try:
        for version in timeline("batch_state")[1:30]:
            replace(tmp_path / "batch_state.json", version)
            until(shown(version))
        (source,) = pictures[-1].sources
        assert isinstance(source.view, BatchView)
        assert source.pace.observed
        assert source.pace.seconds_per_item is not None
    finally:
        subject.stop()
