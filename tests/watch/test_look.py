"""One look at real data: what is shown is what is true, and broken files are told as such."""

import json
import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from statewatch.kinds.agent_checkpoint import CheckpointView
from statewatch.kinds.batch import COMPLETED, FAILED, SKIPPED, BatchView
from statewatch.kinds.declared_view import CircuitsView
from statewatch.kinds.hooks import HooksView, Policy
from statewatch.kinds.session import SessionView
from statewatch.kinds.workflow import WorkflowView
from statewatch.watch.attention import attention
from statewatch.watch.picture import Picture
from statewatch.watch.scope import scope_of
from statewatch.watch.watcher import look
from tests.support import SAMPLE, World, copy_of_sample, labelled, labels

BATCH = "batch-20261115-090000-369009"
TRUTH: dict[str, Any] = json.loads((SAMPLE / "truth.json").read_text())


@pytest.fixture(scope="module")
def picture(tmp_path_factory: pytest.TempPathFactory) -> Picture:
    world = copy_of_sample(tmp_path_factory.mktemp("world"))
    return look(world.scope, now=1_794_900_000.0)


def test_everything_is_found_and_nothing_else(picture: Picture) -> None:
    assert labels(picture) == [
        *(f".claude/artifacts/{name}/checkpoint.json" for name in TRUTH["checkpoints"]),
        *(f".claude/audit/{name}_retry_audit.jsonl" for name in ("batch-20261114-220501-118274", BATCH)),
        ".claude/batch-20261114-220501-118274_retry_state.json",
        ".claude/batch-20261115-090000-369009_retry_state.json",
        ".claude/batch_state.json",
        ".claude/batch_state_docs.json",
        ".claude/compaction_recovery.json",
        ".claude/local/SESSION_STATE.json",
        ".claude/local/drain_breaker.json",
        ".claude/local/drain_budget.json",
        ".claude/local/drain_log.jsonl",
        ".claude/local/drain_notifications.jsonl",
        ".claude/local/drain_paused.flag",
        ".claude/local/drain_pending.json",
        ".claude/local/goa_manifest.json",
        ".claude/local/implement_pipeline_state.json",
        *(f".claude/logs/workflows/{name}/progress.json" for name in TRUTH["checkpoints"]),
        ".claude/pause_checkpoint.json",
        *(f".claude/state/{name}/state.json" for name in ("default", "nightly")),
        ".claude/state/state.json",
        ".claude/state/workflow-123/state.json",
        ".claude/workflows/adw-4c973d9a/state.json",
        ".claude/workflows/adw-63f8bd05/state.json",
        ".claude/workflows/adw-81aa02fe/state.json",
        ".claude/workflows/adw-new00001/state.json",
        *(f"docs/sessions/{name}" for name in TRUTH["sessions"]),
        "~/.autonomous-dev/ralph-batch-20261115-090000-369009_checkpoint.json",
        "~/.autonomous-dev/ralph-batch-20261115-090000-369009_loop_state.json",
        "~/.autonomous-dev/user_state.json",
        "~/.autonomous-dev/workflow_state.json",
        "~/.claude/hook_state.json",
    ]
    assert picture.at == 1_794_900_000.0
    assert picture.changes == ()
    assert all(source.problem is None for source in picture.sources)


def test_the_hook_state_is_as_it_is(picture: Picture) -> None:
    truth = TRUTH["hook_state"]
    source = labelled(picture, "~/.claude/hook_state.json")
    view = source.view
    assert isinstance(view, HooksView)
    assert len(view.hooks) == truth["hooks"]
    assert dict(Counter(hook.state for hook in view.hooks)) == truth["by_state"]
    for state in ("open", "half_open"):
        assert sorted(hook.name for hook in view.hooks if hook.state == state) == truth[state]
    assert view.total_executions == truth["global_stats"]["total_executions"]
    assert view.total_failures == truth["global_stats"]["total_failures"]
    assert source.policy == Policy(exclude=("damage-control",))


def test_the_batch_is_as_it_is(picture: Picture) -> None:
    truth = TRUTH["batch_state"]
    source = labelled(picture, ".claude/batch_state.json")
    view = source.view
    assert isinstance(view, BatchView)
    assert (view.batch_id, view.status, view.total) == (truth["batch_id"], truth["status"], truth["total"])
    assert view.count(COMPLETED) == truth["completed"]
    assert [item.index for item in view.items if item.outcome == FAILED] == truth["failed_indices"]
    assert [item.index for item in view.items if item.outcome == SKIPPED] == truth["skipped_indices"]
    assert source.pace.seconds_per_item is not None
    assert not source.pace.observed


