"""HookStateManager, as the programs use it that keep the state of their hooks with it."""

import asyncio
import inspect
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import statewatch
from statewatch import (
    AsyncCircuitBreaker,
    AsyncHookStateManager,
    CircuitState,
    CorruptedStateError,
    GlobalStats,
    HookState,
    HookStateData,
    HookStateManager,
    get_current_timestamp,
    load_config,
)
from statewatch.core.actions import perform
from statewatch.core.errors import LockedError, RefusedError, SourceError
from statewatch.core.hook_file import HookFile
from statewatch.core.lock import locked
from statewatch.core.recording import Circuits, Run
from statewatch.core.stores.file import FileStore
from statewatch.core.stores.memory import MemoryStore
from statewatch.core.undo import last_action, undo_action
from statewatch.documents.codec import decode
from statewatch.kinds.hooks import KIND
from statewatch.kinds.policy import Policy
from statewatch.kinds.times import instant
from tests.core.files import load
from tests.managers.hook_places import patient
from tests.support import SAMPLE

NOON = 1_794_830_400.0
HOSTILE = (
    "x" * 65_536,
    "a\nb\r\n",
    'say "hi" && rm -rf /',
    "[/red] [link=x]",
    "\u202egnp.exe\u2066",
    "\x1b]52;c;aGk=\x07",
    "uv run --no-project /hooks/x.py --flag 'a b'",
    "",
    "\ud800",
    "hooks",
    "../../x",
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "claude" / "hook_state.json"


@pytest.fixture
def manager(file: Path) -> HookStateManager:
    return HookStateManager(file)


def broken(name: str, file: Path) -> HookStateManager:
    file.parent.mkdir()
    file.write_bytes((SAMPLE / "broken" / f"hook_{name}.json").read_bytes())
    return HookStateManager(file)


# --- what callers rely on


def test_without_an_argument_it_is_the_file_of_the_home_made_with_its_directory() -> None:
    manager = HookStateManager()
    assert manager.state_file == Path.home() / ".claude" / "hook_state.json"
    document = load(manager.state_file)
    assert KIND.faults(document) == []
    assert document["hooks"] == {}
    assert manager.get_all_hooks() == {}


def test_three_failures_switch_a_hook_off_and_two_successes_in_the_test_on_again(place: str) -> None:
    manager = patient(place)
    assert [manager.record_failure("lint", "boom")[1] for _ in range(4)] == [False, False, True, False]
    assert [name for name, _ in manager.get_disabled_hooks()] == ["lint"]
    assert manager.transition_to_half_open("lint")
    assert not manager.transition_to_half_open("lint")
    assert manager.get_hook_state("lint").state == CircuitState.HALF_OPEN
    assert [manager.record_success("lint")[1] for _ in range(3)] == [False, True, False]
    state = manager.get_hook_state("lint")
    assert (state.state, state.failure_count, state.consecutive_successes, state.last_error) == ("closed", 0, 3, None)
    assert manager.get_global_stats().total_executions == 7
    told = [event["event"] for event in manager.get_history("lint")]
    assert told == ["closed", "half_open", "failed", "opened", "failed", "failed", "failed"]
    manager.close()


def test_thresholds_of_the_call_decide_and_the_failure_threshold_has_two_names(manager: HookStateManager) -> None:
    assert manager.record_failure("a", "x", 1, 60)[1]
    state = manager.get_hook_state("a")
    opened, retry = instant(state.disabled_at), instant(state.retry_after)
    assert opened is not None
    assert retry == opened + 60
    assert manager.record_failure("b", "x", threshold=1)[1]
    assert manager.record_failure("c", "x", failure_threshold="1")[1]  # type: ignore[arg-type]
    manager.transition_to_half_open("a")
    assert manager.record_success("a", success_threshold=1)[1]


def test_the_names_and_parameters_are_those_that_callers_use() -> None:
    def parameters(method: Callable[..., object]) -> list[str]:
        return list(inspect.signature(method).parameters)[1:]

    assert parameters(HookStateManager.record_success) == ["hook_cmd", "success_threshold"]
    assert parameters(HookStateManager.record_failure)[:4] == [
        "hook_cmd",
        "error",
        "failure_threshold",
        "cooldown_seconds",
    ]
    defaults = inspect.signature(HookStateManager.record_failure).parameters
    assert (defaults["failure_threshold"].default, defaults["cooldown_seconds"].default) == (3, 300)
    assert instant(get_current_timestamp()) is not None


def test_a_hook_that_never_ran_is_closed_and_asking_writes_nothing(manager: HookStateManager, file: Path) -> None:
    before = file.read_bytes()
    assert manager.get_hook_state("new") == HookState()
    assert manager.get_health_report()["total_hooks"] == 0
    assert not manager.reset_hook("new")
    assert not manager.transition_to_half_open("new")
    assert file.read_bytes() == before
    assert {path.name for path in file.parent.iterdir()} == {".hook_state.json.statewatch-lock", "hook_state.json"}


def test_the_health_report_says_what_is_off_and_why(manager: HookStateManager) -> None:
    manager.record_failure("bad", "boom", failure_threshold=1)
    manager.record_success("good")
    report: Any = manager.get_health_report()
    assert (report["total_hooks"], report["active_hooks"], report["disabled_hooks"]) == (2, 1, 1)
    (detail,) = report["disabled_hook_details"]
    assert (detail["command"], detail["state"], detail["last_error"]) == ("bad", "open", "boom")
    assert report["global_stats"]["hooks_disabled"] == 1


def test_a_reset_takes_the_record_away_keeps_what_others_added_and_can_be_undone(file: Path) -> None:
    file.parent.mkdir()
    manager = HookStateManager(file)
    manager.record_failure("plain", "x")
    manager.record_failure("owned", "x", failure_threshold=1)
    document = load(file)
    document["hooks"]["owned"]["team"] = "infra"
    file.write_text(json.dumps(document, indent=2))
    before = file.read_bytes()
    assert manager.reset_hook("owned")
    assert load(file)["hooks"]["owned"] == HookState().to_dict() | {"team": "infra"}
    perform(undo_action(last_action([file])), settle_for=0)
    assert load(file)["hooks"] == decode(before)["hooks"]  # type: ignore[index,call-overload]
    assert manager.reset_hook("plain")
    assert "plain" not in load(file)["hooks"]
    assert manager.get_hook_state("plain") == HookState()
    assert manager.reset_all() == 1
    assert manager.get_global_stats().total_failures == 0


def test_a_batch_is_one_write_and_says_what_became_of_each(manager: HookStateManager) -> None:
    before = manager.circuits.document()
    done = manager.record_batch({"a": None, "b": "boom"}, failure_threshold=1)
    assert [(state.state, changed) for state, changed in done] == [("closed", False), ("open", True)]
    assert manager.get_global_stats().total_executions == 2
    assert manager.circuits.document() is not before
    assert manager.record_batch([]) == []


def test_records_and_whole_states_go_to_dictionaries_and_back() -> None:
    document: Any = decode((SAMPLE / "home/.claude/hook_state.json").read_bytes())
    document["hooks"]["kr-mode"]["owner"] = {"team": "infra"}
    document["schema"] = 2
    data = HookStateData.from_dict(document)
    assert data.to_dict() == document
    assert data.hooks["kr-mode"].unknown == {"owner": {"team": "infra"}}
    assert HookState().to_dict() == HookState.from_dict({}).to_dict()
    assert list(GlobalStats().to_dict())[:3] == ["total_executions", "total_failures", "hooks_disabled"]


def test_modes_hold_for_whoever_asks_and_are_kept_beside_the_file(manager: HookStateManager, file: Path) -> None:
    before = file.read_bytes()
    assert manager.set_mode("h", "forced_open")
    assert not manager.set_mode("h", "forced_open")
    assert HookStateManager(file).ask("h").decision == "skip"
    assert file.read_bytes() == before
    assert manager.set_mode("h", None)
    assert manager.ask("h").should_execute
    with pytest.raises(RefusedError, match="the modes are disabled, forced_open, metrics_only"):
        manager.set_mode("h", "off")


def test_a_manager_of_a_store_shares_one_breaker_with_all_others(place: str) -> None:
    one, other = patient(place), patient(place)
    for _ in range(3):
        one.record_failure("h", "boom")
    one.set_mode("g", "forced_open")
    assert other.get_hook_state("h").state == "open"
    assert other.ask("h").decision == other.ask("g").decision == "skip"
    assert other.ask("h", Policy(cooldown=0)).decision == "execute_test"
    assert one.ask("h").decision == "skip"
    assert other.reset_all() == 1
    assert one.get_all_hooks() == {}
    assert one.ask("h").decision == "execute"
    one.close()
    other.close()


def test_a_store_can_be_handed_over_and_a_file_store_is_the_file(file: Path) -> None:
    store = MemoryStore()
    HookStateManager(store).record_failure("h", "x")
    assert HookStateManager(store).get_hook_state("h").failure_count == 1
    HookStateManager(FileStore(file)).record_failure("h", "x")
    assert load(file)["hooks"]["h"]["failure_count"] == 1


def test_a_store_keeps_the_newest_events_of_a_hook_and_names_of_any_length() -> None:
    circuits = Circuits(MemoryStore(), Policy(failure_threshold=10**6))
    for name in ("h", "n" * 5_000):
        circuits.record([Run(name, f"error {number}") for number in range(250)])
        errors = [event["error"] for event in circuits.history(name)]
        assert errors == [f"error {number}" for number in range(249, 49, -1)]
    assert sum(1 for _ in circuits.history()) == 400


def test_the_async_twin_does_the_same(file: Path) -> None:
    async def story() -> None:
        async with await AsyncHookStateManager.open(file) as manager:
            await asyncio.gather(*(manager.record_failure("h", "x", 100) for _ in range(20)))
            assert (await manager.get_hook_state("h")).failure_count == 20
            await manager.record_batch([("g", "x")], 1)
            assert [name for name, _ in await manager.get_disabled_hooks()] == ["g"]
            config = load_config("/nowhere")
            config.circuit_breaker.cooldown_seconds = 0
            config.circuit_breaker.success_threshold = 1
            config.logging.file = str(file.parent / "log")
            breaker = AsyncCircuitBreaker(manager, config)
            told = await asyncio.gather(*(breaker.should_execute("g") for _ in range(8)))
            assert sorted(each.decision for each in told) == ["execute_test"] + ["skip"] * 7
            await breaker.record_failure("g", "still")
            assert (await breaker.should_execute("g")).is_testing
            await breaker.record_success("g")
            assert (await manager.get_metrics("g")).recoveries == 1
            assert (await manager.get_health_report())["disabled_hooks"] == 0
            assert await manager.reset_hook("g")
            assert await manager.reset_all() == 1
            assert await manager.get_all_hooks() == {}

    asyncio.run(story())


# --- what others do to the file


ODD_LAYOUT = """{ "by": "\\u00e9\\/", "weight": 1.50,
  "hooks": {
    "a": {"state": "closed", "failure_count": 0, "big": 1E2, "tags": ["x","y"]},
    "b":   { "state" : "open" }
  },
  "global_stats": {"total_executions": 4}
}
"""


def test_a_file_in_a_layout_of_its_own_keeps_all_of_it_that_is_not_about_the_run(file: Path) -> None:
    file.parent.mkdir()
    file.write_text(ODD_LAYOUT)
    manager = HookStateManager(file)
    for number in (1, 2):  # the second finds at hand what the first has written
        manager.record_failure("a", "boom")
        text = file.read_text()
        assert f'"failure_count": {number}, "big": 1E2, "tags": ["x","y"]' in text
        assert text.startswith('{ "by": "\\u00e9\\/", "weight": 1.50,\n  "hooks": {\n    "a": {"state": "closed", ')
        assert '\n    "b":   { "state" : "open" }\n  },\n' in text
        assert json.loads(text)["hooks"]["a"]["last_error"] == "boom"


@pytest.mark.parametrize("home", ["home", "home_old", "home_rust"])
def test_files_of_other_tools_are_read_and_written_in_their_own_way(home: str, file: Path) -> None:
    file.parent.mkdir()
    data = (SAMPLE / home / ".claude" / "hook_state.json").read_bytes()
    file.write_bytes(data)
    manager = HookStateManager(file)
    names = list(manager.get_all_hooks())
    assert file.read_bytes() == data
    for _ in range(2):  # the second is spliced into the text of the first
        manager.record_failure(names[-1], "böom")
        manager.record_success("new")
    after, before = load(file), decode(data)
    assert isinstance(before, dict)
    assert list(after["hooks"]) == [*names, "new"]
    assert (
        {name: after["hooks"][name] for name in names[:-1]}
        == {
            name: record
            for name, record in before["hooks"].items()  # type: ignore[union-attr]
            if name in names[:-1]
        }
    )
    assert file.read_bytes().isascii() == data.isascii()
    assert file.read_bytes().endswith(b"\n") == data.endswith(b"\n")
    assert KIND.faults(after) == []


@pytest.mark.parametrize(
    "name",
    ["empty", "truncated", "bom", "utf16", "latin1", "array", "hooks_list", "nan", "dupkeys", "two_docs"],
)
def test_a_corrupt_file_is_told_on_first_use_and_left_as_it_is(name: str, file: Path) -> None:
    manager = broken(name, file)
    before = file.read_bytes()
    for use in (
        lambda: manager.get_hook_state("h"),
        lambda: manager.record_failure("h", "x"),
        lambda: manager.record_success("h"),
        lambda: manager.ask("h"),
        manager.get_health_report,
        manager.reset_all,
    ):
        with pytest.raises(ValueError, match=r"^Corrupted state file: .*hook_state\.json: .* move it away"):
            use()
    assert file.read_bytes() == before


@pytest.mark.parametrize("name", ["extra_fields", "unknown_state", "null_counts", "naive_times"])
def test_a_file_with_odd_records_is_used_and_what_is_odd_about_the_others_stays(name: str, file: Path) -> None:
    manager = broken(name, file)
    before: Any = decode(file.read_bytes())
    for hook in before["hooks"]:
        state, _ = manager.record_failure(hook, "x", failure_threshold=1)
        assert state.state == "open"
        assert manager.ask(hook).state in ("open", "half_open")  # some have been open for days, so they are tested
    after = load(file)
    for hook, record in before["hooks"].items():
        assert {key: value for key, value in record.items() if key not in HookState().to_dict()}.items() <= (
            after["hooks"][hook].items()
        )
    assert [fault for fault in KIND.faults(after) if "state" in fault.pointer or "count" in fault.pointer] == []


def test_a_hook_that_is_no_record_stops_only_its_own_calls(file: Path) -> None:
    manager = broken("hook_is_string", file)
    before: Any = decode(file.read_bytes())
    odd = next(name for name, record in before["hooks"].items() if isinstance(record, str))
    with pytest.raises(CorruptedStateError, match="not an object; mend the file first"):
        manager.record_failure(odd, "x")
    assert odd not in manager.get_all_hooks()
    manager.record_failure("other", "x")
    assert load(file)["hooks"][odd] == before["hooks"][odd]


@pytest.mark.parametrize("name", HOSTILE, ids=lambda name: ascii(name[:12]))
def test_any_text_is_the_name_of_a_hook_kept_verbatim(name: str, file: Path) -> None:
    manager = HookStateManager(file)
    for _ in range(3):
        manager.record_failure(name, f"error of {name[:50]}\x1b[31m")
    manager.record_success("other")
    assert list(load(file)["hooks"]) == [name, "other"]
    assert manager.get_hook_state(name).state == "open"
    assert manager.ask(name).decision == "skip"
    assert HookStateManager(file).ask(name, Policy(cooldown=0)).decision == "execute_test"
    assert len(manager.get_history(name)) == 6
    assert manager.reset_hook(name)
    assert list(load(file)["hooks"]) == ["other"]


@pytest.mark.parametrize("value", [0, -1, 10**9, "three", None, True, 2.5, float("nan"), [3]])
def test_a_threshold_that_is_none_is_refused_with_what_would_be_right(value: Any, manager: HookStateManager) -> None:
    expected = "failure_threshold must be a whole number from 1 to 1000000, and not"
    with pytest.raises(ValueError, match=expected):
        manager.record_failure("h", "x", failure_threshold=value)
    with pytest.raises(ValueError, match="success_threshold must be"):
        manager.record_success("h", value)
    assert manager.get_all_hooks() == {}


@pytest.mark.parametrize("value", [-1, 10**9, "soon", None, float("inf")])
def test_a_cool_down_that_is_none_is_refused(value: Any, manager: HookStateManager) -> None:
    with pytest.raises(ValueError, match="cooldown_seconds must be a number from 0 to"):
        manager.record_failure("h", "x", cooldown_seconds=value)
    assert manager.record_failure("h", "x", 1, 0.5)[1]


def test_a_file_deleted_at_any_time_is_begun_anew(
    manager: HookStateManager, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    manager.record_failure("h", "x")
    file.unlink()
    assert manager.get_hook_state("h") == HookState()
    manager.record_failure("h", "x")
    assert load(file)["hooks"]["h"]["failure_count"] == 1
    genuine = HookFile._told
    calls: list[int] = []

    def deleted_between(self: HookFile, *arguments: Any) -> bytes:
        if not calls:
            file.unlink()
        calls.append(1)
        return genuine(self, *arguments)

    monkeypatch.setattr(HookFile, "_told", deleted_between)
    manager.record_failure("h", "x")
    assert len(calls) == 2
    assert load(file)["hooks"]["h"]["failure_count"] == 1


def test_what_another_program_writes_meanwhile_is_counted_upon(manager: HookStateManager, file: Path) -> None:
    manager.record_failure("h", "x")
    document = load(file)
    document["hooks"]["h"]["failure_count"] = 41
    document["hooks"]["theirs"] = HookState(state="open").to_dict()
    temporary = file.with_suffix(".tmp")
    temporary.write_text(json.dumps(document, indent=1))
    temporary.replace(file)
    manager.record_failure("h", "x")
    assert load(file)["hooks"]["h"]["failure_count"] == 42
    assert manager.get_global_stats().hooks_disabled == 1


def test_a_locked_file_is_told_with_who_holds_it(file: Path) -> None:
    manager = HookStateManager(file, timeout=0.05)
    with locked(file, "sort the hooks"), pytest.raises(LockedError, match="sort the hooks"):
        manager.record_failure("h", "x")
    assert manager.get_hook_state("h").failure_count == 0


def test_a_directory_in_its_place_is_not_called_corrupt(tmp_path: Path) -> None:
    manager = HookStateManager(tmp_path)
    with pytest.raises(SourceError, match="it is a directory") as caught:
        manager.get_hook_state("h")
    assert not isinstance(caught.value, ValueError)


# --- what is kept beside it


def test_an_error_is_bounded_in_the_file_and_whole_in_the_history(file: Path) -> None:
    manager = HookStateManager(file, policy=Policy(error_length=200))
    error = "Traceback\n" + "x" * 50_000 + "\nValueError: at the end"
    state, _ = manager.record_failure("h", error)
    assert state.last_error is not None
    assert len(state.last_error) == 200
    assert manager.get_history("h")[0]["error"] == error


def test_successes_of_closed_hooks_write_one_file_only(manager: HookStateManager, file: Path) -> None:
    for _ in range(5):
        manager.record_success("h")
    assert {path.name for path in file.parent.iterdir()} == {".hook_state.json.statewatch-lock", "hook_state.json"}


def test_a_line_of_the_history_that_is_torn_or_damaged_is_passed_over(manager: HookStateManager, file: Path) -> None:
    manager.record_failure("h", "one")
    log = file.with_name(".hook_state.json.statewatch-circuits.jsonl")
    with log.open("ab") as stream:
        stream.write(b'{"at": "2026-11-16T12:00:00+00:00", "hook": "h", "ev')
    manager.record_failure("h", "two")
    with log.open("ab") as stream:
        stream.write(b"[]\n\xff\xfe\n" + b"[" * 100_000)
    assert [event["error"] for event in manager.get_history("h")] == ["two", "one"]
    assert manager.get_metrics("h").failures == 2


def test_extras_that_cannot_be_read_are_told_and_left(manager: HookStateManager, file: Path) -> None:
    beside = file.with_name(".hook_state.json.statewatch-circuits.json")
    beside.write_text("{")
    with pytest.raises(CorruptedStateError, match=r"\.hook_state\.json\.statewatch-circuits\.json: not JSON"):
        manager.record_failure("h", "x")
    assert beside.read_text() == "{"
    beside.unlink()
    assert manager.record_failure("h", "x")[0].failure_count == 1


def test_reading_is_shared_and_costs_no_parsing_while_nothing_changes(
    manager: HookStateManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    manager.record_batch({f"hook-{number}": None for number in range(1_000)})
    document = manager.circuits.document()

    def parsed(*_: object) -> None:
        raise AssertionError("it was parsed again")

    monkeypatch.setattr(HookFile, "_decoded", parsed)
    assert manager.get_hook_state("hook-7").consecutive_successes == 1
    assert manager.circuits.document() is document
    manager.record_failure("hook-7", "x")
    assert manager.get_hook_state("hook-7").consecutive_failures == 1


def test_the_public_names_are_there_and_importing_the_package_loads_none_of_them() -> None:
    for name in statewatch.__all__:
        assert getattr(statewatch, name) is not None
    script = "import sys, statewatch; print([name for name in sys.modules if name.startswith('statewatch.')])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_what_a_killed_process_left_beside_the_file_is_cleared_away(manager: HookStateManager, file: Path) -> None:
    left = file.with_name("..hook_state.json.statewatch-circuits.json.statewatch-999999999-0a1b2c3d.tmp")
    left.write_text("{")
    manager.set_mode("h", "disabled")
    assert not left.exists()
    assert Circuits(file).mode("h") == "disabled"
