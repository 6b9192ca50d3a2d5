"""The script of the simulated world: repeatable, and at every moment what the tools in the field would leave."""

import json
from collections import Counter
from functools import cache
from itertools import islice, pairwise
from typing import Any

import pytest

from statewatch.demo import Clock, files, hooks, moments, workflow
from statewatch.demo import batch as batches
from statewatch.demo.script import epoch_of
from statewatch.demo.world import TOOLS

CLOCK = Clock(start=1_795_000_000.25)
MOMENTS = (*range(0, 61, 2), *range(61, 400, 13), 1800.0, 3600.0)


@cache
def watched(seed: int) -> list[tuple[float, dict[str, Any]]]:
    """Give the files at all moments; documents are never changed in place, so every test may look at the same ones."""
    return list(zip(MOMENTS, moments(seed, CLOCK, MOMENTS), strict=True))


def of(content: dict[str, Any], part: str) -> dict[str, Any]:
    return {path: value for path, value in content.items() if part in path}


def circuits(second: float, seed: int = 7) -> dict[str, Any]:
    found: dict[str, Any] = files(seed, CLOCK, second)[hooks.STATE_FILE]["hooks"]
    return found


@pytest.mark.parametrize("second", [0, 100])
def test_same_seed_same_world(second: float) -> None:
    assert json.dumps(files(11, CLOCK, second)) == json.dumps(files(11, CLOCK, second))


@pytest.mark.parametrize("name", TOOLS)
def test_same_seed_same_script_at_any_time_of_day(name: str) -> None:
    today = islice(TOOLS[name](3, CLOCK), 3000)
    tomorrow = islice(TOOLS[name](3, Clock(CLOCK.start + 86_400)), 3000)
    assert [(event.at, event.path) for event in today] == [(event.at, event.path) for event in tomorrow]


def test_the_time_of_day_changes_nothing_but_times() -> None:
    """How items end must not hang on when the demo was started: a screenshot shows what the reader will see."""
    one, other = (files(7, Clock(start), 120)[batches.MAIN_FILE] for start in (CLOCK.start, CLOCK.start + 4711.5))
    for key in ("features", "completed_features", "retry_attempts", "context_token_estimate", "current_index"):
        assert one[key] == other[key]
    assert [record["error_message"] for record in one["failed_features"]] == [
        record["error_message"] for record in other["failed_features"]
    ]


@pytest.mark.parametrize("part", ["hook_state.json", "batch_state.json", "workflows"])
def test_another_seed_makes_another_world(part: str) -> None:
    assert of(files(1, CLOCK, 60), part) != of(files(2, CLOCK, 60), part)


@pytest.mark.parametrize("name", TOOLS)
def test_events_come_in_order(name: str) -> None:
    assert all(one.at <= next_one.at for one, next_one in pairwise(islice(TOOLS[name](5, CLOCK), 5000)))


def test_no_two_tools_share_a_file() -> None:
    paths = [{event.path for event in islice(events(7, CLOCK), 3000)} for events in TOOLS.values()]
    assert sum(map(len, paths)) == len(set.union(*paths))


@pytest.mark.parametrize("seed", [0, 7])
def test_files_are_json_in_every_moment(seed: int) -> None:
    for _, content in watched(seed):
        assert json.loads(json.dumps(content, allow_nan=False)) == content
        assert all(path.startswith(("home/.claude/", "project/.claude/")) for path in content)


@pytest.mark.parametrize("seed", [0, 7])
def test_hook_states_are_consistent(seed: int) -> None:
    for second, content in watched(seed):
        document = content[hooks.STATE_FILE]
        circuit_states = Counter(circuit["state"] for circuit in document["hooks"].values())
        assert document["global_stats"]["hooks_disabled"] == circuit_states["open"]
        assert document["global_stats"]["total_failures"] < document["global_stats"]["total_executions"]
        assert len(document["hooks"]) == 40
        for circuit in document["hooks"].values():
            check_circuit(circuit, CLOCK.at(second))


