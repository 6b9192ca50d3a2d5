"""Which files are taken for sources: by name, then by content."""

import pytest

from statewatch.documents.values import JSON
from statewatch.watch.discovery import Candidate, Expectation, Level, Verdict, expectation, judge

HOOKS: JSON = {"hooks": {"lint": {"state": "closed", "consecutive_failures": 0}}, "global_stats": {}}
BATCH: JSON = {"batch_id": "b-1", "features": ["a"], "current_index": 0}


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/p/.claude/hook_state.json", Expectation("hooks", plainly=True)),
        ("/p/.claude/hook-state.json", Expectation("hooks", plainly=True)),
        ("/p/hookState.json", Expectation("hooks", plainly=True)),
        ("/p/batch_state_docs.json", Expectation("batch", plainly=True)),
        ("/p/BATCH_STATE.json", Expectation("batch", plainly=True)),
        ("/p/my-batch.json", Expectation("batch", plainly=False)),
        ("/p/batch-2026_retry_state.json", Expectation("retry", plainly=True)),
        ("/h/.autonomous-dev/ralph-batch-2026_checkpoint.json", Expectation("loop", plainly=True)),
        ("/h/.autonomous-dev/ralph-batch-2026_loop_state.json", Expectation("loop", plainly=True)),
        ("/h/.autonomous-dev/.loop_state_x1.tmp", None),
        ("/p/.x_retry_state.json", None),
        ("/p/.claude/local/drain_breaker.json", Expectation("drain", plainly=True)),
        ("/p/.claude/local/drain_paused.flag", Expectation("pause", plainly=True)),
        ("/p/.claude/local/.drain_paused.flag_x1.tmp", None),
        ("/p/.claude/local/drain_log.jsonl", Expectation("drain log", plainly=True)),
        ("/p/.claude/workflows/adw-1/events.jsonl", None),
        ("/p/.claude/PAUSE", Expectation("pause request", plainly=True)),
        ("/p/PAUSE", None),
        ("/p/.ralph/.circuit_breaker_state", Expectation("ralph", plainly=True)),
        ("/p/.ralph/.circuit_breaker_history", Expectation("ralph log", plainly=False)),
        ("/p/.ralph/status.json", Expectation("ralph run", plainly=False)),
        ("/p/status.json", None),
        ("/p/.circuit_breaker_state", None),
        ("/p/service_breakers.json", Expectation("services", plainly=False)),
        ("/p/circuit_breaker.log", None),
        ("/p/hooks.json", Expectation("hooks", plainly=False)),
        ("/p/.claude/workflows/adw-1/state.json", Expectation("workflow", plainly=False)),
        ("/p/.claude/state/adw-1/state.json", Expectation("namespace", plainly=False)),
        ("/p/.claude/state/state.json", Expectation("file state", plainly=False)),
        ("/p/docs/sessions/20261116-093000-pipeline.json", Expectation("session", plainly=False)),
        ("/tmp/pipeline_state_c0ffee.json", Expectation("pipeline", plainly=False)),
        ("/p/.claude/artifacts/20261116_081700/checkpoint.json", Expectation("checkpoint", plainly=False)),
        ("/p/checkpoint.json", None),
        ("/p/.claude/local/SESSION_STATE.json", Expectation("session state", plainly=True)),
        ("/p/.claude/logs/workflows/1/progress.json", Expectation("progress", plainly=False)),
        ("/h/.autonomous-dev/workflow_state.json", Expectation("preferences", plainly=True)),
        ("/p/workflow_state.json", None),
        ("/p/webhook.json", None),
        ("/p/hookah.json", None),
        ("/p/batched.json", None),
        ("/p/hook_state.json.tmp", None),
        ("/p/.hook_state_x1.json", None),
        ("/p/.hook_state.tmp", None),
        ("/p/hook_state.yaml", None),
        ("/p/settings.json", None),
        ("/p/hook_state_\udcff.json", Expectation("hooks", plainly=True)),
    ],
)
def test_a_name_promises_a_kind(path: str, expected: Expectation | None) -> None:
    assert expectation(path) == expected


def candidate(name: str, *, explicit: bool = False) -> Candidate:
    return Candidate(f"/p/{name}", name, expectation(f"/p/{name}"), explicit=explicit)


def test_content_decides_what_a_file_is() -> None:
    assert judge(candidate("batch_state.json"), HOOKS) == Verdict("hooks")
    assert judge(candidate("hooks.json"), BATCH) == Verdict("batch")
    assert judge(candidate("notes.json", explicit=True), BATCH) == Verdict("batch")


def test_a_namespace_of_keys_is_told_by_its_place_and_its_layout() -> None:
    place = "/p/.claude/state/nightly/state.json"
    found = Candidate(place, "state.json", expectation(place))
    entry: JSON = {"value": {"batch_id": "b-1"}, "timestamp": "2026-11-20T14:03:00"}
    assert judge(found, {"phase": entry}) == judge(found, {}) == Verdict("namespace")
    assert judge(found, {"phase": "planning"}) is None, "somebody else's file"
    assert judge(found, HOOKS) == Verdict("hooks")
    assert judge(found, {"phase": entry, "a/b": 1}, "namespace") == Verdict(
        "namespace", "not a namespace of keys: /a~1b: expected an entry with a value, found a number"
    )
    assert judge(found, [], "namespace") == Verdict(
        "namespace", "not a namespace of keys: expected an object, found a list"
    )