def test_the_workflows_are_as_they_are(picture: Picture) -> None:
    found = {}
    for source in picture.sources:
        if isinstance(source.view, WorkflowView) and source.kind == "workflow":
            found[source.view.workflow_id] = source.view.status
    assert found == {
        "adw-4c973d9a": "completed",
        "adw-63f8bd05": "failed",
        "adw-81aa02fe": "running",
        "adw-new00001": "initialized",
    }


def test_the_sessions_and_the_checkpoints_are_as_they_are(picture: Picture) -> None:
    sessions, checkpoints = {}, {}
    for source in picture.sources:
        name = source.label.split("/")[2] if source.label.count("/") > 1 else source.label
        if isinstance(source.view, SessionView):
            sessions[name] = len(source.view.runs)
        elif isinstance(source.view, CheckpointView):
            checkpoints[name] = len(source.view.completed)
        elif source.kind == "run":
            sessions[name] = 0  # it has the steps of a pipeline, and no agents
    assert sessions == TRUTH["sessions"]
    assert checkpoints == TRUTH["checkpoints"]


def test_what_agents_left_in_a_line_each(picture: Picture) -> None:
    stands = {
        source.kind: (source.view.status, source.view.facts[0])
        for source in picture.sources
        if isinstance(source.view, CircuitsView) and not source.view.circuits and source.kind != "progress"
    }
    assert stands == {
        "recovery": ("in_progress", ("batch", "batch-20261115-090000-369009")),
        "session state": ("", ("active tasks", "2")),
        "retry audit": ("", ("entries", "7")),
        "drain log": ("", ("entries", "5")),
        "drain notifications": ("", ("entries", "2")),
        "drain pending": ("pending", ("cluster", "hooks")),
        "watch manifest": ("", ("triggers", "3")),
        "sentinel": ("", ("run", "c0ffee1234567890")),
        "pause checkpoint": ("paused", ("agent", "implementer")),
        "user state": ("", ("first run complete", "yes")),
        "preferences": ("", ("sessions", "2")),
    }


def test_a_request_to_pause_and_the_word_of_the_operator_are_seen_though_they_are_no_json(tmp_path: Path) -> None:
    place = tmp_path / ".claude"
    place.mkdir()
    (place / "PAUSE").touch()
    (place / "HUMAN_INPUT.md").write_bytes(b"wait for the review \xff\n")
    shown = look(scope_of([tmp_path], tmp_path, tmp_path / "home", {})).sources
    assert [(source.kind, source.problem) for source in shown] == [("human input", None), ("pause request", None)]
    assert isinstance(shown[1].view, CircuitsView)
    assert shown[1].view.status == "pause requested"


def test_a_run_that_waits_in_a_pause_needs_the_operator(picture: Picture) -> None:
    [need] = [each for each in attention(picture, picture.at) if each.source.kind == "pause checkpoint"]
    assert (need.subject, need.what.startswith("an agent waits")) == ("paused", True)


def test_the_keys_that_pipelines_are_signed_with_are_never_shown(tmp_path: Path) -> None:
    keys = tmp_path / ".claude" / "pipeline_secrets"
    keys.mkdir(parents=True)
    (keys / "batch_state.json").write_text('{"batch_id": "5ecret", "features": []}')
    assert look(scope_of([tmp_path], tmp_path, tmp_path / "home", {})).sources == ()
    (named,) = look(scope_of([keys / "batch_state.json"], tmp_path, tmp_path / "home", {})).sources
    assert named.view is None
    assert named.problem is not None
    assert "5ecret" not in repr(named)


def test_the_circuits_of_other_tools_are_as_they_are(picture: Picture) -> None:
    found = {}
    for source in picture.sources:
        if isinstance(source.view, CircuitsView) and source.view.circuits:
            (circuit,) = source.view.at(picture.at).circuits
            found[source.label.rpartition("/")[2]] = (source.kind, circuit.state)
    assert found == {
        "batch-20261114-220501-118274_retry_state.json": ("retry", "open"),
        "batch-20261115-090000-369009_retry_state.json": ("retry", "closed"),
        "drain_breaker.json": ("drain", "open"),
        "drain_budget.json": ("budget", "closed"),
        "drain_paused.flag": ("pause", "closed"),
        "ralph-batch-20261115-090000-369009_checkpoint.json": ("loop", "closed"),
        "ralph-batch-20261115-090000-369009_loop_state.json": ("loop", "closed"),
    }


