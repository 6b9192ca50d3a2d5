"""Many writers at once: ours never lose each other's changes, and hardly rob those that know no lock."""

from pathlib import Path

import pytest

from statewatch.core import audit
from statewatch.core.lock import sidecar
from tests.core.files import document, line, load, process, small, tell, write
from tests.core.hammer import hammer

HOOKS = 16
SETTLE = 0.02


@pytest.mark.parametrize("hostile", [False, True], ids=["quiet", "sidecar deleted all the time"])
def test_processes_that_reset_different_hooks_lose_nothing_of_each_other(tmp_path: Path, hostile: bool) -> None:
    """Where somebody keeps deleting the lock file, so that two are in at once, comparing before swapping saves both."""
    path = write(tmp_path / "hook_state.json", document(HOOKS))
    names = [f"h{index}" for index in range(HOOKS)]
    with process("reset", path, *names[::2]) as one, process("reset", path, *names[1::2]) as two:
        for worker in (one, two):
            assert line(worker) == "ready"
        for worker in (one, two):
            tell(worker)
        while hostile and one.poll() is None and two.poll() is None:
            sidecar(path).unlink(missing_ok=True)
        assert [line(worker) for worker in (one, two)] == ["done", "done"]
    value = load(path)
    assert {record["state"] for record in value["hooks"].values()} == {"closed"}
    assert value["global_stats"]["hooks_disabled"] == 0
    assert len([record for record in audit.records() if record.undoes is None]) == HOOKS
    assert not [entry.name for entry in tmp_path.iterdir() if entry.name.endswith(".tmp")]


def test_a_foreign_writer_at_a_hundred_updates_a_second_is_not_robbed(tmp_path: Path) -> None:
    """200 resets while another program writes the same file, with a millisecond between its reading and its writing.

    What it wrote and we displaced is kept as a copy; `hammer` reads those copies.
    """
    path = tmp_path / "hook_state.json"
    result = hammer(write(path, document(200, record=small)), 0.001, settle_for=SETTLE, budget=20)
    assert 0 <= result.lost <= len(result.displaced), "no update is lost but in a version that is kept"
    if not result.was_starved:
        assert result.resets == 200
        assert result.lost < result.made * 0.01, f"{result.lost} of {result.made} updates lost"
    unreported = set(result.still_open) - set(result.overwritten)
    assert len(unreported) <= result.unseen(SETTLE), "every reset holds, or is reported as overwritten"
    assert not [entry.name for entry in tmp_path.iterdir() if entry.name.endswith(".tmp")]
    notes = [record for record in audit.records() if "overwritten" in record.action]
    assert len(notes) == len(result.overwritten) + result.repeated
