"""BatchStateManager, and the functions on batch states: the names that programs use, and nothing lost."""

import json
import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import statewatch
from statewatch import (
    BatchState,
    BatchStateError,
    BatchStateManager,
    InvalidBatchError,
    create_batch_state,
    load_batch_state,
    save_batch_state,
    update_batch_progress,
)
from statewatch.core.errors import ConflictError, NotFoundError, RefusedError
from tests.support import SAMPLE, replace

ROOT = Path(__file__).parents[2]
FIELDS_OF_THE_OLDEST_OWNER = 20
WORKERS, EACH = 4, 100
WHOLE: Any = 0.0
DIGIT: Any = "0"


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand deep inside a project."""
    deep = tmp_path / "project" / "src" / "deep"
    deep.mkdir(parents=True)
    (tmp_path / "project" / ".git").mkdir()
    monkeypatch.chdir(deep)
    return tmp_path / "project"


def on_disk(manager: BatchStateManager) -> Any:
    return json.loads(manager.state_file.read_bytes())


def crew(*commands: tuple[str, ...]) -> list[list[str]]:
    """Run workers at once; return the lines that each printed after it was ready."""
    workers = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.managers.batch_workers", *command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )
        for command in commands
    ]
    for worker in workers:
        assert worker.stdout is not None
        assert worker.stdout.readline() == "ready\n"
    told = []
    for worker in workers:
        assert worker.stdin is not None
        worker.stdin.write("\n")
        worker.stdin.flush()
    for worker in workers:
        told.append(worker.communicate(timeout=60)[0].split("\n")[:-1])
        assert worker.returncode == 0
    return told


# --- the class


def test_a_batch_is_worked_through_interrupted_and_taken_up_again(project: Path) -> None:
    manager = BatchStateManager.create(["login", "logout", "docs"])
    assert manager.state_file == project / ".claude" / f"batch_state_{manager.batch_id}.json"
    assert stat.S_IMODE(manager.state_file.stat().st_mode) == 0o600
    assert (manager.get_next_feature(), manager.get_next_feature()) == ("login", "login")
    manager.mark_completed("login", tokens=149_999)
    assert not manager.should_clear_context()
    manager.mark_failed("logout", "tests failed")
    manager.save()
    again = BatchStateManager.load(manager.batch_id)
    assert (again.completed, again.current_index, again.status) == (["login"], 2, "in_progress")
    assert [(each["feature"], each["error"]) for each in again.failed] == [("logout", "tests failed")]
    assert again.get_next_feature() == "docs"
    again.mark_skipped("docs", "later")
    assert (again.get_next_feature(), again.status, again.is_complete) == (None, "failed", False)
    again.retry("logout")
    assert (again.get_next_feature(), again.status) == ("logout", "in_progress")
    again.mark_completed(1)
    assert (manager.status, manager.pending, manager.last_updated > manager.created_at) == ("completed", [], True)
    assert "completed  2/3" in manager.summary().format_summary()


def test_the_context_is_to_be_cleared_from_a_limit_on() -> None:
    manager = BatchStateManager.create(["a"], token_limit=100)
    manager.add_tokens(100)
    assert manager.should_clear_context()
    assert not manager.should_clear_context(101)
    manager.record_context_clear()
    assert (manager.context_tokens, on_disk(manager)["auto_clear_count"]) == (0, 1)
    assert on_disk(manager)["auto_clear_events"][0]["context_tokens_before_clear"] == 100
    assert not BatchStateManager.create(["b"]).should_clear_context()
    assert BatchStateManager.create(["b"]).token_limit == 150_000


def test_the_file_has_only_what_the_oldest_version_of_its_owner_knows() -> None:
    manager = BatchStateManager.create(["a", "b"])
    names = list(on_disk(manager))
    manager.get_next_feature()
    manager.mark_failed("a", "x")
    manager.record_git("b", "commit", True, sha="abc")
    manager.retry("a")
    assert len(names) == FIELDS_OF_THE_OLDEST_OWNER
    assert list(on_disk(manager)) == names
    manager.mark_skipped("a", "later")
    assert list(on_disk(manager)) == [*names, "skipped_features"]


def test_order_and_dependencies_are_honoured() -> None:
    manager = BatchStateManager.create(["a", "b", "c"], feature_order=[2, 1, 0], feature_dependencies={2: [0]})
    order = []
    while (feature := manager.get_next_feature()) is not None:
        manager.mark_completed(feature)
        order.append(feature)
    assert order == ["b", "a", "c"]


def test_items_of_the_same_name_are_done_one_after_the_other() -> None:
    manager = BatchStateManager.create(["same", "same", "other"])
    for feature in ("same", "same"):
        manager.mark_completed(feature)
    assert (on_disk(manager)["completed_features"], manager.current_index) == ([0, 1], 2)


def test_four_processes_that_mark_a_hundred_items_each_lose_none() -> None:
    manager = BatchStateManager.create([f"item {index}" for index in range(WORKERS * EACH + 1)])
    path = str(manager.state_file)
    crew(*(("mark", path, str(number * EACH), str(EACH)) for number in range(WORKERS)))
    assert len(manager.completed) == WORKERS * EACH
    assert (manager.status, manager.current_index) == ("in_progress", WORKERS * EACH)
    manager.mark_completed(WORKERS * EACH)
    assert manager.status == "completed"


def test_processes_that_share_a_large_file_lose_none_and_change_nothing_else() -> None:
    manager = BatchStateManager.create([f"item {index} {'ü' * 40}" for index in range(WORKERS * EACH)])
    spelled = '"git_operations": {\n    "7": {\n      "took": 1.50\n    }\n  }'
    text = manager.state_file.read_text()
    assert len(text) > 64 * 1024
    assert '"git_operations": {}' in text
    replace(
        manager.state_file,
        text.replace('"git_operations": {}', spelled).replace('"status"', '"ours": 1E2,\n  "status"'),
    )
    path = str(manager.state_file)
    crew(*(("mark", path, str(number * EACH), str(EACH)) for number in range(WORKERS)))
    assert sorted(on_disk(manager)["completed_features"]) == list(range(WORKERS * EACH))
    assert manager.status == "completed"
    written = manager.state_file.read_text()
    assert spelled in written
    assert '"ours": 1E2' in written
    assert manager.features[3] == f"item 3 {'ü' * 40}"


def test_a_large_file_with_a_field_that_occurs_twice_is_refused_and_left_as_it_is() -> None:
    manager = BatchStateManager.create([f"item {index} {'x' * 400}" for index in range(200)])
    manager.mark_completed(0)
    twice = manager.state_file.read_text().replace('"status"', '"status": "paused",\n  "status"')
    replace(manager.state_file, twice)
    with pytest.raises(BatchStateError, match="'status' occurs twice in one object"):
        manager.mark_completed(1)
    assert manager.state_file.read_text() == twice


def test_processes_that_work_through_a_batch_together_take_every_item_once() -> None:
    manager = BatchStateManager.create([f"item {index}" for index in range(60)])
    told = crew(*[("take", str(manager.state_file))] * 3)
    assert sorted(each for lines in told for each in lines) == sorted(manager.features)
    assert manager.status == "completed"
    assert manager.at_work() == {}


def test_what_a_killed_process_was_at_work_on_is_interrupted_and_the_next_one_goes_on() -> None:
    manager = BatchStateManager.create(["a", "b", "c"])
    manager.mark_completed("a")
    worker = subprocess.run(
        [sys.executable, "-m", "tests.managers.batch_workers", "die", str(manager.state_file)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=60,
        check=False,
    )
    assert worker.stdout == "b\n"
    assert list(manager.at_work()) == [1]
    assert manager.get_next_feature() == "c"
    assert [(each["feature"], each["error"][:11]) for each in manager.failed] == [("b", "Interrupted")]
    assert manager.completed == ["a"]


def test_nothing_is_taken_from_a_paused_batch_and_what_was_taken_can_be_finished() -> None:
    manager = BatchStateManager.create(["a", "b"])
    assert manager.get_next_feature() == "a"
    manager.pause()
    assert manager.get_next_feature() == "a"
    manager.mark_completed("a")
    assert (manager.get_next_feature(), manager.status, manager.at_work()) == (None, "paused", {})
    manager.resume()
    assert manager.get_next_feature() == "b"


@pytest.mark.parametrize(
    "call",
    [
        lambda manager: manager.mark_completed(1.0),
        lambda manager: manager.mark_completed(None),
        lambda manager: manager.mark_completed("a", tokens=1.5),
        lambda manager: manager.mark_skipped("a", Path("x")),
        lambda manager: manager.record_git("a", "commit", True, at=float("nan")),
        lambda manager: statewatch.mark_feature_status(manager.state_file, WHOLE, "completed"),
        lambda manager: statewatch.increment_retry_count(manager.state_file, DIGIT),
        lambda _: BatchStateManager.load(None),  # type: ignore[arg-type]
        lambda _: BatchStateManager.create(["a"], state_file="a\0b.json"),
        lambda _: load_batch_state("a\0b.json"),
    ],
)
def test_what_would_spoil_the_file_is_refused_and_the_file_is_as_it_was(call: Any) -> None:
    manager = BatchStateManager.create(["a", "b"])
    before = manager.state_file.read_bytes()
    with pytest.raises(BatchStateError):
        call(manager)
    assert manager.state_file.read_bytes() == before


def test_a_failure_without_an_error_says_that_it_is_unknown() -> None:
    manager = BatchStateManager.create(iter(["a", "b"]))
    manager.mark_failed("a", None)
    manager.mark_failed("b", OSError("no room"))
    assert [each["error"] for each in manager.failed] == ["Unknown error", "no room"]
    assert "--resume --retry-failed" in manager.summary().resume_command


def test_another_batch_in_the_place_of_this_one_is_not_written_to() -> None:
    manager = BatchStateManager.create(["a", "b"], state_file="batch.json")
    manager.get_next_feature()
    other = json.dumps({**on_disk(manager), "batch_id": "other"})
    replace(manager.state_file, other)
    with pytest.raises(ConflictError, match="holds the batch 'other' now"):
        manager.mark_completed("a")
    with pytest.raises(ConflictError, match="holds the batch 'other' now"):
        manager.get_next_feature()
    assert manager.state_file.read_text() == other


@pytest.mark.parametrize("name", ["../evil", "a/b", "", "x" * 200, ".hidden", "a\nb"])
def test_an_id_that_would_lead_elsewhere_is_refused(name: str, project: Path) -> None:
    if name:
        with pytest.raises(RefusedError, match="cannot be the id"):
            BatchStateManager.create(["a"], name)
    with pytest.raises(BatchStateError):
        BatchStateManager.load(name)
    assert not list(project.glob("*.json"))


def test_a_batch_is_never_put_in_the_place_of_another() -> None:
    first = BatchStateManager.create(["a"], "nightly")
    with pytest.raises(ConflictError, match="a file already"):
        BatchStateManager.create(["b"], "nightly")
    assert first.features == ["a"]
    with pytest.raises(NotFoundError, match="there is nightly"):
        BatchStateManager.load("nightli")


@pytest.mark.parametrize(
    ("name", "places"),
    [
        ("batch_index_out_of_range", ["/total_features", "/completed_features/2", "found 99"]),
        ("batch_names_not_indices", ["/features_file: expected a text, found nothing"]),
        ("batch_features_dicts", ["/features_file", "/current_index", "/status"]),
    ],
)
def test_a_program_is_told_what_is_wrong_with_a_file_and_where(name: str, places: list[str]) -> None:
    path = SAMPLE / "broken" / f"{name}.json"
    for load in (BatchStateManager.load, load_batch_state):
        with pytest.raises(InvalidBatchError) as caught:
            load(path)
        assert isinstance(caught.value, ValueError)
        assert all(place in str(caught.value) for place in places)


def test_unknown_fields_of_a_file_that_people_edited_stay(tmp_path: Path) -> None:
    path = tmp_path / "edited.json"
    path.write_bytes((SAMPLE / "broken" / "batch_hand_edited.json").read_bytes())
    before = json.loads(path.read_bytes())
    manager = BatchStateManager.load(path)
    assert manager.get_next_feature() == before["features"][24]
    manager.mark_completed(24)
    state = load_batch_state(path)
    assert state.unknown == {"started_at": before["started_at"], "notes": "edited by hand"}
    state.quality_metrics["24"] = {"coverage": 80}
    save_batch_state(path, state)
    after = json.loads(path.read_bytes())
    assert list(after) == list(before)
    changed = {name for name in after if after[name] != before[name]}
    assert changed == {"completed_features", "current_index", "quality_metrics"}


# --- the functions


def test_the_functions_do_what_their_callers_expect(tmp_path: Path) -> None:
    path = tmp_path / "batch_state.json"
    state = create_batch_state("features.txt", ["a", "b", "c"], issue_numbers=[7, 8, 9], source_type="issues")
    save_batch_state(path, state)
    update_batch_progress(path, 0, "completed", 5_000)
    update_batch_progress(str(path), 2, "failed", token_delta=150_000, error_message="boom")
    state = load_batch_state(path)
    assert (state.completed_features, state.current_index, state.status) == ([0], 3, "in_progress")
    assert statewatch.should_auto_clear(state)
    assert statewatch.get_next_pending_feature(state) == "b"
    statewatch.record_auto_clear_event(path, 2, state.context_token_estimate)
    statewatch.increment_retry_count(path, 2)
    statewatch.mark_feature_status(path, 2, "completed")
    statewatch.mark_feature_skipped(path, 1, "not now", "quality_gate")
    state = load_batch_state(path)
    assert (state.failed_features, state.retry_attempts, state.auto_clear_count) == ([], {2: 1}, 1)
    assert (state.skipped_features[0]["category"], state.status) == ("quality_gate", "completed")
    assert statewatch.get_next_pending_feature(state) is None
    state = statewatch.record_git_operation(state, 0, "commit", True, commit_sha="abc", branch="main")
    save_batch_state(path, state)
    operations = statewatch.get_feature_git_status(load_batch_state(path), 0)
    assert operations is not None
    assert (operations["commit"]["sha"], operations["commit"]["success"]) == ("abc", True)
    assert statewatch.get_feature_git_status(state, 1) is None
    summary = statewatch.generate_completion_summary(load_batch_state(path))
    assert (summary.completed_count, summary.issues_completed, summary.resume_command) == (2, [7, 9], "")
    statewatch.cleanup_batch_state(path)
    assert not path.exists()
    statewatch.cleanup_batch_state(path)


def test_two_who_save_a_whole_batch_lose_nothing_of_each_other(tmp_path: Path) -> None:
    path = tmp_path / "batch_state.json"
    save_batch_state(path, create_batch_state(features=["a", "b", "c"]))
    mine, theirs = load_batch_state(path), load_batch_state(path)
    mine.completed_features.append(0)
    theirs.completed_features.append(1)
    theirs.context_token_estimate += 7
    save_batch_state(path, theirs)
    save_batch_state(path, mine)
    saved = load_batch_state(path)
    assert (sorted(saved.completed_features), saved.context_token_estimate) == ([0, 1], 7)
    other = create_batch_state(features=["x"])
    with pytest.raises(BatchStateError, match="was not saved there"):
        save_batch_state(path, other)


@pytest.mark.parametrize(
    ("fields", "place"),
    [
        ({"status": "banana"}, "/status"),
        ({"completed_features": [99]}, "/completed_features/0"),
        ({"features": ["a"]}, "/total_features"),
        ({"quality_metrics": {"at": {1}}}, "/quality_metrics/at"),
    ],
)
def test_a_batch_that_could_not_be_loaded_again_is_not_saved(tmp_path: Path, fields: Any, place: str) -> None:
    path = tmp_path / "batch_state.json"
    new = create_batch_state(features=["a", "b", "c"])
    save_batch_state(path, new)
    before = path.read_bytes()
    for file, state in (
        (path, load_batch_state(path)),
        (tmp_path / "new.json", create_batch_state(features=["a", "b"])),
    ):
        for name, value in fields.items():
            setattr(state, name, value)
        with pytest.raises(BatchStateError, match=f"{place}.*Nothing was saved"):
            save_batch_state(file, state)
    assert path.read_bytes() == before
    assert not (tmp_path / "new.json").exists()


@pytest.mark.parametrize("arguments", [{}, {"features": []}, {"features": ["a"], "batch_id": "../x"}])
def test_a_batch_of_nothing_is_refused(arguments: Any) -> None:
    with pytest.raises(BatchStateError):
        create_batch_state(**arguments)


def test_what_a_call_asks_for_wrongly_is_said(tmp_path: Path) -> None:
    path = tmp_path / "batch_state.json"
    with pytest.raises(BatchStateError, match="no batch state"):
        update_batch_progress(path, 0, "completed")
    with pytest.raises(BatchStateError, match="no such file"):
        load_batch_state(path)
    save_batch_state(path, create_batch_state(features=["a"]))
    with pytest.raises(ValueError, match="'completed' or 'failed'"):
        update_batch_progress(path, 0, "done")
    with pytest.raises(BatchStateError, match="numbered 0 to 0"):
        update_batch_progress(path, 1, "completed")
    path.write_bytes(b"{")
    with pytest.raises(BatchStateError, match="not JSON"):
        load_batch_state(path)


def test_the_methods_that_existing_programs_call_are_there(tmp_path: Path) -> None:
    manager = BatchStateManager(tmp_path / "batch_state.json")
    state: BatchState = manager.create_batch_state(["a", "b"], "mine", [1, 2])
    manager.save_batch_state(state)
    manager.update_batch_progress(0, "completed", 10)
    assert manager.get_next_pending_feature() == "b"
    assert not manager.should_auto_clear()
    assert manager.load_state() == manager.load_batch_state()
    named = manager.create_batch(["a"], "features.txt", "mine")
    assert (named.features_file, named.batch_id) == ("features.txt", "mine")
    manager.cleanup_state()
    assert not os.path.exists(manager.state_file)  # noqa: PTH110
