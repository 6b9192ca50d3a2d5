"""What an action leaves behind: exactly the change, in the file's own style, with everything else as it was."""

import hashlib
import json
import os
import shutil
import stat
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from statewatch.core import audit, copies, swap
from statewatch.core.actions import Action, Outcome, perform, preview
from statewatch.core.circuits import VERBS, circuit_action, reset_all_action
from statewatch.core.errors import LockedError, NotFoundError, RefusedError, SourceError
from statewatch.core.lock import locked, sidecar
from statewatch.core.stores.file import FileStore
from statewatch.documents.codec import encode, style_of
from statewatch.documents.values import JSON
from statewatch.kinds.base import Change
from tests.core.files import date_back, document, hook, load, tripped, write
from tests.support import SAMPLE

NOON = 1_794_830_400.0
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")


def now() -> float:
    return NOON


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return write(tmp_path / "claude" / "hook_state.json", document())


def reset(path: Path, *hooks: str, why: str = "") -> Outcome:
    return perform(circuit_action("reset", path, hooks or ["h1"], why=why), clock=now, settle_for=0)


def custom(path: Path, after: JSON) -> Action:
    return Action(path, lambda _document, _now: Change("custom", (), after, ()), "custom")


def beside(path: Path) -> set[str]:
    return {entry.name for entry in path.parent.iterdir()}


def test_only_the_hook_and_what_follows_from_it_change_and_every_other_byte_stays(path: Path) -> None:
    before = path.read_text().splitlines()
    outcome = reset(path)
    after = path.read_text().splitlines()
    assert len(before) == len(after)
    changed = [new.strip() for old, new in zip(before, after, strict=True) if old != new]
    assert changed == [
        '"state": "closed",',
        '"failure_count": 0,',
        '"consecutive_failures": 0,',
        '"first_failure": null,',
        '"last_error": null,',
        '"disabled_at": null,',
        '"retry_after": null',
        '"hooks_disabled": 2,',
        '"last_updated": "2026-11-16T12:00:00.000000+00:00"',
    ]
    assert outcome.changed
    assert not outcome.overwritten
    assert (outcome.applied, outcome.displaced) == (1, ())
    assert path.read_bytes() == outcome.plan.data


@pytest.mark.parametrize(
    "layout", [{"indent": 2}, {"indent": 4}, {"separators": (",", ":")}, {"indent": "\t", "ensure_ascii": False}, {}]
)
def test_the_layout_of_the_file_is_kept(path: Path, layout: dict[str, JSON]) -> None:
    path.write_text(json.dumps(document(), **layout) + "\n")  # type: ignore[arg-type]
    style = style_of(path.read_bytes())
    reset(path)
    assert style_of(path.read_bytes()) == style
    assert path.read_bytes() == encode(load(path), style)


def test_unknown_fields_at_every_level_and_the_order_of_keys_stay(path: Path) -> None:
    value = {"x-meta": [1, {"deep": None}], **document(2, version=2)}
    value["hooks"]["h1"] = {"owner": "ops", **tripped(note={"a": 1.50, "b": 10**30})}
    value["hooks"]["Ünï code/~"] = tripped()
    write(path, value)
    reset(path)
    after = load(path)
    assert list(after) == list(value)
    assert list(after["hooks"]) == list(value["hooks"])
    assert list(after["hooks"]["h1"]) == list(value["hooks"]["h1"])
    assert after["x-meta"] == value["x-meta"]
    assert after["version"] == 2
    assert (after["hooks"]["h1"]["owner"], after["hooks"]["h1"]["note"]) == ("ops", {"a": 1.5, "b": 10**30})
    assert after["hooks"]["Ünï code/~"] == value["hooks"]["Ünï code/~"]


@pytest.mark.parametrize("mode", [0o640, 0o600, 0o664, 0o644])
def test_the_mode_of_the_file_stays(path: Path, mode: int) -> None:
    path.chmod(mode)
    old = os.umask(0o077)
    try:
        reset(path)
    finally:
        os.umask(old)
    assert stat.S_IMODE(path.stat().st_mode) == mode


@as_root
def test_the_owner_of_the_file_stays(path: Path) -> None:
    os.chown(path, 12_345, 23_456)
    reset(path)
    assert (path.stat().st_uid, path.stat().st_gid) == (12_345, 23_456)


def test_extended_attributes_stay(path: Path) -> None:
    try:
        os.setxattr(path, "user.note", b"mine")
    except (OSError, AttributeError):
        pytest.skip("this file system has no extended attributes")
    reset(path)
    assert os.getxattr(path, "user.note") == b"mine"


