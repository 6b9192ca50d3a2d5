"""The short way of the wrapper writes what the long way would, and leaves alone what is not for it."""

import json
import threading
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statewatch.core import hook_count
from statewatch.core.errors import LockedError, RefusedError, SourceError
from statewatch.core.hook_count import counted
from statewatch.core.hook_glance import decided
from statewatch.core.lock import holder, locked
from statewatch.core.reading import Snapshot
from statewatch.core.recording import Circuits
from statewatch.kinds.circuit_calls import Run
from statewatch.kinds.policy import Policy
from tests.support import until

NOW = 1_794_800_000.25
USUAL = Policy()
TIMES = st.sampled_from([None, "2026-11-16T08:00:00.000000+00:00", "2026-11-16T08:00:00Z", "2026-11-16T08:00:00"])
RECORDS = st.fixed_dictionaries(
    {
        "state": st.sampled_from(["closed", "CLOSED", "odd", "open", "half_open"]),
        "failure_count": st.integers(0, 9),
        "consecutive_failures": st.sampled_from([0, 1, "2", None]),
        "consecutive_successes": st.integers(0, 9),
        "last_success": TIMES,
        "last_error": st.sampled_from([None, "bad", "é\n\x1b"]),
    },
    optional={"first_failure": TIMES, "disabled_at": TIMES, "retry_after": TIMES, "note": st.text(max_size=3)},
)
DOCUMENTS = st.fixed_dictionaries(
    {
        "hooks": st.dictionaries(st.sampled_from(["a", "b", 'q"é', "global_stats", "hooks"]), RECORDS, max_size=3),
        "global_stats": st.sampled_from(
            [{"total_executions": 4, "last_updated": "2026-11-16T08:00:00Z"}, {}, {"x": 1.50}]
        ),
    },
    optional={"extra": st.sampled_from([[1], {"a": {"b": 1}}, "text"])},
)


def write(path: Path, document: Any, **style: Any) -> bytes:
    path.write_text(json.dumps(document, **{"indent": 2, **style}))
    path.with_name(f".{path.name}.statewatch-circuits.jsonl").unlink(missing_ok=True)
    return path.read_bytes()


@given(DOCUMENTS, st.booleans(), st.sampled_from([2, 2, 2, 4, None]))
def test_both_ways_write_the_same(tmp_path: Path, document: Any, ascii_only: bool, indent: int | None) -> None:
    short, full = tmp_path / "short.json", tmp_path / "full.json"
    before = write(short, document, ensure_ascii=ascii_only, indent=indent)
    write(full, document, ensure_ascii=ascii_only, indent=indent)
    run = Run("a", None, USUAL)
    done = counted(short, run, USUAL, lambda: NOW)
    Circuits(full, clock=lambda: NOW).record([run])
    if done:
        assert short.read_bytes() == full.read_bytes()
    else:
        assert short.read_bytes() == before


def test_the_usual_run_goes_the_short_way(tmp_path: Path) -> None:
    path = tmp_path / "hook_state.json"
    circuits = Circuits(path, clock=lambda: NOW)
    circuits.record([Run("a"), Run("b", "bad")])
    for number in range(3):
        assert counted(path, Run("a", None, USUAL), USUAL, lambda: NOW)
        assert circuits.hooks()["a"]["consecutive_successes"] == 2 + number  # type: ignore[index,call-overload]
    decision = decided(path, "a", USUAL, NOW)
    assert decision is not None
    assert decision == circuits.ask("a")


def test_it_leaves_alone_what_is_not_for_it(tmp_path: Path) -> None:
    path = tmp_path / "hook_state.json"
    assert not counted(path, Run("a"), USUAL, lambda: NOW)
    Circuits(path, clock=lambda: NOW).record([Run("a"), *[Run("b", "bad")] * 3])
    before = path.read_bytes()
    assert not counted(path, Run("a", "failed"), USUAL, lambda: NOW)
    assert not counted(path, Run("new"), USUAL, lambda: NOW)
    assert decided(path, "b", USUAL, NOW + 900) is None, "a test has to be begun"
    link = tmp_path / "link.json"
    link.symlink_to(path)
    assert not counted(link, Run("a"), USUAL, lambda: NOW)
    assert decided(link, "a", USUAL, NOW) is None
    assert path.read_bytes() == before