def check_circuit(circuit: dict[str, Any], now: float) -> None:
    assert circuit["state"] in {"closed", "open", "half_open"}
    assert (circuit["state"] == "closed") == (circuit["disabled_at"] is None) == (circuit["retry_after"] is None)
    assert min(circuit["consecutive_failures"], circuit["consecutive_successes"]) == 0
    assert circuit["failure_count"] >= circuit["consecutive_failures"]
    if circuit["state"] == "open":
        assert circuit["consecutive_failures"] >= 1
        assert circuit["last_error"]
        assert epoch_of(circuit["retry_after"]) - epoch_of(circuit["disabled_at"]) == pytest.approx(45)
    if circuit["state"] == "closed":
        assert circuit["consecutive_failures"] < hooks.FAILURE_THRESHOLD
    if circuit["state"] == "half_open":
        assert circuit["consecutive_successes"] < hooks.SUCCESS_THRESHOLD
    for key in ("first_failure", "last_failure", "last_success", "disabled_at"):
        if circuit[key] is not None:
            assert circuit[key].endswith("+00:00")
            assert epoch_of(circuit[key]) <= now + 0.001


@pytest.mark.parametrize("seed", range(6))
def test_a_hook_trips_soon_and_one_recovers_within_a_minute(seed: int) -> None:
    at_start = {name for name, circuit in circuits(0, seed).items() if circuit["state"] == "open"}
    soon = {name for name, circuit in circuits(10, seed).items() if circuit["state"] == "open"}
    assert soon - at_start
    later = circuits(60, seed)
    assert any(later[name]["state"] == "closed" for name in at_start)
    assert len(at_start) >= 3


def test_circuits_pass_through_half_open_and_some_stay_open() -> None:
    seen = [content[hooks.STATE_FILE]["hooks"] for content in moments(7, CLOCK, range(0, 200, 2))]
    passed = {pair for one, two in pairwise(seen) for pair in zip(states(one), states(two), strict=True)}
    assert {("closed", "open"), ("open", "half_open"), ("half_open", "closed"), ("half_open", "open")} <= passed
    always = [name for name in seen[0] if all(moment[name]["state"] == "open" for moment in seen)]
    assert len(always) == 2


def states(found: dict[str, Any]) -> list[str]:
    return [circuit["state"] for circuit in found.values()]


@pytest.mark.parametrize("speed", [0.25, 1, 7, 100])
def test_the_policy_file_tells_the_cooldown_that_applies(speed: float) -> None:
    clock = Clock(CLOCK.start, speed)
    content = files(7, clock, 30)
    wait = hooks.cooldown(clock)
    assert f"cooldown_seconds: {wait}\n" in content[hooks.POLICY_FILE]
    disabled = content[hooks.STATE_FILE]["hooks"]["release-notes-draft"]
    assert epoch_of(disabled["retry_after"]) - epoch_of(disabled["disabled_at"]) == pytest.approx(wait)


@pytest.mark.parametrize("seed", [0, 7])
def test_batch_states_are_consistent(seed: int) -> None:
    for second, content in watched(seed):
        found = of(content, "batch_state")
        assert len(found) == 3
        for document in found.values():
            check_batch(document, CLOCK.at(second))


def check_batch(document: dict[str, Any], now: float) -> None:
    total = document["total_features"]
    indices = range(total)
    completed = document["completed_features"]
    failed = [record["feature_index"] for record in document["failed_features"]]
    skipped = [record["feature_index"] for record in document["skipped_features"]]
    assert total == len(document["features"]) == len(set(document["features"])) == len(document["issue_numbers"])
    assert {*completed, *failed, *skipped, *map(int, document["retry_attempts"])} <= set(indices)
    assert len(completed) == len(set(completed))
    assert not {*completed, *failed} & set(skipped)
    assert set(map(int, document["git_operations"])) <= set(completed)
    assert document["current_index"] == max((index + 1 for index in (*completed, *failed)), default=0)
    assert (document["status"] == "completed") == (document["current_index"] == total)
    assert document["auto_clear_count"] == len(document["auto_clear_events"])
    assert all(needed < int(index) for index, list_ in document["feature_dependencies"].items() for needed in list_)
    for key in ("created_at", "updated_at"):
        assert document[key].endswith("Z")
    assert epoch_of(document["created_at"]) <= epoch_of(document["updated_at"]) <= now + 0.001


