"""The audit log: everything done, one line each, whatever happened to the line before."""

import json
import os
from pathlib import Path

import pytest

from statewatch.core import audit
from statewatch.core.actions import perform
from statewatch.core.audit import Record
from statewatch.core.circuits import circuit_action
from statewatch.core.errors import RefusedError
from statewatch.documents.diff import Change, diff
from tests.core.files import document, hook, write


def record(number: int = 0) -> Record:
    return Record(
        id=f"id{number}",
        at="2026-11-16T12:00:00+00:00",
        user="ünal",
        host="h",
        pid=1,
        via="cli",
        action="reset",
        targets=["a b", "c/d"],
        why="because\nof \udcff",
        source="/x",
        before="b",
        after="a",
        copy="/c",
        inverse=[],
    )


def test_what_is_appended_comes_back_newest_first() -> None:
    for number in range(3):
        audit.ready()
        audit.append(record(number))
    assert list(audit.records()) == [record(2), record(1), record(0)]
    assert audit.log_file().read_bytes().isascii()
    assert audit.log_file().stat().st_mode & 0o777 == 0o600
    assert audit.log_file().parent.stat().st_mode & 0o777 == 0o700


def test_without_a_log_there_are_no_records() -> None:
    assert list(audit.records()) == []


@pytest.mark.parametrize("damage", [b'{"id": "half', b"\xff\xfe", b"[1, 2]\n", b'{"id": "x"}\n', b"\n\n", b"7\n"])
def test_half_a_line_or_a_strange_one_costs_only_itself(damage: bytes) -> None:
    audit.ready()
    audit.append(record(1))
    with audit.log_file().open("ab") as log:
        log.write(damage)
    audit.append(record(2))
    assert list(audit.records()) == [record(2), record(1)]


def test_paths_keep_the_difference_between_keys_and_positions() -> None:
    changes = [*diff({"0": [1], "a": 1}, {"0": [True], "a": {}}), Change("add", ("0", 1), None, None)]
    assert audit.from_json(json.loads(json.dumps(audit.to_json(changes)))) == changes


def test_a_link_in_place_of_the_log_is_not_followed(tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.touch()
    audit.ready()
    audit.log_file().unlink()
    audit.log_file().symlink_to(precious)
    with pytest.raises(RefusedError, match="so nothing was changed"):
        audit.ready()
    assert precious.read_bytes() == b""


def test_a_log_that_fails_at_the_last_moment_says_that_the_action_was_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path / "hook_state.json", document())
    genuine = os.fsync

    def failing(descriptor: int) -> None:
        if os.fstat(descriptor).st_ino == audit.log_file().stat().st_ino:
            raise OSError(28, "No space left on device")
        genuine(descriptor)

    monkeypatch.setattr(os, "fsync", failing)
    with pytest.raises(RefusedError, match="was done, but the audit log could not be written"):
        perform(circuit_action("reset", path, ["h1"]), settle_for=0)
    assert hook(path, "h1")["state"] == "closed"