@pytest.mark.parametrize("where", ["", ".ralph"])
def test_the_status_of_a_loop_is_read_though_it_is_not_quite_json(tmp_path: Path, where: str) -> None:
    shutil.copytree(SAMPLE / "ralph" / ".ralph", tmp_path / ".ralph")
    picture = look(scope_of([tmp_path / where], tmp_path, tmp_path / "home", {}))
    source = next(source for source in picture.sources if source.kind == "ralph run")
    assert isinstance(source.view, CircuitsView)
    assert (source.view.status, source.problem) == ("stopped", None)
    assert dict(source.view.facts)["exit reason"] == "\x1b[31mno progress\x1b[0m\nin 3 loops"
    (note,) = source.view.notes
    assert note.startswith("read all the same, though not JSON at line 8 ")
    assert {source.kind for source in picture.sources} == {"ralph", "ralph log", "ralph run"}


def test_what_is_no_json_at_all_is_not_tolerated_even_there(tmp_path: Path) -> None:
    (tmp_path / ".ralph").mkdir()
    (tmp_path / ".ralph" / "status.json").write_text('{"loop_count": 7, "calls')
    (source,) = look(scope_of([tmp_path], tmp_path, tmp_path / "home", {})).sources
    assert source.view is None
    assert source.problem is not None
    assert "not JSON at line 1" in source.problem.reason


@pytest.mark.parametrize("home", ["home_old", "home_rust"])
def test_hook_states_of_other_versions_are_read(tmp_path: Path, home: str) -> None:
    view = labelled(look(copy_of_sample(tmp_path, home).scope), "~/.claude/hook_state.json").view
    assert isinstance(view, HooksView)
    assert len(view.hooks) > 3
    assert all(hook.known for hook in view.hooks)


# The kind, and how the reason begins; the words that follow the position are the codec's.
BROKEN: dict[str, tuple[str, str | None]] = {
    "README.json": ("plain", None),
    "batch_done_with_failures.json": ("batch", None),
    "batch_features_dicts.json": ("batch", None),
    "batch_hand_edited.json": ("batch", None),
    "batch_index_out_of_range.json": ("batch", None),
    "batch_names_not_indices.json": ("batch", None),
    "events_partial.jsonl": ("plain", "not JSON at line 2 column 1: "),
    "hook_array.json": ("plain", None),
    "hook_bom.json": ("hooks", "not JSON at line 1 column 1: "),
    "hook_dupkeys.json": ("hooks", "not JSON at line 1 column 36: "),
    "hook_empty.json": ("hooks", "not JSON at line 1 column 1: "),
    "hook_extra_fields.json": ("hooks", None),
    "hook_hook_is_string.json": ("hooks", None),
    "hook_hooks_list.json": ("hooks", "not a hook state: /hooks: expected an object, found a list"),
    "hook_latin1.json": ("hooks", "not JSON at line 1 column 36: "),
    "hook_naive_times.json": ("hooks", None),
    "hook_nan.json": ("hooks", "not JSON at line 1 column 54: "),
    "hook_null_counts.json": ("hooks", None),
    "hook_trailing_garbage.json": ("hooks", "not JSON at line 503 column 2: "),
    "hook_truncated.json": ("hooks", "not JSON at line 362 column 2: "),
    "hook_two_docs.json": ("hooks", "not JSON at line 504 column 1: "),
    "hook_unknown_state.json": ("hooks", None),
    "hook_utf16.json": ("hooks", "not JSON at line 1 column 1: "),
    "pipeline_partial.json": ("plain", "not JSON at line 5 column 5: "),
    "session_escape_chars.json": ("plain", "not JSON at line 1 column 41: "),
    "state_db_not_a_db.db": ("plain", "not JSON at line 1 column 1: "),
    "state_db_truncated.db": ("plain", "not JSON at line 1 column 103: "),
}


def what(picture: Picture) -> dict[str, tuple[str, str | None]]:
    return {
        source.label: (source.kind, source.problem.reason if source.problem else None) for source in picture.sources
    }


def agrees(found: tuple[str, str | None], expected: tuple[str, str | None]) -> bool:
    """Compare kinds, and how the reasons begin."""
    if found[1] is None or expected[1] is None:
        return found == expected
    return found[0] == expected[0] and found[1].startswith(expected[1]) and len(found[1]) > len("not JSON at line 1: ")


def test_broken_files_asked_for_by_name_are_told_with_reason_and_position() -> None:
    broken = SAMPLE / "broken"
    found = what(look(scope_of(sorted(broken.iterdir()), broken, broken, {})))
    assert found.keys() == BROKEN.keys()
    assert {name: found[name] for name in BROKEN if not agrees(found[name], BROKEN[name])} == {}