def test_a_file_that_only_sounds_like_one_is_no_source() -> None:
    plugin_settings: JSON = {"hooks": {"PreToolUse": [{"matcher": "Bash"}]}}
    assert judge(candidate("hooks.json"), plugin_settings) is None
    assert judge(candidate("batch-notes.json"), {"notes": {}}) is None
    assert judge(candidate("circuit_diagram.json"), {"wires": []}) is None


def test_a_file_named_plainly_is_reported_when_it_holds_something_else() -> None:
    assert judge(candidate("hook_state.json"), []) == Verdict(
        "hooks", "not a hook state: expected an object, found a list"
    )
    assert judge(candidate("hook_state.json"), {"hooks": []}) == Verdict(
        "hooks", "not a hook state: /hooks: expected an object, found a list"
    )
    verdict = judge(candidate("batch_state.json"), {"hello": 1})
    assert verdict is not None
    assert verdict.kind == "batch"
    assert (verdict.problem or "").startswith("not a batch state: /batch_id: expected a text")


def test_content_that_was_meant_as_a_hook_state_is_reported_whatever_the_name() -> None:
    damaged: JSON = {"hooks": [], "global_stats": {}}
    verdict = judge(candidate("my_hooks.json"), damaged)
    assert verdict == Verdict("hooks", "not a hook state: /hooks: expected an object, found a list")


def test_a_file_asked_for_by_name_is_shown_whatever_it_holds() -> None:
    documents: list[JSON] = [[], 1, "text", None, {"a": 1}]
    for document in documents:
        assert judge(candidate("x.json", explicit=True), document) == Verdict("plain")


def test_a_source_that_turns_into_something_unknown_is_damaged_not_converted() -> None:
    verdict = judge(candidate("x.json", explicit=True), [], shown_as="hooks")
    assert verdict == Verdict("hooks", "not a hook state: expected an object, found a list")
    assert judge(candidate("x.json", explicit=True), BATCH, shown_as="hooks") == Verdict("batch")
    assert judge(candidate("x.json", explicit=True), [], shown_as="plain") == Verdict("plain")


def test_a_damaged_circuit_file_of_another_tool_is_reported() -> None:
    verdict = judge(candidate("drain_breaker.json"), {"consecutive_failures": 2})
    assert verdict == Verdict("drain", "not a drain breaker: /recent_failures: expected something there, found nothing")
    flag = judge(Candidate("/p/drain_paused.flag", "x", expectation("/p/drain_paused.flag")), [])
    assert flag == Verdict("pause", "not a pause flag: expected an object, found a list")


def test_a_log_in_which_nothing_has_happened_yet_is_a_log() -> None:
    history = Candidate("/p/.ralph/.circuit_breaker_history", "x", expectation("/p/.ralph/.circuit_breaker_history"))
    assert judge(history, []) == Verdict("ralph log")
    assert judge(history, [], shown_as="ralph log") == Verdict("ralph log")
    assert judge(history, {"a": 1}) is None


def test_directories_of_agent_loops_are_looked_into_but_not_below() -> None:
    for name in (".ralph", ".ralph-checkpoints", ".autonomous-dev"):
        loops = Level(ordinary=2).enter(name)
        assert loops is not None
        assert loops.enter("logs") is None


def test_how_deep_to_look() -> None:
    project = Level(ordinary=0)
    assert project.enter("src") is None
    assert project.enter(".git") is None
    tree = project.enter(".claude")
    assert tree is not None
    assert tree.enter("workflows") is not None
    assert tree.enter(".hidden") is None
    assert tree.enter("node_modules") is None
    assert project.enter(".claude.backup.20260101") is None
    directory = Level(ordinary=2)
    below = directory.enter("a")
    assert below is not None
    deeper = below.enter("b")
    assert deeper is not None
    assert deeper.enter("c") is None
    assert deeper.enter(".claude") is not None


def test_a_tree_ends_somewhere() -> None:
    level = Level(ordinary=0).enter(".claude")
    steps = 0
    while level is not None:
        level = level.enter("deeper")
        steps += 1
    assert steps == 6


def test_of_a_project_the_sessions_are_looked_into_and_nothing_beside_them() -> None:
    project = Level(named=("docs", "sessions"))
    docs = project.enter("docs")
    assert docs is not None
    assert docs.enter("sessions") is not None
    assert docs.enter("guide") is None
    assert project.enter("sessions") is None


def test_the_keys_of_pipelines_are_looked_into_nowhere() -> None:
    assert Level(inside=6).enter("pipeline_secrets") is None
    assert Level(ordinary=3).enter("pipeline_secrets") is None


def test_the_name_decides_about_what_could_be_anything() -> None:
    document: JSON = {"agent": "implementer", "timestamp": "2026-11-16T06:05:30+00:00"}
    assert judge(candidate("pause_checkpoint.json"), document) == Verdict("pause checkpoint")
    assert judge(candidate("other.json", explicit=True), document) == Verdict("plain")
    verdict = judge(candidate("pause_checkpoint.json"), {})
    assert verdict == Verdict(
        "pause checkpoint", "not a checkpoint of a pause: /agent: expected something there, found nothing"
    )