def test_a_link_stays_a_link_and_the_file_it_leads_to_is_written(path: Path, tmp_path: Path) -> None:
    link, second = tmp_path / "link.json", tmp_path / "second.json"
    second.symlink_to(path)
    link.symlink_to(second)
    outcome = reset(link)
    assert link.is_symlink()
    assert second.is_symlink()
    assert not path.is_symlink()
    assert hook(path, "h1")["state"] == "closed"
    assert outcome.plan.source == str(path)
    assert sidecar(path).exists()
    assert beside(link) == {"claude", "link.json", "second.json"}


def test_nothing_is_left_beside_the_file_but_the_lock(path: Path) -> None:
    reset(path)
    assert beside(path) == {"hook_state.json", ".hook_state.json.statewatch-lock"}


def test_what_is_as_wanted_already_is_not_written(path: Path) -> None:
    reset(path)
    date_back(path)
    status = path.stat()
    outcome = reset(path)
    assert not outcome.changed
    assert (outcome.copy, outcome.id) == (None, None)
    assert (path.stat().st_ino, path.stat().st_mtime_ns) == (status.st_ino, status.st_mtime_ns)
    assert len(list(audit.records())) == 1


def test_a_preview_is_what_will_be_written_and_writes_nothing(path: Path, state_directory: Path) -> None:
    before = path.read_bytes()
    seen = preview(circuit_action("reset", path, ["h1"]), clock=now)
    assert path.read_bytes() == before
    assert beside(path) == {"hook_state.json"}
    assert not state_directory.exists()
    assert [change.pointer for change in seen.differences][:2] == ["/hooks/h1/state", "/hooks/h1/failure_count"]
    assert seen.change.targets == ("h1",)
    reset(path)
    assert path.read_bytes() == seen.data


def test_before_anything_is_written_a_copy_is_kept_and_after_it_a_record(path: Path, state_directory: Path) -> None:
    before = path.read_bytes()
    outcome = reset(path, why="disk is full again")
    assert outcome.copy is not None
    assert outcome.copy.read_bytes() == before
    assert outcome.copy.parent == copies.directory_for(path)
    assert state_directory in outcome.copy.parents
    assert stat.S_IMODE(outcome.copy.stat().st_mode) == 0o600
    assert stat.S_IMODE(outcome.copy.parent.stat().st_mode) == 0o700
    (record,) = audit.records()
    assert record.id == outcome.id
    assert (record.before, record.after) == tuple(
        hashlib.sha256(data).hexdigest() for data in (before, path.read_bytes())
    )
    assert (record.action, record.targets, record.why, record.via) == ("reset", ["h1"], "disk is full again", "library")
    assert (record.source, record.copy, record.pid) == (str(path), str(outcome.copy), os.getpid())
    assert record.at == "2026-11-16T12:00:00.000000+00:00"
    assert record.user
    assert record.host


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_works_on_the_real_file(tmp_path: Path, verb: str) -> None:
    path = tmp_path / "hook_state.json"
    shutil.copy(SAMPLE / "home/.claude/hook_state.json", path)
    date_back(path)
    names = ["file-watcher", "legacy_lint.py"] if verb != "disable" else ["validate-facts"]
    outcome = perform(circuit_action(verb, path, names), settle_for=0)  # type: ignore[arg-type]
    expected = {"reset": "closed", "enable": "closed", "half-open": "half_open", "disable": "open"}[verb]
    assert [hook(path, name)["state"] for name in names] == [expected] * len(names)
    assert outcome.changed
    assert load(path)["global_stats"]["hooks_disabled"] == sum(
        record["state"] == "open" for record in load(path)["hooks"].values()
    )


def test_reset_all_of_the_real_file(tmp_path: Path) -> None:
    path = tmp_path / "hook_state.json"
    shutil.copy(SAMPLE / "home/.claude/hook_state.json", path)
    date_back(path)
    perform(reset_all_action(path), settle_for=0)
    assert {record["state"] for record in load(path)["hooks"].values()} == {"closed"}
    assert load(path)["global_stats"]["total_executions"] == 0
    assert load(path)["global_stats"]["doctor_run_count"] == 16


# What is refused changes nothing.


@pytest.fixture
def _unchanged(path: Path) -> Iterator[None]:
    before, status = path.read_bytes(), path.stat()
    yield
    assert path.read_bytes() == before
    assert (path.stat().st_ino, path.stat().st_mtime_ns) == (status.st_ino, status.st_mtime_ns)
    assert not [name for name in beside(path) if name.endswith(".tmp")]
    assert list(audit.records()) == []


unchanged = pytest.mark.usefixtures("_unchanged")


@unchanged
def test_a_read_only_file_is_refused_with_what_to_do(path: Path) -> None:
    path.chmod(0o444)
    with pytest.raises(RefusedError, match=r"cannot reset: the file .*hook_state\.json is read-only\. `chmod u\+w`"):
        reset(path)
    with pytest.raises(RefusedError):
        preview(circuit_action("reset", path, ["h1"]))
    assert not sidecar(path).exists()


