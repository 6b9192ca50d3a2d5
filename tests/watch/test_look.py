"""One look at real data: what is shown is what is true, and broken files are told as such."""

import json
import os
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from statewatch.kinds.batch import COMPLETED, FAILED, SKIPPED, BatchView
from statewatch.kinds.hooks import HooksView, Policy
from statewatch.kinds.workflow import WorkflowView
from statewatch.watch.picture import Picture
from statewatch.watch.scope import scope_of
from statewatch.watch.watcher import look
from tests.support import SAMPLE, World, copy_of_sample, labelled, labels

TRUTH: dict[str, Any] = json.loads((SAMPLE / "truth.json").read_text())


@pytest.fixture(scope="module")
def picture(tmp_path_factory: pytest.TempPathFactory) -> Picture:
    world = copy_of_sample(tmp_path_factory.mktemp("world"))
    return look(world.scope, now=1_794_900_000.0)


def test_everything_is_found_and_nothing_else(picture: Picture) -> None:
    assert labels(picture) == [
        ".claude/batch_state.json",
        ".claude/batch_state_docs.json",
        ".claude/workflows/adw-4c973d9a/state.json",
        ".claude/workflows/adw-63f8bd05/state.json",
        ".claude/workflows/adw-81aa02fe/state.json",
        ".claude/workflows/adw-new00001/state.json",
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
        if isinstance(source.view, WorkflowView):
            found[source.view.workflow_id] = source.view.status
    assert found == {
        "adw-4c973d9a": "completed",
        "adw-63f8bd05": "failed",
        "adw-81aa02fe": "running",
        "adw-new00001": "initialized",
    }


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
    assert picture.watching.looked_in == (str(tmp_path / "project"), str(tmp_path / "project/.claude"), "~/.claude")
