"""`status`, `hooks list`, `hooks health`, `batch list`, `batch show`: what is shown equals what is there."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import ERROR, Stage, hook, write_json
from tests.support import SAMPLE

TRUTH: dict[str, Any] = json.loads((SAMPLE / "truth.json").read_text())

HOOK = "hook state failure_count consecutive_failures last_error retry_after source"
HOOK_MORE = "consecutive_successes disabled_at last_failure last_success retry_in_seconds address"
BATCH = "batch_id status total completed failed skipped pending source"
BATCH_MORE = "current_index current created_at updated_at seconds_per_item eta notes address"
SHAPES: list[tuple[str, str, str]] = [
    ("hooks list", "", f"{HOOK} {HOOK_MORE} first_failure"),
    ("hooks health", "*", "hooks open half_open closed other overdue failing failure_rate sources"),
    ("hooks health", "sources", "source open overdue failure_rate last_updated open_hooks policy notes"),
    ("batch list", "", f"{BATCH} {BATCH_MORE}"),
    ("batch show", "*", f"{BATCH} {BATCH_MORE} items"),
    ("batch show", "items", "index title outcome tries error at issue commit duration_seconds"),
    ("status", "*", "at needs_attention sources looked_in"),
    ("status", "needs_attention", "kind source what subject since address"),
    ("status", "sources", "source label kind status problem changed_at size digest counts"),
]


@pytest.mark.parametrize(("command", "part", "names"), SHAPES)
def test_json_shapes(stage: Stage, command: str, part: str, names: str) -> None:
    stage.write_hooks(a=hook("open"), b=hook())
    stage.write_batch()
    result = stage.run(*command.split(), "--json")
    assert result.stdout.isascii()
    value = json.loads(result.stdout)
    rows = [value] if part == "*" else value if part == "" else value[part]
    assert rows
    assert all(set(names.split()) <= row.keys() for row in rows), rows[0].keys()


@pytest.fixture
def sample(stage: Stage) -> dict[str, Path]:
    """Return the sample's hook and batch state, where they would be."""
    for source, target in (("home", stage.hook_state), ("project", stage.batch_state)):
        target.parent.mkdir(parents=True)
        target.write_bytes((SAMPLE / source / ".claude" / target.name).read_bytes())
    return {"hooks": stage.hook_state, "batch": stage.batch_state}


def test_the_sample_is_shown_as_it_is(stage: Stage, sample: dict[str, Path]) -> None:
    hooks = stage.json("hooks", "list")
    truth = TRUTH["hook_state"]
    assert len(hooks) == truth["hooks"]
    for state in ("open", "half_open"):
        assert sorted(row["hook"] for row in hooks if row["state"] == state) == truth[state]
    assert {row["source"] for row in hooks} == {str(sample["hooks"])}
    batch = stage.json("batch", "show")
    truth = TRUTH["batch_state"]
    assert [batch[name] for name in ("batch_id", "total", "completed")] == [
        truth[name] for name in ("batch_id", "total", "completed")
    ]
    for outcome in ("failed", "skipped"):
        assert [item["index"] for item in batch["items"] if item["outcome"] == outcome] == truth[f"{outcome}_indices"]
    assert batch["failed"] == len(truth["failed_indices"])


def test_status_of_the_sample(stage: Stage, sample: dict[str, Path]) -> None:
    status = stage.json("status", code=1)
    hooks = [need["subject"] for need in status["needs_attention"] if need["kind"] == "hook"]
    assert sorted(hooks) == TRUTH["hook_state"]["open"]
    assert {row["kind"]: row["status"] for row in status["sources"]} == {"hooks": "open", "batch": "in_progress"}
    assert str(sample["batch"]) in {need["source"] for need in status["needs_attention"]}


def test_circuits_in_the_order_of_the_operator(stage: Stage) -> None:
    stage.write_hooks(
        fine=hook(),
        trying=hook("half_open"),
        hurt=hook(failure_count=2, last_error=ERROR),
        b=hook("open"),
        odd=hook("OPEN-ish"),
        A=hook("open"),
    )
    assert [row["hook"] for row in stage.json("hooks", "list")] == ["A", "b", "trying", "odd", "hurt", "fine"]
    shown = stage.run("hooks", "list").stdout.splitlines()
    assert shown[0].split() == ["state", "hook", "in", "a", "row", "failures", "for", "retry", "last", "error"]
    assert shown[1].startswith("open       A ")
    assert ERROR in shown[1]


