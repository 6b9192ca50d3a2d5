"""What is looked at, and under which names it is shown."""

from pathlib import Path

import pytest

from statewatch.watch.scope import project_around, scope_of


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "home" / "code" / "proj" / "src").mkdir(parents=True)
    return tmp_path / "home"


def test_the_project_is_the_nearest_parent_with_git_or_claude(home: Path) -> None:
    project = home / "code" / "proj"
    (project / ".git").mkdir()
    assert project_around(project / "src", home) == project
    (project / "src" / ".claude").mkdir()
    assert project_around(project / "src", home) == project / "src"


def test_a_worktree_has_a_git_file(home: Path) -> None:
    project = home / "code" / "proj"
    (project / ".git").write_text("gitdir: elsewhere")
    assert project_around(project / "src", home) == project


def test_the_home_is_nobodys_project_but_its_own(home: Path) -> None:
    (home / ".claude").mkdir()
    (home / ".git").mkdir()
    assert project_around(home / "work", home) == home / "work"
    assert project_around(home, home) == home


def test_without_paths_project_and_home_are_looked_at(home: Path) -> None:
    project = home / "code" / "proj"
    (project / ".git").mkdir()
    scope = scope_of((), project / "src", home, {})
    assert [root.path for root in scope.roots] == [
        str(project),
        str(home / ".claude"),
        str(home / ".autonomous-dev"),
    ]
    assert scope.looked_in == ("~/code/proj", "~/code/proj/.claude", "~/.claude", "~/.autonomous-dev")


@pytest.mark.parametrize(("variables", "place"), [({"STATEWATCH_TMP_DIR": "/var/x"}, ["/var/x"]), ({}, [])])
def test_pipelines_are_looked_for_among_temporary_files(
    tmp_path: Path, variables: dict[str, str], place: list[str]
) -> None:
    scope = scope_of((), tmp_path, tmp_path / "home", variables)
    assert [root.path for root in scope.roots if root.level.only] == place
    assert all(path in scope.looked_in for path in place)
    assert not any(root.level.only for root in scope_of([tmp_path], tmp_path, tmp_path / "home", variables).roots)


def test_labels_are_short_and_say_where(home: Path) -> None:
    project = home / "code" / "proj"
    (project / ".git").mkdir()
    scope = scope_of((), project, home, {})
    assert scope.label(str(project / ".claude" / "batch_state.json")) == ".claude/batch_state.json"
    assert scope.label(str(home / ".claude" / "hook_state.json")) == "~/.claude/hook_state.json"
    assert scope.label("/srv/runs/batch_state.json") == "/srv/runs/batch_state.json"
    assert scope.label(str(project) + "-other/x.json") == "~/code/proj-other/x.json"


def test_labels_are_harmless(home: Path) -> None:
    scope = scope_of((), home / "work", home, {})
    assert scope.label(str(home / "work" / "a\x07\udcff.json")) == "a␇\\udcff.json"


def test_a_path_may_be_a_file_a_directory_or_nothing_yet(home: Path, tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text("{}")
    scope = scope_of(["x.json", "home", "later.json", "soon/", tmp_path / "x.json"], tmp_path, home, {})
    assert scope.files == (str(tmp_path / "x.json"), str(tmp_path / "later.json"))
    assert [root.path for root in scope.roots] == [str(home), str(tmp_path / "soon")]
    assert scope.hook_states == ()


def test_the_settings_name_the_hook_state(home: Path) -> None:
    (home / ".claude").mkdir()
    (home / ".claude" / "guardrails.yaml").write_text("state_file: ~/elsewhere/hooks_of_mine.json\n")
    assert scope_of((), home / "work", home, {}).hook_states == (str(home / "elsewhere" / "hooks_of_mine.json"),)
    chosen = scope_of((), home / "work", home, {"GUARDRAILS_STATE_FILE": "/srv/h.json", "OTHER": "x"})
    assert chosen.hook_states == ("/srv/h.json",)
    assert chosen.environment == {"GUARDRAILS_STATE_FILE": "/srv/h.json"}
    assert "/srv/h.json" in chosen.looked_in


@pytest.mark.parametrize("text", ["[", 'a: !!int ""', "a: !!bool x", "state_file: [1]", "\x00", "&a [*a]"])
def test_broken_settings_leave_the_usual_place(home: Path, text: str) -> None:
    (home / ".claude").mkdir()
    (home / ".claude" / "guardrails.yaml").write_text(text)
    assert scope_of((), home / "work", home, {}).hook_states == (str(home / ".claude" / "hook_state.json"),)


def test_a_working_directory_that_was_deleted_is_no_reason_to_fail(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    monkeypatch.setenv("PWD", str(gone))
    gone.rmdir()
    assert scope_of((), None, home, {}).base == str(gone)
    monkeypatch.chdir(tmp_path)
