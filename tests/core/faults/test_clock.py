"""Somebody sets the clock, back a year or ten years ahead: names, order, locks and waits go on as if nothing were."""

import itertools
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

import pytest

from statewatch.core import actions, audit, copies
from statewatch.core.actions import Outcome
from statewatch.core.errors import LockedError
from statewatch.core.lock import locked
from statewatch.core.restoring import candidates, restore, restore_action
from statewatch.core.retention import Policy, expired
from statewatch.core.undo import last_action, last_undo, redo_action, undo_action
from tests.core.faults.operations import World, setting
from tests.core.files import hook

YEAR = 365 * 86_400.0
TIMES = {"back a year": -YEAR, "ten years ahead": 10 * YEAR, "back to the beginning": None}
SLOW = 2.0
"""Seconds that nothing here takes by far, where it does not wait for a clock."""


@contextmanager
def clock_moved(by: float | None) -> Iterator[None]:
    """Let the system's clock say another time, as far as the program asks it; None stands for 1970."""
    genuine, begun = time.time, time.time()

    def moved() -> float:
        return genuine() - begun + 1.0 if by is None else genuine() + by

    with mock.patch.object(time, "time", moved):
        yield


@pytest.fixture(params=["keyed", "plain", "sqlite"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    """Return a world that was made before anybody set the clock."""
    with World(tmp_path, request.param).entered() as made:
        made.furnish()
        yield made


def act(world: World, key: str, value: int) -> Outcome:
    return actions.perform(setting(world.store(), key, value), settle_for=0)


@pytest.fixture(params=TIMES)
def _another_time(request: pytest.FixtureRequest) -> Iterator[None]:
    with clock_moved(TIMES[request.param]):
        yield


@pytest.mark.usefixtures("_another_time")
def test_actions_are_taken_back_and_done_again_in_the_order_in_which_they_were_done(world: World) -> None:
    begun = time.monotonic()
    store = world.store()
    states = [store.snapshot().digest]
    for number in range(3):
        act(world, "late", number)
        states.append(store.snapshot().digest)
    for state in reversed(states[:-1]):
        actions.perform(undo_action(last_action([store.source])), settle_for=0)
        assert store.snapshot().digest == state
    for state in states[1:]:
        actions.perform(redo_action(last_undo([store.source])), settle_for=0)
        assert store.snapshot().digest == state
    assert {record.outcome for record in audit.records()} == {"done"}
    assert time.monotonic() - begun < SLOW + 10 * 0.1, "a writer at work is waited for, but not for long"


def test_automatic_names_are_unique_whatever_the_clock_says(world: World) -> None:
    store = world.store()
    names = []
    with mock.patch.object(time, "time", return_value=1_900_000_000.5):
        names += [store.checkpoint().name for _ in range(3)]
    with mock.patch.object(time, "time", return_value=1_900_000_000.5 - YEAR):
        names += [store.checkpoint().name for _ in range(2)]
    with mock.patch.object(time, "time", return_value=1_900_000_000.5):  # and set right again, to the same second
        names += [store.checkpoint().name for _ in range(2)]
    assert len(set(names)) == 7
    listed = store.checkpoints()
    assert [each.created_at for each in listed] == sorted(each.created_at for each in listed)
    assert {each.name for each in listed} == {*names, "first", "second"}
    assert all(store.verify_checkpoint(each.name) for each in listed)


@pytest.mark.usefixtures("_another_time")
def test_a_checkpoint_is_kept_restored_and_recovered_with(world: World) -> None:
    store = world.store()
    before = store.snapshot().digest
    made = store.checkpoint("mine")
    assert abs(store.find_checkpoint("mine").created_at - time.time()) < 60
    store.save("late", "spoilt")
    restored = restore(restore_action(store, "mine"), settle_for=0)
    assert store.snapshot().digest == before
    assert restored.safety is not None
    assert {"mine", restored.safety.name} <= {each.name for each in candidates(store)}
    store.delete_checkpoint(made.name)
    assert "mine" not in [each.name for each in store.checkpoints()]


def test_what_was_made_in_the_future_is_not_let_go_and_lets_nothing_go(world: World) -> None:
    store = world.store()
    with clock_moved(10 * YEAR):
        store.checkpoint("future")
    store.checkpoint("now")
    gone = {each.name for each in expired(store.checkpoints(), Policy(keep_last=1), time.time())}
    assert gone == {"first"}, "the second one is pinned"


@pytest.mark.usefixtures("_another_time")
def test_safety_copies_stay_bounded_and_the_newest_stays(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copies, "KEEP", 3)
    store = world.store()
    for number in range(6):
        before = store.version().data
        outcome = act(world, "late", number)
        assert outcome.copy is not None
        assert outcome.copy.read_bytes() == before
        assert 1 <= len(copies.copies_of(store.source)) <= 4
    actions.perform(undo_action(last_action([store.source])), settle_for=0)
    assert store.load("late") == 4


def test_a_lock_is_waited_for_as_long_as_was_said(tmp_path: Path) -> None:
    """A clock that runs away meanwhile neither ends the wait nor prolongs it."""
    path = tmp_path / "state.json"
    held, over = threading.Event(), threading.Event()

    def hold() -> None:
        with locked(path, "hold"):
            held.set()
            over.wait(10)

    holder = threading.Thread(target=hold)
    holder.start()
    held.wait(10)
    begun = time.monotonic()
    jumping = mock.patch.object(time, "time", side_effect=itertools.cycle([0.0, 1e9, 2e9]))
    with jumping, pytest.raises(LockedError, match="hold"), locked(path, "wait", timeout=0.2):
        pass
    waited = time.monotonic() - begun
    over.set()
    holder.join()
    assert 0.2 <= waited < SLOW


@pytest.mark.parametrize("written", [0.0, -YEAR, 1_900_000_000.0 + 10 * YEAR])
def test_a_file_from_another_time_is_acted_on_at_once(written: float, tmp_path: Path) -> None:
    with World(tmp_path, "plain").entered() as world:
        world.furnish()
        os.utime(world.path, (written, written))
        begun = time.monotonic()
        act(world, "late", 1)
        assert time.monotonic() - begun < SLOW
        actions.perform(undo_action(last_action([world.path])), settle_for=0)
        assert hook(world.path, "h1")["state"] == "open"