def test_what_is_kept_beside_is_heeded(tmp_path: Path) -> None:
    path = tmp_path / "hook_state.json"
    circuits = Circuits(path, clock=lambda: NOW)
    circuits.record([Run("a")])
    circuits.set_mode(["a"], "forced_open")
    decision = decided(path, "a", USUAL, NOW)
    assert decision is not None
    assert not decision.should_execute


@pytest.mark.parametrize("text", ["{", '{"hooks": []}', "[]"])
def test_damage_is_told(tmp_path: Path, text: str) -> None:
    path = tmp_path / "hook_state.json"
    path.write_text(text)
    with pytest.raises(SourceError):
        decided(path, "a", USUAL, NOW)
    with pytest.raises(SourceError):
        counted(path, Run("a"), USUAL, lambda: NOW)
    path.chmod(0o444)
    with pytest.raises(RefusedError, match="read-only"):
        counted(path, Run("a"), USUAL, lambda: NOW)


def test_it_waits_for_the_lock_and_holds_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "hook_state.json"
    Circuits(path).record([Run("a")])
    with locked(path, "something long"), pytest.raises(LockedError, match="something long"):
        counted(path, Run("a"), USUAL, lambda: NOW, timeout=0.02)

    reached, go_on = threading.Event(), threading.Event()

    def pause() -> float:
        reached.set()
        assert go_on.wait(10)
        return NOW

    thread = threading.Thread(target=counted, args=(path, Run("a"), USUAL, pause))
    thread.start()
    assert reached.wait(10)
    with pytest.raises(LockedError, match="record how hooks ran"):
        Circuits(path, timeout=0.02).record([Run("a", "bad")])
    go_on.set()
    thread.join()
    until(lambda: holder(path) is None)
    assert Circuits(path).hooks()["a"]["consecutive_successes"] == 2  # type: ignore[index,call-overload]


def test_what_another_writes_at_the_last_moment_is_carried_forward(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "hook_state.json"
    Circuits(path).record([Run("a"), Run("b")])
    theirs = json.loads(path.read_text())
    theirs["hooks"]["b"]["note"] = "theirs"
    calls: list[int] = []

    def clock() -> float:
        if not calls:  # they write after we have read
            write(path, theirs)
        calls.append(1)
        return NOW

    assert counted(path, Run("a"), USUAL, clock)
    hooks = json.loads(path.read_text())["hooks"]
    assert hooks["b"]["note"] == "theirs"
    assert hooks["a"]["consecutive_successes"] == 2
    assert len(calls) == 2


def test_a_large_file_is_not_for_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "hook_state.json"
    Circuits(path).record([Run("a")])
    monkeypatch.setattr(hook_count, "_LARGEST", 100)
    assert not counted(path, Run("a"), USUAL, lambda: NOW)


def test_a_text_that_only_looks_the_same_is_no_record(tmp_path: Path) -> None:
    """A file with a layout of its own may hold the record's text elsewhere: it is never changed there."""
    path = tmp_path / "hook_state.json"
    record = json.dumps({"a": {"state": "closed"}}, indent=2)[1:-2].replace("\n", "\n  ")
    stats = json.dumps({"global_stats": {}}, indent=2)[1:-2]
    path.write_text('{"copy": {' + record + '},"hooks":{"a":{"state":"closed"}},' + stats + "}")
    before = Snapshot.digest_of(path.read_bytes())
    assert not counted(path, Run("a"), USUAL, lambda: NOW)
    assert Snapshot.digest_of(path.read_bytes()) == before
