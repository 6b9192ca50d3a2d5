"""A foreign writer comes in at the worst moment: what it wrote is carried forward or kept, and no claim is wrong.

Each test lets the other writer act at one exact point of an action, which real processes hit only now and then.
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from statewatch.core import audit, copies, rewriting, swap
from statewatch.core.actions import Outcome, perform
from statewatch.core.circuits import circuit_action
from statewatch.core.errors import RefusedError, SourceError
from statewatch.core.reading import signature
from statewatch.core.undo import last_action, undo_action
from tests.core.files import date_back, document, hook, load, tripped, write
from tests.support import replace

Edit = Callable[[dict[str, Any]], object]
Inject = Callable[..., None]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return write(tmp_path / "hook_state.json", document())


def foreign(path: Path, edit: Edit) -> bytes:
    """Read, change, write a temporary file, rename: as the other tools do."""
    value = load(path)
    edit(value)
    write(path.with_name("foreign.tmp"), value).replace(path)
    return path.read_bytes()


def counted(value: dict[str, Any]) -> None:
    value["global_stats"]["total_executions"] += 1


def reset(path: Path, **options: Any) -> Outcome:
    return perform(circuit_action("reset", path, ["h1"]), settle_for=0, **options)


def before_exchange(monkeypatch: pytest.MonkeyPatch, *moves: Callable[[], object]) -> None:
    """Make each move right before one exchange, in turn."""
    left = list(moves)

    def late(temporary: str, target: str, *, or_replace: bool = True) -> bool:
        if left:
            left.pop(0)()
        return swap.swap(temporary, target, or_replace=or_replace)

    monkeypatch.setattr(rewriting, "swap", late)


def after_exchange(monkeypatch: pytest.MonkeyPatch, before: Callable[[], object], after: Callable[[], object]) -> None:
    """Make a move right before and one right after the first exchange."""
    left = [before, after]

    def surrounded(temporary: str, target: str, *, or_replace: bool = True) -> bool:
        moves = [left.pop(0), left.pop(0)] if left else []
        for move in moves[:1]:
            move()
        exchanged = swap.swap(temporary, target, or_replace=or_replace)
        for move in moves[1:]:
            move()
        return exchanged

    monkeypatch.setattr(rewriting, "swap", surrounded)


def litter(path: Path) -> list[str]:
    return [entry.name for entry in path.parent.iterdir() if entry.name.endswith(".tmp")]


def test_an_update_in_the_last_moment_is_carried_forward_and_kept(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    theirs: list[bytes] = []
    before_exchange(monkeypatch, lambda: theirs.append(foreign(path, counted)))
    outcome = reset(path)
    assert load(path)["global_stats"]["total_executions"] == 10
    assert hook(path, "h1")["state"] == "closed"
    assert [copy.read_bytes() for copy in outcome.displaced] == theirs
    assert outcome.copy is not None
    assert outcome.copy.read_bytes() == theirs[0], "the safety copy is what the action was done to"
    assert outcome.plan.source == str(path)
    assert len(list(audit.records())) == 1
    assert litter(path) == []
    perform(undo_action(last_action()), settle_for=0)
    assert path.read_bytes() == theirs[0]


def test_of_updates_at_every_exchange_the_last_is_carried_forward_and_all_are_kept(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An update made from our version of a moment ago can miss one that we were about to carry forward: it is kept."""
    theirs: list[bytes] = []

    def edit(value: dict[str, Any]) -> None:
        value["hooks"][f"new{len(theirs)}"] = tripped()

    before_exchange(monkeypatch, *[lambda: theirs.append(foreign(path, edit))] * 3)
    outcome = reset(path)
    assert [copy.read_bytes() for copy in outcome.displaced] == theirs
    assert hook(path, "h1")["state"] == "closed"
    assert "new2" in load(path)["hooks"]


