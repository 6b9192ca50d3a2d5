"""Who brought a revision: only the action that wrote it, not one that had to do with the same content."""

from pathlib import Path
from typing import Any

import pytest

from statewatch.core.audit import Record
from statewatch.kinds.times import iso
from statewatch.watch.authors import Authors
from statewatch.watch.history.model import Entry

AT = 1_780_000_000.0


def record(**fields: Any) -> Record:
    usual: dict[str, Any] = {
        **dict.fromkeys(("user", "host", "via", "action", "why", "copy"), "x"),
        "id": "a1",
        "at": iso(AT),
        "pid": 1,
        "targets": [],
        "inverse": [],
        "source": "/p/x.json",
        "before": "old",
        "after": "new",
    }
    return Record(**{**usual, **fields})


def entry(at: float = AT + 0.01, digest: str = "new") -> Entry:
    return Entry(1, "/p/x.json", at, at + 0.1, 10, digest, "old")


@pytest.mark.parametrize(
    ("fields", "revision", "known"),
    [
        ({}, entry(), True),
        ({}, entry(AT - 0.02), True),
        ({}, entry(AT + 30), True),
        ({}, entry(digest="other"), False),
        ({}, entry(AT - 40), False),
        ({}, entry(AT + 3600), False),
        ({"source": "/p/y.json"}, entry(), False),
        ({"outcome": "void"}, entry(), False),
        ({"outcome": "interrupted"}, entry(), True),
        ({"checkpoint": "good"}, entry(), False),
        ({"at": "yesterday"}, entry(), False),
        ({"after": ""}, entry(digest=""), False),
    ],
)
def test_it_wrote_that_then(fields: dict[str, Any], revision: Entry, known: bool) -> None:
    made = record(**fields)
    assert Authors([made], "/p/x.json").of(revision) == (made if known else None)


def test_the_nearest_of_several(tmp_path: Path) -> None:
    near, far = record(), record(id="b2", at=iso(AT - 20))
    assert Authors([far, near], "/p/x.json").of(entry()) == near


def test_the_log_names_the_file_and_the_history_the_link(tmp_path: Path) -> None:
    link = tmp_path / "link.json"
    link.symlink_to(tmp_path / "x.json")
    made = record(source=str(tmp_path / "x.json"))
    assert Authors([made], str(link)).of(entry()) == made
