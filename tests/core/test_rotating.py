"""The log under the audit log: bounded, read from its end, and whole whatever happens to those who write it."""

import os
import random
import resource
import signal
from collections import defaultdict
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statewatch.core import audit, rotating
from statewatch.core.errors import SourceError
from statewatch.core.processes import is_running
from statewatch.core.rotating import add, lines_from_the_end
from tests.core.logs import Nursery, nursery, record
from tests.support import until

WRITERS = 8
KILLS = 40


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "log.jsonl"


def lines(log: Path) -> list[str]:
    return [line.decode() for line in lines_from_the_end(log) if line]


def fill(log: Path, numbers: range) -> None:
    for number in numbers:
        add(log, f"line {number:04d}".encode(), durable=False)


@given(st.lists(st.sampled_from([b"\n", b"a", b"bcd", b"\xff" * 20])).map(b"".join), st.integers(1, 70))
def test_lines_come_from_the_end_whatever_the_size_of_a_block(data: bytes, block: int) -> None:
    log = Path(os.environ["STATEWATCH_STATE_DIR"]) / "log.jsonl"
    log.parent.mkdir(exist_ok=True)
    log.write_bytes(data)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rotating, "_BLOCK", block)
        assert list(lines_from_the_end(log)) == list(reversed(data.split(b"\n")))


def test_a_log_is_bounded_and_keeps_the_newest(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rotating, "LIMIT", 100)  # ten lines
    fill(log, range(1, 1001))
    files = sorted(path.name for path in log.parent.iterdir() if path.suffix == ".jsonl")
    assert files == sorted(["log.jsonl", *(f"log.{number}.jsonl" for number in range(1, 6))])
    assert all(path.stat().st_size <= 100 for path in log.parent.glob("*.jsonl"))
    found = lines(log)
    assert found == [f"line {number:04d}" for number in range(1000, 1000 - len(found), -1)]
    assert len(found) > 50


def test_a_line_that_is_longer_than_a_log_has_one_of_its_own(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rotating, "LIMIT", 100)
    for text in ("short", "long" * 100, "short again"):
        add(log, text.encode(), durable=True)
    assert lines(log) == ["short again", "long" * 100, "short"]
    assert len(list(log.parent.glob("*.jsonl"))) == 3