@unchanged
def test_a_read_only_directory_is_refused_with_what_to_do(path: Path) -> None:
    path.parent.chmod(0o555)
    try:
        with pytest.raises(RefusedError, match=r"cannot reset: the directory .*claude is read-only"):
            reset(path)
        assert not sidecar(path).exists()
    finally:
        path.parent.chmod(0o755)


@unchanged
def test_a_file_of_somebody_else_is_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda place, _mode: place != path)
    with pytest.raises(RefusedError, match=r"cannot reset: you may not write the file .*hook_state\.json"):
        reset(path)


@unchanged
def test_no_place_for_the_audit_log_is_refused_before_anything(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    occupied = path.parent.parent / "a file"
    occupied.touch()
    monkeypatch.setenv("STATEWATCH_STATE_DIR", str(occupied / "state"))
    with pytest.raises(RefusedError, match=r"the audit log .*cannot be written .*STATEWATCH_STATE_DIR"):
        reset(path)
    assert not sidecar(path).exists()


@unchanged
def test_no_place_for_the_safety_copy_is_refused(path: Path, state_directory: Path) -> None:
    state_directory.mkdir(parents=True)
    (state_directory / "copies").touch()
    with pytest.raises(RefusedError, match="no safety copy can be kept"):
        reset(path)


@unchanged
def test_a_result_with_new_faults_is_refused(path: Path) -> None:
    value = document()
    value["hooks"]["h1"]["state"] = "banana"
    value["hooks"]["h2"]["failure_count"] = -1
    with pytest.raises(RefusedError) as caught:
        perform(custom(path, value), settle_for=0)
    assert "/hooks/h1/state: expected closed, open or half_open, found 'banana'" in str(caught.value)
    assert "/hooks/h2/failure_count" in str(caught.value)
    assert "nothing was written" in str(caught.value)


def test_faults_that_were_there_before_are_no_reason_to_refuse(path: Path) -> None:
    value = document()
    value["hooks"]["h2"] = "open"
    value["hooks"]["h0"]["state"] = "banana"
    write(path, value)
    reset(path, "h1")
    assert load(path)["hooks"]["h2"] == "open"
    reset(path, "h0")
    assert hook(path, "h0")["state"] == "closed"


@unchanged
def test_a_hook_that_is_not_there_is_refused_with_what_is_near(path: Path) -> None:
    with pytest.raises(RefusedError, match=r"hook_state\.json: there is no hook 'h11'; near it: h1"):
        reset(path, "h11")


@unchanged
def test_a_lock_that_does_not_come_free_is_told(path: Path) -> None:
    impatient = replace(circuit_action("reset", path, ["h1"]), source=FileStore(path, timeout=0.05))
    with locked(path, "a long operation"), pytest.raises(LockedError, match="a long operation"):
        perform(impatient)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "the file is empty"),
        (b'{"hooks": {', "ends too early"),
        (b"[]", "not a hook state"),
        (b"\xff", "not UTF-8"),
    ],
)
def test_a_file_that_is_not_a_hook_state_is_refused_and_left_alone(path: Path, content: bytes, reason: str) -> None:
    path.write_bytes(content)
    with pytest.raises((SourceError, RefusedError), match=reason):
        reset(path)
    assert path.read_bytes() == content
    assert list(audit.records()) == []


def test_a_missing_file_is_told_and_none_is_made(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="there is no such file"):
        reset(tmp_path / "hook_state.json")
    assert not (tmp_path / "hook_state.json").exists()


def test_errors_have_exit_codes_of_their_own() -> None:
    codes = [NotFoundError.exit_code, SourceError.exit_code, RefusedError.exit_code, LockedError.exit_code]
    assert len({*codes}) == len(codes)
    assert 0 not in codes


# Where the system cannot exchange two files.


@pytest.fixture
def _no_exchange(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(swap, "_renameat2", lambda: None)


@pytest.mark.usefixtures("_no_exchange")
def test_without_exchange_the_file_is_replaced(path: Path) -> None:
    path.chmod(0o640)
    outcome = reset(path)
    assert hook(path, "h1")["state"] == "closed"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert outcome.displaced == ()
    assert beside(path) == {"hook_state.json", ".hook_state.json.statewatch-lock"}


def test_a_program_that_saves_a_key_cannot_break_a_seal_either(tmp_path: Path) -> None:
    path = tmp_path / "implement_pipeline_state.json"
    path.write_text(json.dumps({"hmac": "00", "nonce": "1", "run_id": "a" * 16, "mode": "full"}))
    before = path.read_bytes()
    with FileStore(path) as store, pytest.raises(RefusedError, match="signed"):
        store.save("mode", "light")
    assert path.read_bytes() == before