def test_in_a_directory_broken_files_are_found_by_their_names() -> None:
    found = what(look(scope_of([SAMPLE / "broken"])))
    assert found.keys() == {name for name in BROKEN if name.startswith(("hook_", "batch_"))} - {"hook_array.json"}
    assert {name: each for name, each in found.items() if not agrees(each, BROKEN[name])} == {}


def test_in_the_place_of_a_hook_state_all_that_is_neither_hooks_nor_batch_is_reported(tmp_path: Path) -> None:
    for name in BROKEN:
        (tmp_path / name / ".claude").mkdir(parents=True)
        (tmp_path / name / ".claude" / "hook_state.json").write_bytes((SAMPLE / "broken" / name).read_bytes())
    found = what(look(scope_of([tmp_path])))
    for name, (kind, problem) in BROKEN.items():
        reason = problem or ("not a hook state: " if kind == "plain" else None)
        assert agrees(found[f"{name}/.claude/hook_state.json"], ("hooks" if reason else kind, reason))


def look_at(*paths: Path) -> dict[str, tuple[str, str | None]]:
    return what(look(scope_of(paths, paths[0].parent, Path("/nowhere"), {})))


def test_what_is_no_readable_file_is_told_as_such(tmp_path: Path) -> None:
    (tmp_path / "hook_state.json").mkdir()
    os.mkfifo(tmp_path / "fifo.json")
    (tmp_path / "loop.json").symlink_to("loop.json")
    (tmp_path / "dangling.json").symlink_to("nowhere")
    with (tmp_path / "huge.json").open("wb") as huge:
        huge.truncate(200_000_000)
    names = ("fifo.json", "loop.json", "dangling.json", "huge.json", "missing.json")
    assert look_at(*[tmp_path / name for name in names], Path("/dev/null")) == {
        "fifo.json": ("plain", "it is not a regular file"),
        "loop.json": ("plain", "its symbolic links go round in a circle"),
        "dangling.json": ("plain", "there is no such file"),
        "huge.json": ("plain", "it is 200 MB large; files over 67 MB are not read"),
        "missing.json": ("plain", "there is no such file"),
        "/dev/null": ("plain", "it is not a regular file"),
    }
    assert look_at(tmp_path) == {"hook_state.json": ("hooks", "it is a directory, not a file")}


def test_deep_nesting_and_foreign_bytes_are_told_as_such(tmp_path: Path) -> None:
    (tmp_path / "hook_state.json").write_bytes(b"[" * 100_000 + b"]" * 100_000)
    (tmp_path / "batch_state.json").write_bytes(os.urandom(4096))
    found = what(look(scope_of([tmp_path])))
    assert found["hook_state.json"] == ("hooks", "not JSON: nested deeper than 500 levels")
    assert found["batch_state.json"][1] is not None


@contextmanager
def as_nobody() -> Iterator[None]:
    """Give up the powers of root, if the tests have them."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


def test_what_may_not_be_read_is_told_as_such() -> None:
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        directory.chmod(0o755)
        (directory / "hook_state.json").write_text("{}")
        (directory / "hook_state.json").chmod(0)
        (directory / "closed").mkdir(0o700)
        (directory / "closed" / "batch_state.json").write_text("{}")
        with as_nobody():
            found = what(look(scope_of([directory, directory / "closed" / "batch_state.json"], directory, directory)))
        assert found["hook_state.json"] == ("hooks", "no permission to read it")
        if os.geteuid() == 0:  # else the directory is the test's own
            assert found["closed/batch_state.json"] == ("batch", "no permission to read it")


def test_names_that_are_not_utf8_are_shown_harmless(tmp_path: Path) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/batch_state_\xff.json"))
    path.write_text('{"batch_id": "b", "features": []}')
    assert what(look(scope_of([tmp_path]))) == {"batch_state_\\udcff.json": ("batch", None)}


def test_two_names_that_look_the_same_have_two_labels(tmp_path: Path) -> None:
    for name in (b"batch_state_\xff.json", b"batch_state_\\udcff.json"):
        path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name))
        path.write_text('{"batch_id": "b", "features": []}')
    assert len(set(labels(look(scope_of([tmp_path]))))) == 2


def test_nothing_there_is_an_empty_picture_that_says_where_it_looked(tmp_path: Path) -> None:
    picture = look(World(tmp_path / "project", tmp_path / "home").scope)
    assert picture.sources == ()
    project = tmp_path / "project"
    assert picture.watching.looked_in == (str(project), str(project / ".claude"), "~/.claude", "~/.autonomous-dev")
