"""Directories on a real file system: found, bounded, and found again when they were replaced."""

import os
import shutil
from pathlib import Path

import pytest

from statewatch.watch.discovery import Level
from statewatch.watch.scope import Root
from statewatch.watch.tree import Tree
from tests.support import replace, until


def tree_of(path: Path, ordinary: int = 3, most: int = 1_000) -> Tree:
    tree = Tree([Root(str(path), Level(ordinary=ordinary))], most)
    tree.check()
    return tree


def put(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("{}")
    return path


def found(tree: Tree, below: Path) -> set[str]:
    return {os.path.relpath(path, below) for path in tree.candidates}


def test_a_project_is_looked_at_in_its_root_and_its_claude_tree(tmp_path: Path) -> None:
    for place in (
        "batch_state.json",
        ".claude/batch_state.json",
        ".claude/workflows/adw-1/state.json",
        ".claude/local/deep/er/my_batch.json",
        "src/batch_state.json",
        ".claude.backup.1/batch_state.json",
        ".git/batch_state.json",
        ".claude/notes.json",
    ):
        put(tmp_path / place)
    assert found(tree_of(tmp_path, ordinary=0), tmp_path) == {
        "batch_state.json",
        ".claude/batch_state.json",
        ".claude/workflows/adw-1/state.json",
        ".claude/local/deep/er/my_batch.json",
    }


def test_a_directory_is_looked_through_to_a_small_depth(tmp_path: Path) -> None:
    for place in ("a/b/c", "a/b/c/d", "node_modules", ".hidden", "a/.claude/x", "env/lib"):
        put(tmp_path / place / "batch_state.json")
    put(tmp_path / "env" / "pyvenv.cfg")
    assert found(tree_of(tmp_path), tmp_path) == {"a/b/c/batch_state.json", "a/.claude/x/batch_state.json"}


def test_a_checkout_inside_a_tree_is_looked_at_as_a_project_is(tmp_path: Path) -> None:
    worktree = tmp_path / ".claude" / "worktrees" / "w"
    put(worktree / ".claude" / "batch_state.json")
    put(worktree / "src" / "batch_state.json")
    put(worktree / ".git")
    assert found(tree_of(tmp_path), tmp_path) == {".claude/worktrees/w/.claude/batch_state.json"}


def test_links_are_followed_once_and_loops_end(tmp_path: Path) -> None:
    put(tmp_path / "real" / "batch_state.json")
    (tmp_path / "p").mkdir()
    (tmp_path / "p" / ".claude").symlink_to(tmp_path / "real")
    (tmp_path / "real" / "again").symlink_to(tmp_path / "real")
    (tmp_path / "real" / "self").symlink_to("self")
    (tmp_path / "real" / "up").symlink_to(tmp_path / "p")
    assert found(tree_of(tmp_path / "p"), tmp_path) == {"p/.claude/batch_state.json"}


def test_the_number_of_directories_is_bounded_and_the_near_ones_win(tmp_path: Path) -> None:
    for number in range(30):
        put(tmp_path / f"d{number}" / "deep" / "batch_state.json")
    put(tmp_path / "z" / "hook_state.json")
    tree = tree_of(tmp_path, most=40)
    assert tree.is_cut_short
    assert len(tree.directories) == 40
    assert "z/hook_state.json" in found(tree, tmp_path)


def test_what_comes_and_goes_is_noticed(tmp_path: Path) -> None:
    tree = tree_of(tmp_path / "later")
    assert tree.candidates == {}
    put(tmp_path / "later" / "batch_state.json")
    tree.check()
    assert found(tree, tmp_path) == {"later/batch_state.json"}
    put(tmp_path / "later" / "sub" / "batch_state.json")
    tree.check()
    assert found(tree, tmp_path) == {"later/batch_state.json", "later/sub/batch_state.json"}
    shutil.rmtree(tmp_path / "later" / "sub")
    tree.check()
    assert found(tree, tmp_path) == {"later/batch_state.json"}
    shutil.rmtree(tmp_path / "later")
    tree.check()
    assert tree.candidates == {}
    assert tree.directories == {}


def test_a_directory_that_was_replaced_is_another_one(tmp_path: Path) -> None:
    put(tmp_path / "d" / "batch_state.json")
    tree = tree_of(tmp_path / "d")
    before = tree.directories
    (tmp_path / "d").rename(tmp_path / "old")
    put(tmp_path / "d" / "hook_state.json")
    tree.check()
    assert found(tree, tmp_path) == {"d/hook_state.json"}
    assert tree.directories.keys() == before.keys()
    assert tree.directories != before


def test_a_directory_that_becomes_a_file_is_no_directory(tmp_path: Path) -> None:
    put(tmp_path / "r" / "d" / "batch_state.json")
    tree = tree_of(tmp_path / "r")
    shutil.rmtree(tmp_path / "r" / "d")
    put(tmp_path / "r" / "d")
    tree.check()
    assert tree.candidates == {}


def test_names_that_are_not_utf8_are_names(tmp_path: Path) -> None:
    directory = os.fsencode(tmp_path) + b"/d\xff"
    os.mkdir(directory)  # noqa: PTH102
    put(Path(os.fsdecode(directory + b"/batch_state_\xfe.json")))
    assert found(tree_of(tmp_path), tmp_path) == {"d\udcff/batch_state_\udcfe.json"}


def test_only_events_that_matter_cause_a_listing(tmp_path: Path) -> None:
    put(tmp_path / "batch_state.json")
    tree = tree_of(tmp_path)
    until(lambda: not _is_young(tmp_path))
    tree.check()
    for name in ("run.log", ".batch_state.json.tmp", "state.tmp"):
        put(tmp_path / name)
        assert not tree.touch(str(tmp_path / name))
    put(tmp_path / "hook_state.json")
    assert tree.touch(str(tmp_path / "hook_state.json"))
    put(tmp_path / "sub" / "my_batch.json")
    assert tree.touch(str(tmp_path / "sub"))
    assert found(tree, tmp_path) == {"batch_state.json", "hook_state.json", "sub/my_batch.json"}
    assert not tree.touch("/nowhere/batch_state.json")


def _is_young(path: Path) -> bool:
    import time

    return time.time() - path.stat().st_mtime < 0.05


def test_a_directory_that_cannot_be_read_keeps_what_it_had(tmp_path: Path) -> None:
    put(tmp_path / "batch_state.json")
    tree = tree_of(tmp_path)
    real = os.scandir

    def refuse(path: str) -> "os._ScandirIterator[str]":
        if path == str(tmp_path):
            raise PermissionError(13, "no", path)
        return real(path)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "scandir", refuse)
        replace(tmp_path / "x", "")
        tree.check()
    assert found(tree, tmp_path) == {"batch_state.json"}


def test_where_everybody_writes_only_the_users_own_files_of_some_kinds_are_candidates(tmp_path: Path) -> None:
    for name in (
        "pipeline_state_a1.json",
        "batch_state.json",
        "deep/pipeline_state_b2.json",
        ".claude/batch_state.json",
    ):
        put(tmp_path / name)
    if os.geteuid() == 0:
        os.chown(put(tmp_path / "pipeline_state_theirs.json"), 4_321, -1)
    tree = Tree([Root(str(tmp_path), Level(only=frozenset({"pipeline"})))])
    tree.check()
    assert found(tree, tmp_path) == {"pipeline_state_a1.json"}
    put(tmp_path / "pipeline_state_c3.json")
    tree.touch(str(tmp_path / "pipeline_state_c3.json"))
    assert found(tree, tmp_path) == {"pipeline_state_a1.json", "pipeline_state_c3.json"}