def test_where_theirs_has_the_change_already_theirs_stays(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They reset the same hook and counted a run: there is nothing left to change, and their count must not be lost."""

    def edit(value: dict[str, Any]) -> None:
        counted(value)
        value["hooks"]["h1"] = {
            **tripped(),
            **dict.fromkeys(("failure_count", "consecutive_failures", "consecutive_successes"), 0),
            **dict.fromkeys(("first_failure", "last_error", "disabled_at", "retry_after")),
            "state": "closed",
        }

    theirs: list[bytes] = []
    before_exchange(monkeypatch, lambda: theirs.append(foreign(path, edit)))
    outcome = reset(path)
    assert path.read_bytes() == theirs[0]
    assert [copy.read_bytes() for copy in outcome.displaced] == theirs
    assert outcome.changed


def test_where_the_action_no_longer_applies_theirs_is_put_back_and_it_is_refused(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs: list[bytes] = []
    before_exchange(monkeypatch, lambda: theirs.append(foreign(path, lambda value: value["hooks"].pop("h1"))))
    with pytest.raises(RefusedError, match="there is no hook 'h1'"):
        reset(path)
    assert path.read_bytes() == theirs[0]
    assert theirs[0] in [copy.read_bytes() for copy in copies.directory_for(path).iterdir()]
    assert [record.outcome for record in audit.records()] == ["void"]
    assert litter(path) == []


@pytest.mark.parametrize("there", ["a link", "a pipe"])
def test_what_is_no_file_and_appears_in_the_last_moment_is_put_back(
    there: str, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = path.with_name("elsewhere.json")

    def other() -> None:
        path.rename(elsewhere)
        if there == "a link":
            path.symlink_to(elsewhere)
        else:
            os.mkfifo(path)

    before_exchange(monkeypatch, other)
    before = path.read_bytes()
    with pytest.raises(RefusedError, match=r"has just put something else there .* Nothing was changed"):
        reset(path)
    assert path.is_symlink() if there == "a link" else path.is_fifo()
    assert elsewhere.read_bytes() == before
    assert litter(path) == []
    assert [record.outcome for record in audit.records()] == ["void"]


def test_theirs_is_put_back_where_there_is_no_room_to_carry_it_forward(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs: list[bytes] = []

    def full(*_: object) -> None:
        raise RefusedError("no room")

    def other() -> None:
        theirs.append(foreign(path, counted))
        monkeypatch.setattr(copies, "keep", full)

    before_exchange(monkeypatch, other)
    with pytest.raises(RefusedError, match="no room"):
        reset(path)
    assert path.read_bytes() == theirs[0]
    assert litter(path) == []


def test_half_a_file_that_was_displaced_is_kept_and_ours_stands(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before_exchange(monkeypatch, lambda: replace(path, b'{"hooks": {"h1": {"sta'))
    outcome = reset(path)
    assert hook(path, "h1")["state"] == "closed"
    assert [copy.read_bytes() for copy in outcome.displaced] == [b'{"hooks": {"h1": {"sta']
    assert outcome.changed


def test_who_has_read_ours_and_goes_on_from_it_is_not_disturbed(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    theirs: list[bytes] = []

    def note() -> None:
        theirs.append(foreign(path, counted))

    after_exchange(monkeypatch, note, note)
    outcome = reset(path)
    assert path.read_bytes() == theirs[1]
    assert hook(path, "h1")["state"] == "closed"
    assert [copy.read_bytes() for copy in outcome.displaced] == theirs[:1]
    assert outcome.changed
    assert not outcome.overwritten


def test_who_puts_the_old_content_over_ours_right_away_is_noticed(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = path.read_bytes()
    after_exchange(monkeypatch, lambda: None, lambda: replace(path, old))
    outcome = reset(path)
    assert outcome.overwritten
    assert path.read_bytes() == old


def test_what_was_put_back_is_done_again_as_often_as_allowed(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = path.read_bytes()
    after_exchange(monkeypatch, lambda: None, lambda: replace(path, old))
    outcome = reset(path, reapply=1)
    assert (outcome.overwritten, outcome.applied) == (False, 2)
    assert hook(path, "h1")["state"] == "closed"


def test_a_file_that_is_deleted_in_the_last_moment_is_not_made_again(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before_exchange(monkeypatch, path.unlink)
    with pytest.raises((RefusedError, SourceError), match=r"[Nn]o such file"):
        reset(path)
    assert not path.exists()
    assert litter(path) == []


def test_a_writer_that_leaves_no_gap_is_not_waited_for_for_ever(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It writes before every comparison: in the end ours goes in, and every version it displaced is kept."""
    genuine = copies.keep
    theirs: list[bytes] = []

    def keep(source: Path, snapshot: Any, now: float) -> Path:
        if len(theirs) < 12:
            theirs.append(foreign(path, counted))
        return genuine(source, snapshot, now)

    monkeypatch.setattr(copies, "keep", keep)
    outcome = reset(path)
    assert len(theirs) == 12
    assert outcome.changed
    assert hook(path, "h1")["state"] == "closed"
    assert [copy.read_bytes() for copy in outcome.displaced] == [theirs[10]]
    assert load(path)["global_stats"]["total_executions"] >= 9 + len(theirs) - len(outcome.displaced)


def test_without_exchange_a_writer_that_leaves_no_gap_is_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    genuine = copies.keep
    monkeypatch.setattr(swap, "_renameat2", lambda: None)
    theirs: list[bytes] = []

    def keep(source: Path, snapshot: Any, now: float) -> Path:
        theirs.append(foreign(path, counted))
        return genuine(source, snapshot, now)

    monkeypatch.setattr(copies, "keep", keep)
    with pytest.raises(RefusedError, match="no gap was found"):
        reset(path)
    assert path.read_bytes() == theirs[-1]
    assert litter(path) == []


def test_an_action_waits_for_a_writer_at_work_and_acts_on_what_it_wrote(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file was written just now: the writer's next write is waited for, and it is not overwritten."""
    naps = 0

    def nap(_seconds: float) -> None:
        nonlocal naps
        naps += 1
        if naps == 3:
            foreign(path, counted)

    monkeypatch.setattr("statewatch.core.settle.time.sleep", nap)
    path.touch()
    outcome = perform(circuit_action("reset", path, ["h1"]), settle_for=0)
    assert naps == 3
    assert outcome.displaced == ()
    assert load(path)["global_stats"]["total_executions"] == 10


def test_a_file_that_nobody_writes_is_not_waited_for(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    date_back(path)
    monkeypatch.setattr("statewatch.core.settle.time.sleep", lambda _seconds: pytest.fail("it waited"))
    assert perform(circuit_action("reset", path, ["h1"]), settle_for=0).changed


def test_a_legitimate_new_trip_after_the_reset_is_not_reported_as_overwritten(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def trip(value: dict[str, Any]) -> None:
        later = "2026-11-16T13:00:00.000000+00:00"
        value["hooks"]["h1"] = tripped(first_failure=later, last_failure=later, disabled_at=later, retry_after=later)

    after_exchange(monkeypatch, lambda: None, lambda: foreign(path, trip))
    outcome = reset(path)
    assert not outcome.overwritten
    assert hook(path, "h1")["state"] == "open"


def test_the_signature_of_ours_survives_the_exchange(path: Path) -> None:
    with swap.Replacement(path, b"{}") as new:
        ours = new.signature
        assert swap.swap(new.file, path)
    now = signature(path)
    assert now is not None
    assert ours.content == now.content