def test_no_hook_state_at_home_is_an_empty_list(stage: Stage) -> None:
    result = stage.run("hooks", "list", "--json")
    assert (result.exit_code, json.loads(result.stdout)) == (0, [])
    assert "~/.claude/hook_state.json" in result.stderr


def test_the_settings_of_the_tool_say_where_the_hook_state_is(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    other = stage.write_hooks(stage.home / "elsewhere.json", a=hook("open"))
    monkeypatch.setenv("GUARDRAILS_STATE_FILE", str(other))
    assert [row["source"] for row in stage.json("hooks", "list")] == [str(other)]


def test_a_state_file_or_paths_can_be_named(stage: Stage) -> None:
    one = stage.write_hooks(stage.project / "one.json", a=hook())
    two = stage.write_hooks(stage.project / "sub" / "hook_state.json", b=hook())
    assert [row["hook"] for row in stage.json("hooks", "list", "--state-file", one)] == ["a"]
    assert [row["hook"] for row in stage.json("hooks", "list", "one.json", stage.project / "sub")] == ["a", "b"]
    assert str(two).removeprefix(str(stage.home)) in stage.run("hooks", "list", "one.json", "sub").stdout


@pytest.mark.parametrize("command", ["hooks list", "hooks health", "batch list", "batch show", "show"])
def test_a_named_file_that_cannot_be_read(stage: Stage, command: str) -> None:
    broken = stage.project / "broken.json"
    broken.write_text('{"hooks": {\n  "a": }')
    for path, reason in (("missing.json", "there is no such file"), (broken.name, "line 2 column 8")):
        result = stage.run(*command.split(), path)
        assert result.exit_code == 3
        assert reason in result.stderr
        assert len(result.stderr.splitlines()) == 1


def test_what_can_be_read_is_listed_beside_what_cannot(stage: Stage) -> None:
    good = stage.write_hooks(stage.project / "good.json", a=hook())
    result = stage.run("hooks", "list", good, "missing.json", "--json")
    assert result.exit_code == 3
    assert [row["hook"] for row in json.loads(result.stdout)] == ["a"]


def test_a_named_file_of_another_kind(stage: Stage) -> None:
    result = stage.run("hooks", "list", stage.write_batch())
    assert result.exit_code == 1
    assert "it is a batch state, not a hook state" in result.stderr


def test_health_judges(stage: Stage) -> None:
    stage.write_hooks(a=hook("open"), b=hook("half_open"), c=hook())
    health = stage.json("hooks", "health", code=1)
    assert [health[name] for name in ("hooks", "open", "half_open", "closed", "overdue", "failing")] == [
        3,
        1,
        1,
        1,
        1,
        2,
    ]
    assert health["failure_rate"] == 0.25
    assert health["sources"][0]["policy"]["cooldown_seconds"] == 300
    shown = stage.run("hooks", "health")
    assert shown.exit_code == 1
    assert "10 of 40 runs (25%)" in shown.stdout
    stage.write_hooks(b=hook("half_open"), c=hook())
    assert stage.run("hooks", "health").exit_code == 0


def test_health_applies_the_settings(stage: Stage) -> None:
    stage.write_hooks(a=hook("open"))
    (stage.home / ".claude" / "guardrails.yaml").write_text("circuit_breaker: {cooldown_seconds: 60, exclude: [a]}")
    policy = stage.json("hooks", "health", code=1)["sources"][0]["policy"]
    assert (policy["cooldown_seconds"], policy["exclude"]) == (60, ["a"])
    assert "runs: excluded" in stage.run("hooks", "list").stdout


def test_batches_count_distinct_items(stage: Stage) -> None:
    stage.write_batch()
    (row,) = stage.json("batch", "list")
    assert [row[name] for name in ("total", "completed", "failed", "skipped", "pending")] == [4, 1, 1, 1, 1]
    assert row["current"] == "Write docs"
    assert row["eta"] is None, "a stalled batch has no end in sight"
    shown = stage.run("batch", "list").stdout
    assert "stalled" in shown
    assert "3/4" in shown


def test_one_batch_and_its_items(stage: Stage) -> None:
    stage.write_batch()
    items = stage.json("batch", "show")["items"]
    assert [item["outcome"] for item in items] == ["completed", "failed", "skipped", "pending"]
    assert (items[0]["commit"], items[1]["tries"], items[3]["issue"]) == ("15ceb3a10b", 2, 104)
    shown = stage.run("batch", "show").stdout
    assert "Tests failed again" in shown
    assert "日本語" in shown


@pytest.mark.parametrize("which", ["batch-20261115-090000-369009", "batch-20261115", ".claude/batch_state.json", "."])
def test_a_batch_is_named_by_id_or_place(stage: Stage, which: str) -> None:
    stage.write_batch()
    if which != ".":
        stage.write_batch(stage.project / ".claude" / "batch_state_docs.json", batch_id="batch-20261113-docs")
    assert stage.json("batch", "show", which)["batch_id"] == "batch-20261115-090000-369009"


def test_of_several_batches_one_must_be_named(stage: Stage) -> None:
    stage.write_batch()
    stage.write_batch(stage.project / ".claude" / "batch_state_docs.json", batch_id="batch-20261113-docs")
    result = stage.run("batch", "show")
    assert result.exit_code == 2
    assert "batch-20261113-docs" in result.stderr
    result = stage.run("batch", "show", "batch-20261113-docz")
    assert result.exit_code == 1
    assert "batch-20261113-docs" in result.stderr


def test_no_batch(stage: Stage) -> None:
    assert stage.run("batch", "show").exit_code == 1
    assert stage.json("batch", "list") == []


def test_nothing_needs_attention(stage: Stage) -> None:
    stage.write_hooks(a=hook())
    result = stage.run("status")
    assert result.exit_code == 0
    assert "Nothing needs attention." in result.stdout
    assert stage.json("status")["needs_attention"] == []


def test_nothing_found_says_where_it_looked_and_what_to_try(stage: Stage) -> None:
    result = stage.run("status")
    assert result.exit_code == 0
    assert "~/.claude" in result.stdout
    assert "statewatch demo" in result.stdout
    assert stage.json("status")["sources"] == []


def test_a_broken_file_needs_attention(stage: Stage) -> None:
    stage.hook_state.parent.mkdir()
    stage.hook_state.write_text('{"hooks": {')
    status = stage.json("status", code=1)
    assert [(need["kind"], need["source"]) for need in status["needs_attention"]] == [("file", str(stage.hook_state))]
    assert status["sources"][0]["status"] == "unreadable"
    assert "line 1" in status["sources"][0]["problem"]


@pytest.mark.parametrize("path", sorted((SAMPLE / "broken").iterdir()), ids=lambda path: path.name)
def test_every_broken_file_is_told_as_such(stage: Stage, path: Path) -> None:
    copy = stage.project / path.name
    copy.write_bytes(path.read_bytes())
    result = stage.run("show", copy)
    assert result.exit_code in {0, 3}
    assert (result.exit_code == 0) == (result.stderr == "")
    assert len(result.stderr.splitlines()) <= 1
    assert copy.read_bytes() == path.read_bytes()


@pytest.mark.parametrize("command", ["status", "hooks list", "hooks health", "batch list"])
def test_all_broken_files_at_once(stage: Stage, command: str) -> None:
    shutil.copytree(SAMPLE / "broken", stage.project / "broken")
    for places in ([stage.project / "broken"], sorted((stage.project / "broken").iterdir())):
        result = stage.run(*command.split(), *places)
        told = command != "batch list" or len(places) > 1
        assert result.exit_code == (1 if command == "status" else 3 if told else 0)
        assert "bug" not in result.stderr
        assert ("hook_nan.json" in result.output) is told


def test_hostile_text_cannot_act(stage: Stage) -> None:
    evil = "\x1b]52;c;ZXZpbA==\x07\x9b31m\u202e[bold]\r\n\x00"
    stage.write_hooks(**{evil: hook("open", last_error=evil), "b": hook(evil)})
    stage.write_batch(batch_id=evil, features=[evil] * 4, status=evil)
    for command in ("status", "hooks list", "hooks health", "batch list", "batch show", "hooks reset --dry-run --all"):
        result = stage.run(*command.split())
        assert not set(result.output) & set("\x1b\x07\x9b\u202e\r\x00"), command
        assert "[bold]" in result.output
    assert stage.json("hooks", "list")[0]["hook"] == evil
    missing = stage.run("hooks", "reset", "\x1b[31mnone", "--yes")
    assert missing.exit_code == 1
    assert "\x1b" not in missing.output


def test_all_in_one_project(stage: Stage) -> None:
    path = stage.project / ".claude" / "workflows" / "adw-1" / "state.json"
    failed = {"status": "failed", "error": "pytest: 4 failed"}
    write_json(path, {"workflow_id": "adw-1", "status": "failed", "phases": {"build": failed}})
    (need,) = stage.json("status", code=1)["needs_attention"]
    assert (need["kind"], need["subject"], need["address"]) == ("workflow", "adw-1", str(path))