@pytest.mark.parametrize("killed_at", range(6))
def test_who_is_killed_while_rotating_loses_and_doubles_nothing(
    log: Path, monkeypatch: pytest.MonkeyPatch, killed_at: int
) -> None:
    """Killed before the first renaming, after it, and so on: the next one goes on from there."""
    monkeypatch.setattr(rotating, "LIMIT", 100)
    monkeypatch.setattr(rotating, "KEEP", 6)
    fill(log, range(60))
    assert not log.with_name("log.6.jsonl").exists()
    genuine = Path.replace
    done = 0

    def until_killed(source: Path, target: Path) -> Path:
        nonlocal done
        if done == killed_at:
            raise KeyboardInterrupt
        done += 1
        return genuine(source, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", until_killed)
        with pytest.raises(KeyboardInterrupt):
            fill(log, range(60, 70))
    count = int(lines(log)[0][-4:]) + 1
    assert lines(log) == [f"line {number:04d}" for number in reversed(range(count))]
    fill(log, range(count, 70))
    assert lines(log) == [f"line {number:04d}" for number in reversed(range(70))]


def test_who_reads_in_the_middle_of_a_rotation_reads_each_line_once(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each log gets its next number while the reader is on its way up; the newest still has its name."""
    monkeypatch.setattr(rotating, "LIMIT", 100)
    fill(log, range(40))
    genuine = os.open
    moves = {log.name: (3, 2), "log.1.jsonl": (1,)}

    def meanwhile(path: Path, flags: int) -> int:
        descriptor = genuine(path, flags)
        for number in moves.get(path.name, ()):
            log.with_name(f"log.{number}.jsonl").rename(log.with_name(f"log.{number + 1}.jsonl"))
        return descriptor

    monkeypatch.setattr(os, "open", meanwhile)
    assert lines(log) == [f"line {number:04d}" for number in reversed(range(40))]


def test_a_log_that_has_another_name_too_is_written_no_more(log: Path) -> None:
    """As where a backup is made with links: what was in it then stays, and is still read."""
    fill(log, range(2))
    backup = log.with_name("backup")
    backup.hardlink_to(log)
    fill(log, range(2, 4))
    assert backup.read_bytes() == b"line 0000\nline 0001\n"
    assert lines(log) == ["line 0003", "line 0002", "line 0001", "line 0000"]


def test_where_it_cannot_rotate_it_grows_on(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rotating, "LIMIT", 100)
    monkeypatch.setattr(rotating, "KEEP", 1)
    (log.parent / "log.1.jsonl" / "full").mkdir(parents=True)
    fill(log, range(30))
    assert lines(log) == [f"line {number:04d}" for number in reversed(range(30))]


def test_a_full_disk_leaves_no_half_line(log: Path) -> None:
    fill(log, range(3))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (log.stat().st_size + 20, hard))
    try:
        with pytest.raises(OSError, match="too large"):
            add(log, b"x" * 50, durable=True)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert log.read_bytes() == b"line 0000\nline 0001\nline 0002\n"


def test_the_last_line_of_a_large_log_is_read_without_the_rest(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with log.open("wb") as file:
        file.truncate(100 * 1024 * 1024)
    add(log, b"the last one", durable=False)
    read = 0
    genuine = os.pread

    def counted(descriptor: int, length: int, offset: int) -> bytes:
        nonlocal read
        data = genuine(descriptor, length, offset)
        read += len(data)
        return data

    monkeypatch.setattr(os, "pread", counted)
    assert next(line for line in lines_from_the_end(log) if line) == b"the last one"
    assert 0 < read < 100_000


@pytest.mark.parametrize("what", ["a link", "a pipe", "a directory"])
def test_only_a_file_is_a_log(log: Path, tmp_path: Path, what: str) -> None:
    other = tmp_path / "other"
    if what == "a link":
        other.touch()
        log.symlink_to(other)
    elif what == "a pipe":
        os.mkfifo(log)
    else:
        log.mkdir()
    with pytest.raises(OSError):  # noqa: PT011 - the system has a different word for each
        add(log, b"x", durable=True)
    if what == "a link":
        assert other.read_bytes() == b""
    with pytest.raises(SourceError, match="cannot be read"):
        lines(log)


def numbers_of(records: list[audit.Record]) -> dict[str, list[int]]:
    """Return the numbers of the actions of each process, in the order of the log."""
    found = defaultdict(list)
    for each in records:
        name, _, number = each.id.rpartition("-")
        found[name].append(int(number))
    return found


def test_processes_that_append_and_rotate_lose_nothing_when_they_are_killed(tmp_path: Path) -> None:
    """Eight at a time, killed at random points, each replaced by another."""
    chance = random.Random(11)
    with nursery(tmp_path, limit=8_000) as children:
        names = [f"w{number}" for number in range(WRITERS + KILLS)]
        running = {name: children.start(name) for name in names[:WRITERS]}
        for name in names[WRITERS:]:
            victim = chance.choice(sorted(running))
            enough = len(children.said(victim)) + chance.randrange(1, 12)
            until(lambda victim=victim, enough=enough: len(children.said(victim)) >= enough, "some actions")  # type: ignore[misc]
            os.kill(running.pop(victim), signal.SIGKILL)
            running[name] = children.start(name)
        for process in running.values():
            os.kill(process, signal.SIGKILL)
        until(lambda: not any(is_running(process) for process in running.values()), "the end of all")
        audit.append(record("last-0"))  # nobody is left in the way
    newest_first = list(audit.records())
    assert newest_first[0].id == "last-0"
    for name, numbers in numbers_of(newest_first).items():
        assert numbers == list(reversed(range(len(numbers)))), f"{name}: each action once, in order"
    outcomes = {each.id: each.outcome for each in newest_first}
    for name in names:
        said = children.said(name)
        assert {identity for word, identity in said if word == "begun"} <= outcomes.keys()
        for number, identity in enumerate(identity for word, identity in said if word == "ended"):
            assert outcomes[identity] == ("void" if number % 3 == 0 else "done")
    assert {"interrupted", "done", "void"} >= set(outcomes.values())
    assert len(list(audit.log_file().parent.glob("audit.*.jsonl"))) > 5, "it did rotate"


def test_who_reads_while_others_rotate_sees_one_moment(tmp_path: Path) -> None:
    with nursery(tmp_path, limit=3_000) as children:
        names = ["a", "b", "c"]
        for name in names:
            children.start(name)
        until(lambda: all(len(children.said(name)) > 10 for name in names), "a log to read")
        rotated = 0
        for _ in range(30):
            before = said(children, names)
            found = numbers_of(list(audit.records()))
            for name, numbers in found.items():
                assert numbers == list(reversed(range(len(numbers))))
                assert len(numbers) >= before[name]
            until(lambda before=before: said(children, names) != before, "more actions")  # type: ignore[misc]
            rotated = max(rotated, len(list(audit.log_file().parent.glob("audit.*.jsonl"))))
        assert rotated > 5


def said(children: Nursery, names: list[str]) -> dict[str, int]:
    """Return how many actions each process has begun, as it says itself."""
    return {name: sum(word == "begun" for word, _ in children.said(name)) for name in names}
