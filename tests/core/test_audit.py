"""The audit log: everything done, written down before it is done, whatever happened to the line before."""

import json
import os
import subprocess
import time
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statewatch.core import audit, rotating
from statewatch.core.actions import perform
from statewatch.core.audit import Record
from statewatch.core.circuits import circuit_action
from statewatch.core.errors import RefusedError
from statewatch.core.processes import still_runs
from statewatch.documents.diff import Change, diff
from statewatch.kinds.times import iso
from tests.core.files import document, hook, write
from tests.core.logs import record
from tests.support import until

OLD_LINE = (
    '{"id": "3f09c1d2ab44", "at": "2026-11-16T12:00:00.000000+00:00", "user": "u", "host": "h", "pid": 1, "via": "cli",'
    ' "action": "reset", "targets": ["a"], "why": "", "source": "/x", "before": "b", "after": "a", "copy": "/c",'
    ' "inverse": [], "undoes": null}\n'
)
"""A line as version 0.1 wrote it, which knew no outcomes and no groups."""


def write_line(text: str | bytes) -> None:
    audit.ready()
    with audit.log_file().open("ab") as log:
        log.write(text if isinstance(text, bytes) else text.encode())


def outcomes() -> dict[str, str]:
    return {each.id: each.outcome for each in audit.records()}


def test_what_is_appended_comes_back_newest_first() -> None:
    audit.ready()
    written = [record(f"id{number}") for number in range(3)]
    for each in written:
        audit.append(each)
    assert list(audit.records()) == written[::-1]
    assert audit.log_file().read_bytes().isascii()
    assert audit.log_file().stat().st_mode & 0o777 == 0o600
    assert audit.log_file().parent.stat().st_mode & 0o777 == 0o700


texts = st.text(st.characters(exclude_categories=()), max_size=20)


@given(texts, texts, st.lists(texts, max_size=3), st.none() | texts, st.none() | texts)
def test_whatever_is_written_comes_back(
    why: str, source: str, targets: list[str], undoes: str | None, group: str | None
) -> None:
    audit.ready()
    written = record("id", source, why=why, targets=targets, undoes=undoes, group=group)
    audit.begin(written)
    audit.finish("id", "done")
    assert next(audit.records()) == written


def test_without_a_log_there_are_no_records() -> None:
    assert list(audit.records()) == []


@pytest.mark.parametrize("outcome", ["done", "void"])
def test_what_was_begun_says_what_became_of_it(outcome: Literal["done", "void"]) -> None:
    audit.ready()
    audit.begin(record("a"))
    audit.begin(record("b"))
    assert outcomes() == {"b": "in progress", "a": "in progress"}
    audit.finish("a", outcome)
    assert outcomes() == {"b": "in progress", "a": outcome}


def test_what_had_to_be_planned_anew_is_one_record_as_it_was_planned_last() -> None:
    audit.ready()
    audit.begin(record("a", before="1"))
    audit.append(record("b"))
    audit.begin(record("a", before="2"))
    assert [(each.id, each.before, each.outcome) for each in audit.records()] == [
        ("a", "2", "in progress"),
        ("b", "before b", "done"),
    ]
    audit.finish("a", "done")
    audit.begin(record("a", before="3"))
    assert next(audit.records()) == record("a", before="3", outcome="in progress", at=next(audit.records()).at)


def test_a_process_that_is_gone_leaves_its_action_interrupted() -> None:
    audit.ready()
    with subprocess.Popen(["sleep", "60"]) as process:
        audit.begin(record("a", pid=process.pid))
        assert outcomes() == {"a": "in progress"}
        process.kill()
        until(lambda: outcomes() == {"a": "interrupted"}, "the end of the process, which nobody has waited for")
    assert outcomes() == {"a": "interrupted"}


def test_a_number_that_another_process_has_by_now_is_no_sign_of_life() -> None:
    long_ago = iso(time.time() - 30 * 86_400)
    assert still_runs(os.getpid(), time.time())
    audit.ready()
    audit.begin(record("earlier", at=long_ago))
    audit.begin(record("elsewhere", host="another"))
    audit.begin(record("nowhere", pid=0))
    assert set(outcomes().values()) == {"interrupted"}