@pytest.mark.parametrize("seed", range(6))
def test_the_main_batch_is_under_way_and_advances(seed: int) -> None:
    start = files(seed, CLOCK)[batches.MAIN_FILE]
    later = files(seed, CLOCK, 60)[batches.MAIN_FILE]
    assert 8 <= len(start["completed_features"]) <= 15
    assert CLOCK.start - epoch_of(start["created_at"]) == pytest.approx(2400)
    assert 5 <= len(later["completed_features"]) - len(start["completed_features"]) <= 12


def test_a_failed_item_is_tried_again_and_completes() -> None:
    document = files(7, CLOCK, 180)[batches.MAIN_FILE]
    failed = {record["feature_index"] for record in document["failed_features"]}
    assert failed & set(document["completed_features"])
    assert failed - set(document["completed_features"])
    assert any("\n" in record["error_message"] for record in document["failed_features"])
    assert document["skipped_features"]


def test_the_other_batches_are_done_and_paused() -> None:
    content = files(7, CLOCK)
    docs, release = content[batches.DOCS_FILE], content[batches.RELEASE_FILE]
    assert (docs["status"], len(docs["completed_features"]), len(docs["failed_features"])) == ("completed", 5, 1)
    assert (release["status"], release["current_index"], release["total_features"]) == ("paused", 6, 12)


def test_a_new_batch_begins_when_one_has_ended() -> None:
    ids = {content[batches.MAIN_FILE]["batch_id"] for content in moments(7, CLOCK, range(0, 2000, 50))}
    assert len(ids) >= 5


def test_workflows_move_through_their_phases() -> None:
    for _, everything in watched(7):
        content = of(everything, "workflows")
        flows = {path: document for path, document in content.items() if path.endswith("state.json")}
        assert 3 <= len(flows) <= 9
        for path, document in flows.items():
            check_workflow(document, content.get(path.replace("state.json", "events.jsonl"), []))
    first = [flow["status"] for flow in of(files(7, CLOCK), "state.json").values() if "phases" in flow]
    assert first == ["completed", "failed", "initialized"]


def check_workflow(document: dict[str, Any], lines: list[dict[str, Any]]) -> None:
    phases = document["phases"]
    ended = [phase["status"] for phase in phases.values() if phase["status"] != "in_progress"]
    assert list(phases) == list(workflow.PHASES)[: len(phases)]
    assert document["current_phase"] == (list(phases)[-1] if phases else None)
    assert (document["status"] == "failed") == ("failed" in ended) == (document["error"] is not None)
    assert set(document["context"]) == {f"{name}_results" for name, phase in phases.items() if phase["results"]}
    assert len(phases) + len(ended) - len(lines) in {0, 1}
    assert all(line["workflow_id"] == document["workflow_id"] for line in lines)
    assert not document["started_at"].endswith(("Z", "+00:00"))


def test_something_happens_right_away_and_all_the_time() -> None:
    """A newcomer who sees nothing move for two seconds thinks that nothing does."""
    changes = [0.0]
    content: dict[str, Any] = {}
    events = TOOLS["hooks"](7, CLOCK)
    for event in events:
        before = content.get(event.path)
        content[event.path] = event.change(before)
        if event.at > 120:
            break
        if event.at > 0 and content[event.path] is not before:
            changes.append(event.at)
    assert changes[1] < 1.5
    assert max(later - earlier for earlier, later in pairwise(changes)) < 2.5


def test_a_moment_is_the_same_on_the_way_to_a_later_one() -> None:
    assert list(moments(7, CLOCK, [0, 33, 90]))[1] == files(7, CLOCK, 33)
