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
        ("/p/batch-2026_retry_state.json", Expectation("batch", plainly=False)),
        ("/p/hooks.json", Expectation("hooks", plainly=False)),
        ("/p/.claude/workflows/adw-1/state.json", Expectation("workflow", plainly=False)),
        ("/p/.claude/state/adw-1/state.json", None),
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


def test_a_file_that_only_sounds_like_one_is_no_source() -> None:
    plugin_settings: JSON = {"hooks": {"PreToolUse": [{"matcher": "Bash"}]}}
    assert judge(candidate("hooks.json"), plugin_settings) is None
    assert judge(candidate("batch-1_retry_state.json"), {"retry_counts": {}}) is None


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