def test_the_record_is_on_disk_before_anything_is_done_and_its_outcome_need_not_be(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    audit.ready()
    secured: list[tuple[int, int]] = []
    genuine = os.fsync

    def watched(descriptor: int) -> None:
        secured.append((os.fstat(descriptor).st_ino, os.fstat(descriptor).st_size))
        genuine(descriptor)

    monkeypatch.setattr(os, "fsync", watched)
    audit.begin(record("a"))
    log, directory = audit.log_file().stat(), audit.log_file().parent.stat()
    assert [each for each, _ in secured] == [log.st_ino, directory.st_ino], "a new file is there only with its name"
    assert secured[0][1] == log.st_size
    audit.finish("a", "done")
    assert len(secured) == 2
    audit.begin(record("b"))
    assert len(secured) == 3


def test_an_outcome_is_found_across_a_rotation(monkeypatch: pytest.MonkeyPatch) -> None:
    audit.ready()
    audit.begin(record("a"))
    monkeypatch.setattr(rotating, "LIMIT", 1)
    audit.finish("a", "done")
    audit.append(record("b"))
    assert len(list(audit.log_file().parent.glob("audit.*.jsonl"))) == 2
    assert outcomes() == {"b": "done", "a": "done"}


@pytest.mark.parametrize("damage", [b'{"id": "half', b"\xff\xfe", b"[1, 2]\n", b'{"id": "x"}\n', b"\n\n", b"7\n"])
def test_half_a_line_or_a_strange_one_costs_only_itself(damage: bytes) -> None:
    audit.ready()
    audit.append(record("1"))
    write_line(damage)
    audit.begin(record("2"))
    write_line(damage)
    audit.finish("2", "done")
    assert outcomes() == {"2": "done", "1": "done"}


def altered(**fields: Any) -> str:
    return json.dumps({**json.loads(OLD_LINE), **fields}) + "\n"


def test_lines_of_older_versions_are_read_as_they_were_meant() -> None:
    few = {"id": "few", "at": "2026-11-16T12:00:00Z", "action": "reset", "source": "/x"}
    write_line(OLD_LINE + json.dumps(few) + "\n" + altered(id="newer", colour="red"))
    newer, least, old = audit.records()
    assert (old.id, old.outcome, old.group, old.targets) == ("3f09c1d2ab44", "done", None, ["a"])
    assert (least.id, least.user, least.pid, least.inverse, least.outcome) == ("few", "", 0, [], "done")
    assert replace(newer, id=old.id) == old, "what is not known yet is left aside"


@pytest.mark.parametrize(
    "fields",
    [{"at": 5}, {"pid": "1"}, {"targets": [1]}, {"inverse": ["x"]}, {"undoes": 3}, {"source": None}, {"id": {}}],
)
def test_a_line_whose_parts_are_not_what_they_should_be_is_passed_over(fields: dict[str, Any]) -> None:
    write_line(OLD_LINE + altered(**{"id": "damaged", **fields}))
    assert list(outcomes()) == ["3f09c1d2ab44"]


def test_paths_keep_the_difference_between_keys_and_positions() -> None:
    changes = [*diff({"0": [1], "a": 1}, {"0": [True], "a": {}}), Change("add", ("0", 1), None, None)]
    changes += diff({"runs": [{"id": 1}, {"id": 2}, {"id": 3}]}, {"runs": [{"id": 3}, {"id": 1}, {"id": 2}]})
    assert changes[-1].op == "move"
    assert audit.from_json(json.loads(json.dumps(audit.to_json(changes)))) == changes


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"op": "add"},
        {"op": "copy", "path": []},
        {"op": "move", "path": []},
        {"op": "move", "path": [], "from": [{}]},
        {"op": "add", "path": [], "from": [1]},
        {"op": "add", "path": [None]},
    ],
)
def test_changes_that_are_damaged_are_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="damaged"):
        audit.from_json([change])


def test_a_link_in_place_of_the_log_is_not_followed(tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.touch()
    audit.ready()
    audit.log_file().unlink()
    audit.log_file().symlink_to(precious)
    for attempt in (audit.ready, lambda: audit.begin(record("a"))):
        with pytest.raises(RefusedError, match="so nothing was changed"):
            attempt()
    with pytest.raises(OSError, match="symbolic links"):
        audit.append(record("a"))
    audit.finish("a", "done")
    assert precious.read_bytes() == b""


def fail_for_the_log(monkeypatch: pytest.MonkeyPatch) -> None:
    genuine = os.fsync

    def failing(descriptor: int) -> None:
        if os.fstat(descriptor).st_ino == audit.log_file().stat().st_ino:
            raise OSError(28, "No space left on device")
        genuine(descriptor)

    monkeypatch.setattr(os, "fsync", failing)


def test_what_cannot_be_written_down_is_not_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "hook_state.json", document())
    before = path.read_bytes()
    fail_for_the_log(monkeypatch)
    with pytest.raises(RefusedError, match=r"No space left on device.*so nothing was changed"):
        perform(circuit_action("reset", path, ["h1"]), settle_for=0)
    assert path.read_bytes() == before
    assert {each.outcome for each in audit.records()} <= {"void"}


def test_an_action_is_done_even_if_its_outcome_cannot_be_written_down(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path / "hook_state.json", document())
    genuine = audit.begin

    def and_then_no_more(entry: Record) -> None:
        genuine(entry)
        log = audit.log_file()
        log.rename(log.with_name("audit.1.jsonl"))
        log.mkdir()

    monkeypatch.setattr(audit, "begin", and_then_no_more)
    assert perform(circuit_action("reset", path, ["h1"]), settle_for=0).changed
    assert hook(path, "h1")["state"] == "closed"
    audit.log_file().rmdir()
    assert list(outcomes().values()) == ["in progress"]
