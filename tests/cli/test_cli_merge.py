"""`merge`: two people, or two branches, have changed one document."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from statewatch.core import audit
from tests.cli.conftest import ROOT, Stage, hook, write_json
from tests.support import SAMPLE


def three(stage: Stage, base: Any, ours: Any, theirs: Any) -> tuple[Path, Path, Path]:
    documents = {"base": base, "ours": ours, "theirs": theirs}
    return tuple(write_json(stage.project / f"{name}.json", each) for name, each in documents.items())  # type: ignore[return-value]


CLEAN = ({"a": 1, "b": 1}, {"a": 2, "b": 1}, {"a": 1, "b": 3})
BOTH = ({"a": 1, "b": 1}, {"a": 2, "b": 1}, {"a": 5, "b": 3})


def test_what_either_changed_is_in_the_result(stage: Stage) -> None:
    result = stage.run("merge", *three(stage, *CLEAN))
    assert (result.exit_code, json.loads(result.stdout), result.stderr) == (0, {"a": 2, "b": 3}, "")


def test_conflicts_are_named_and_ours_is_there_meanwhile(stage: Stage) -> None:
    files = three(stage, *BOTH)
    result = stage.run("merge", *files)
    assert (result.exit_code, json.loads(result.stdout)) == (1, {"a": 2, "b": 3})
    assert "ours.json: conflict at /a: it was 1; ours 2; theirs 5; the result has 2" in result.stderr
    told = stage.json("merge", *files, code=1)
    assert (told["settled"], told["document"]) == (False, {"a": 2, "b": 3})
    assert told["conflicts"] == [{"path": "/a", "base": 1, "ours": 2, "theirs": 5, "result": 2}]


@pytest.mark.parametrize(("strategy", "a"), [("first_write_wins", 2), ("last_write_wins", 5), ("merge", 5)])
def test_a_strategy_leaves_nothing_to_settle(stage: Stage, strategy: str, a: int) -> None:
    told = stage.json("merge", *three(stage, *BOTH), "--strategy", strategy)
    assert (told["settled"], told["document"]) == (True, {"a": a, "b": 3})


def test_statistics_and_times_are_no_conflict_and_are_told(stage: Stage) -> None:
    files = [
        stage.write_hooks(stage.project / f"{each}.json", a=hook(), b=hook()) for each in ("base", "ours", "theirs")
    ]
    for path, name, count in ((files[1], "a", 50), (files[2], "b", 45)):
        document = json.loads(path.read_text())
        document["hooks"][name] = hook("open")
        document["global_stats"]["total_executions"] = count
        write_json(path, document)
    result = stage.run("merge", *files)
    merged = json.loads(result.stdout)
    assert (result.exit_code, merged["global_stats"]["total_executions"]) == (0, 50)
    assert [record["state"] for record in merged["hooks"].values()] == ["open", "open"]
    assert "only times differ, or what follows from the rest" in result.stderr


def test_in_place_it_is_an_action(stage: Stage) -> None:
    files = three(stage, *BOTH)
    before = files[1].read_text()
    assert stage.run("merge", *files, "--in-place").exit_code == 2  # nobody to ask
    assert stage.run("merge", *files, "--in-place", "--dry-run").stdout == "~ /b: 1 → 3\n"
    assert files[1].read_text() == before
    result = stage.run("merge", *files, "--in-place", "--yes", "--why", "both at it", "--settle", "0")
    assert (result.exit_code, json.loads(files[1].read_text())) == (1, {"a": 2, "b": 3})
    assert "Note: conflict at /a: ours is kept" in result.stderr
    assert [(record.action, record.why) for record in audit.records()] == [("merge", "both at it")]
    assert stage.run("undo", "--yes", "--settle", "0").exit_code == 0
    assert files[1].read_text() == before


def test_the_result_goes_to_a_file_of_its_own(stage: Stage) -> None:
    files = three(stage, *CLEAN)
    target = stage.project / "merged.json"
    for _ in range(2):
        result = stage.run("merge", *files, "-o", target, "--yes", "--settle", "0")
        assert (result.exit_code, json.loads(target.read_text())) == (0, {"a": 2, "b": 3}), result.stderr
    assert [json.loads(path.read_text()) for path in files] == list(CLEAN)


@pytest.mark.parametrize(
    "words",
    [
        ("base.json", "ours.json", "no.json"),
        ("base.json", "ours.json", "broken.json"),
        ("base.json", "ours.json#/a", "theirs.json"),
        ("-", "-", "theirs.json"),
        ("base.json", "ours.json", "theirs.json", "--in-place", "--driver"),
        ("base.json", "ours.json", "theirs.json", "--in-place", "-o", "x"),
        ("base.json", "ours.json"),
    ],
)
def test_trouble_writes_nothing(stage: Stage, words: tuple[str, ...]) -> None:
    files = three(stage, *BOTH)
    (stage.project / "broken.json").write_text('{"a"')
    before = sorted(path.name for path in stage.project.iterdir())
    result = stage.run("merge", *words, "--yes")
    assert (result.exit_code, result.stdout) == (2, "")
    assert sorted(path.name for path in stage.project.iterdir()) == before
    assert json.loads(files[1].read_text()) == BOTH[1]


def test_git_is_not_given_what_may_not_be_merged(stage: Stage) -> None:
    signed = json.loads((SAMPLE / "project/.claude/local/implement_pipeline_state.json").read_text())
    files = three(stage, signed, {**signed, "mode": "light"}, {**signed, "baseline_count": 1})
    before = files[1].read_text()
    result = stage.run("merge", "--driver", *files)
    assert (result.exit_code, files[1].read_text()) == (2, before)
    assert "it is signed" in result.stderr
    store = stage.run("merge", "--driver", files[0], "sqlite:x?namespace=n", files[2])
    assert store.exit_code == 2
    assert "Traceback" not in store.stderr


def test_git_is_told_which_file_and_whose_is_broken(stage: Stage) -> None:
    """Git hands over temporary files, whose names mean nothing to anybody."""
    files = three(stage, *BOTH)
    files[2].write_text('{"a": ')
    before = files[1].read_bytes()
    result = stage.run("merge", "--driver", "--name", ".claude/state.json", *files)
    assert (result.exit_code, files[1].read_bytes()) == (2, before)
    assert ".claude/state.json (theirs): not JSON at line" in result.stderr
    assert files[2].name not in result.stderr


class Repository:
    """A git repository in the project, which merges JSON as the help says."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.file = stage.project / ".claude" / "hook_state.json"
        self("init", "-q", "-b", "main")
        (stage.project / ".gitattributes").write_text(".claude/**/*.json merge=statewatch\n")
        driver = f"{sys.executable} -m statewatch merge --driver --name %P %O %A %B"
        self("config", "merge.statewatch.driver", driver)

    def __call__(self, *words: str, code: int = 0) -> str:
        variables = {
            "PYTHONPATH": str(ROOT),
            "GIT_CONFIG_GLOBAL": os.devnull,
            **{f"GIT_{who}_{what}": "me@example.com" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
        }
        done = subprocess.run(
            ["git", *words],
            cwd=self.stage.project,
            env={**os.environ, **variables},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr

    def commit(self, text: str | None = None, **hooks: Any) -> None:
        """Commit a hook state, or any text in its place."""
        self.stage.write_hooks(self.file, **hooks)
        if text is not None:
            self.file.write_text(text)
        self("add", ".")
        self("commit", "-q", "-m", "state")

    def branches(self, base: dict[str, Any], ours: dict[str, Any], theirs: dict[str, Any]) -> None:
        """Commit what three versions hold; `main` has ours."""
        self.commit(**base)
        self("checkout", "-q", "-b", "theirs")
        self.commit(**theirs)
        self("checkout", "-q", "main")
        self.commit(**ours)


@pytest.fixture
def git(stage: Stage) -> Repository:
    """Return an empty repository."""
    (stage.project / ".git").rmdir()
    return Repository(stage)


def test_git_merges_what_its_own_merge_would_not(git: Repository) -> None:
    git.branches(
        {"a": hook(), "b": hook()},
        {"a": hook("open"), "b": hook(), "x": hook()},
        {"a": hook(), "b": hook(), "y": hook()},
    )
    git("merge", "-q", "theirs", "-m", "merged")
    hooks = json.loads(git.file.read_text())["hooks"]
    assert [(name, record["state"]) for name, record in hooks.items()] == [
        ("a", "open"),
        ("b", "closed"),
        ("x", "closed"),
        ("y", "closed"),
    ]
    assert git("status", "--porcelain") == ""
    assert not git.stage.state.exists()  # git keeps what was; it is no action


def test_git_is_told_of_conflicts_by_path(git: Repository) -> None:
    git.branches({"a": hook()}, {"a": hook("open")}, {"a": hook("half_open")})
    told = git("merge", "theirs", code=1)
    assert ".claude/hook_state.json: conflict at /hooks/a/state: " in told
    assert json.loads(git.file.read_text())["hooks"]["a"]["state"] == "open"
    assert git("status", "--porcelain").startswith("UU ")


def test_git_gives_no_base_where_both_added_the_file(git: Repository) -> None:
    git("add", ".gitattributes")
    git("commit", "-q", "-m", "nothing yet")
    git("checkout", "-q", "-b", "theirs")
    git.commit(y=hook())
    git("checkout", "-q", "main")
    git.commit(x=hook())
    git("merge", "-q", "theirs", "-m", "merged")
    assert list(json.loads(git.file.read_text())["hooks"]) == ["x", "y"]


def test_what_is_not_json_is_left_to_whoever_merges(git: Repository) -> None:
    git.branches({"a": hook()}, {"a": hook("open")}, {"text": "not json"})
    assert "not JSON" in git("merge", "theirs", code=1)
    assert json.loads(git.file.read_text())["hooks"]["a"]["state"] == "open"


def test_the_spelling_of_ours_stays(git: Repository) -> None:
    git.commit('{"a": 1.50, "b": [1, 2],\n "c": 1}')
    git("checkout", "-q", "-b", "theirs")
    git.commit('{"a": 1.50, "b": [1, 2],\n "c": 2}')
    git("checkout", "-q", "main")
    git.commit('{"a": 1.50, "b": [1,   2, 3],\n "c": 1}')
    git("merge", "-q", "theirs", "-m", "merged")
    assert git.file.read_text() == '{"a": 1.50, "b": [1,   2, 3],\n "c": 2}'
