"""Taking a file away that is over, and putting it back: to the byte, and never over what came in its place."""

import json
from pathlib import Path

import pytest

from statewatch.core import audit, removing
from statewatch.core.actions import Outcome, perform, preview
from statewatch.core.copies import copies_of
from statewatch.core.errors import RefusedError, SourceError
from statewatch.core.pausing import pause_drain_action
from statewatch.core.reading import Signature
from statewatch.core.removing import remove_action
from statewatch.core.undo import redo_actions, to_redo, to_undo, undo_actions
from statewatch.kinds import drain

PENDING = b'{"issues": [1, 2],\n "cluster_tag": "auth"}'


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "drain_pending.json"
    path.write_bytes(PENDING)
    return path


def remove(path: Path) -> Outcome:
    return perform(remove_action(path, why="stale"), settle_for=0)


def undo() -> Outcome:
    [action] = undo_actions(to_undo())
    return perform(action, settle_for=0)


def test_a_stale_marker_goes_and_comes_back_to_the_byte(path: Path) -> None:
    outcome = remove(path)
    assert not path.exists()
    assert outcome.copy is not None
    assert outcome.copy.read_bytes() == PENDING
    record = next(iter(audit.records()))
    assert (record.action, record.targets, record.why, record.outcome) == ("remove", [path.name], "stale", "done")
    assert undo().changed
    assert path.read_bytes() == PENDING


def test_an_undone_removal_can_be_done_again(path: Path) -> None:
    remove(path)
    undo()
    [action] = redo_actions(to_redo())
    perform(action, settle_for=0)
    assert not path.exists()
    undo()
    assert path.read_bytes() == PENDING


@pytest.mark.parametrize("content", [b"", "pause — please\n\x1b[2J".encode(), b"\xff\xfe\0"])
def test_what_is_no_json_goes_and_comes_back_too(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "PAUSE"
    path.write_bytes(content)
    remove(path)
    assert not path.exists()
    undo()
    assert path.read_bytes() == content
    [action] = redo_actions(to_redo())
    perform(action, settle_for=0)
    assert not path.exists()
    undo()
    assert path.read_bytes() == content


def test_the_preview_shows_what_goes_and_writes_nothing(path: Path) -> None:
    plan = preview(remove_action(path))
    [change] = plan.differences
    assert (change.op, change.path, change.before) == ("remove", (), json.loads(PENDING))
    assert path.read_bytes() == PENDING
    assert not copies_of(path)


def test_who_may_be_at_work_on_it_is_told(path: Path) -> None:
    [note] = preview(remove_action(path)).change.notes
    assert "whoever is at work on it" in note


def test_what_came_in_its_place_is_not_overwritten_by_the_undo(path: Path) -> None:
    remove(path)
    path.write_text('{"issues": [3]}')
    with pytest.raises(RefusedError, match="there again"):
        undo()
    assert path.read_text() == '{"issues": [3]}'


def test_a_file_that_an_action_made_anew_goes_with_its_undo_unless_it_holds_news(tmp_path: Path) -> None:
    for news in (None, b'{"until_iso": "2030-01-01T00:00:00Z", "mine": 1}'):
        flag = tmp_path.joinpath(*drain.FLAG)
        perform(pause_drain_action(tmp_path, 60), settle_for=0)
        if news is None:
            undo()
            assert not flag.exists()
        else:
            flag.write_bytes(news)
            with pytest.raises(RefusedError):
                undo()
            assert flag.read_bytes() == news


def test_a_file_that_is_not_there_is_told_and_no_directory_made(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no such file"):
        remove(tmp_path / "nowhere" / "x.json")
    assert not (tmp_path / "nowhere").exists()


def test_a_link_is_refused_since_two_things_could_be_meant(path: Path, tmp_path: Path) -> None:
    link = tmp_path / "link.json"
    link.symlink_to(path)
    with pytest.raises(RefusedError, match="symbolic link to"):
        remove(link)
    assert link.is_symlink()
    assert path.exists()


def test_a_signed_sentinel_is_never_removed(tmp_path: Path) -> None:
    path = tmp_path / "implement_pipeline_state.json"
    path.write_text(json.dumps({"hmac": "00", "nonce": "1", "run_id": "a" * 16, "mode": "full"}))
    with pytest.raises(RefusedError, match="signed"):
        remove(path)
    assert path.exists()


def test_a_version_that_another_program_writes_at_the_last_moment_is_kept_before_it_goes(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    news = b'{"issues": [9], "cluster_tag": "late"}'
    real_gone = removing._gone
    pending = [news]

    def late(real: Path, expected: Signature) -> bool:
        if pending:
            beside = real.with_name("theirs.tmp")
            beside.write_bytes(pending.pop())
            beside.rename(real)
        return real_gone(real, expected)

    monkeypatch.setattr(removing, "_gone", late)
    outcome = remove(path)
    assert not path.exists()
    assert outcome.copy is not None
    assert outcome.copy.read_bytes() == news
    assert {copy.read_bytes() for copy in copies_of(path)} == {PENDING, news}
    assert not [each for each in path.parent.iterdir() if each.name.endswith(".tmp")]


def test_its_owner_writing_it_again_is_told(path: Path) -> None:
    action = remove_action(path)
    plan = preview(action)
    from statewatch.core.settle import was_put_back

    remove(path)
    path.write_bytes(PENDING)
    assert was_put_back(action.store, plan, 0)
