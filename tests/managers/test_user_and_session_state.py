"""What is remembered of a user and between sessions: defaults, several programs at once, and damage."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from statewatch import SessionStateManager, StateException, UserStateManager
from statewatch.core import copies
from statewatch.kinds.registry import kind_of
from statewatch.managers import user_state
from tests.managers.running import at_once
from tests.support import SAMPLE

USER = SAMPLE / "home" / ".autonomous-dev" / "user_state.json"
SESSION = SAMPLE / "project" / ".claude" / "local" / "SESSION_STATE.json"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a project in which we stand."""
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


class TestUserState:
    """Preferences and the first run."""

    def test_the_first_run(self) -> None:
        manager = UserStateManager()
        assert manager.is_first_run()
        manager.record_first_run_complete()
        manager.set_preference("editor", "nvim")
        assert not manager.state_file.exists()  # until it is saved
        manager.save()
        assert manager.state_file == Path.home() / ".autonomous-dev" / "user_state.json"
        assert manager.state_file.stat().st_mode & 0o777 == 0o600
        again = UserStateManager()
        assert not again.is_first_run()
        assert again.get_preference("editor") == "nvim"
        assert again.get_preference("theme", "dark") == "dark"
        assert kind_of(json.loads(manager.state_file.read_bytes())).name == "user state"

    def test_a_file_that_another_program_began_is_completed(self, tmp_path: Path) -> None:
        file = tmp_path / "user_state.json"
        file.write_text('{"batch_retry_enabled": true}')
        manager = UserStateManager(file)
        assert manager.is_first_run()
        assert manager.get_preference("x") is None
        manager.set_preference("x", 1)
        manager.save()
        assert json.loads(file.read_bytes()) == {
            "batch_retry_enabled": True,
            "first_run_complete": False,
            "preferences": {"x": 1},
            "version": "1.0",
        }

    def test_two_programs_that_loaded_the_same_lose_nothing(self, tmp_path: Path) -> None:
        file = tmp_path / "user_state.json"
        shutil.copy(USER, file)
        one, other = UserStateManager(file), UserStateManager(file)
        one.set_preference("editor", "helix")
        other.set_preference("default_mode", "quick")
        one.save()
        other.save()
        preferences: Any = UserStateManager(file).state["preferences"]
        assert (preferences["editor"], preferences["default_mode"]) == ("helix", "quick")
        assert json.loads(file.read_bytes())["batch_retry_enabled"] is True

    def test_many_programs_at_once_lose_nothing(self, project: Path) -> None:
        at_once([[str(project), "user", f"p{number}", "25"] for number in range(4)])
        expected = {f"p{number}-{count}": count for number in range(4) for count in range(25)}
        assert UserStateManager().state["preferences"] == expected

    @pytest.mark.parametrize(
        ("content", "says"),
        [
            ("", "the file is empty"),
            ('{"preferences": {"edi', "not JSON at line 1"),
            ("[1]", "expected an object, found a list"),
            ('{"preferences": "all", "first_run_complete": true}', "/preferences: expected an object, found a text"),
        ],
    )
    def test_a_damaged_file_has_the_defaults_and_is_kept_before_it_is_replaced(
        self, tmp_path: Path, content: str, says: str
    ) -> None:
        file = tmp_path / "user_state.json"
        file.write_text(content)
        manager = UserStateManager(file)
        assert says in str(manager.problem)
        assert manager.get_preference("editor") is None
        assert file.read_text() == content
        manager.set_preference("editor", "nvim")
        manager.save()
        assert UserStateManager(file).get_preference("editor") == "nvim"
        assert UserStateManager(file).problem is None
        assert [copy.read_bytes() for copy in copies.copies_of(file)] == [content.encode()]

    def test_a_link_is_not_followed(self, tmp_path: Path) -> None:
        (tmp_path / "link.json").symlink_to(USER)
        with pytest.raises(StateException, match="symbolic link"):
            UserStateManager(tmp_path / "link.json")

    def test_the_functions_of_the_same_names(self, tmp_path: Path) -> None:
        file = tmp_path / "user_state.json"
        assert user_state.is_first_run(file)
        user_state.record_first_run_complete(file)
        user_state.set_user_preference("editor", "nvim", file)
        assert user_state.get_user_preference("editor", file) == "nvim"
        user_state.save_user_state({"first_run_complete": False}, file)
        assert user_state.load_user_state(file)["preferences"] == {"editor": "nvim"}
        assert user_state.is_first_run(file)

    def test_what_json_cannot_hold_is_refused(self, tmp_path: Path) -> None:
        manager = UserStateManager(tmp_path / "user_state.json")
        manager.set_preference("now", float("nan"))
        with pytest.raises(StateException, match="Nothing was written"):
            manager.save()


class TestSessionState:
    """What sessions hand on to one another."""

    def test_the_state_of_the_sample_is_loaded_whole(self) -> None:
        manager = SessionStateManager(SESSION)
        assert manager.load_state() == json.loads(SESSION.read_bytes())
        assert manager.get_session_summary().splitlines()[:3] == [
            "Session 20261115-180000, updated 2026-11-15T18:15:00Z",
            "Conventions: 2",
            "  - Use snake_case for functions",
        ]

    def test_what_a_session_adds_is_there_for_the_next_one(self, project: Path) -> None:
        manager = SessionStateManager()
        manager.update_context(key_conventions=["snake_case"], active_tasks=["a", "b", "a"], important_files={"x": "y"})
        manager.update_context(active_tasks=["b", "c"], repo_specific={"branch": "main"})
        manager.record_implement_completion("Ledger", ["planner"], ["src/ledger.py", "src/ledger.py"])
        state: Any = SessionStateManager().load_state()
        assert manager.state_file == project / ".claude" / "local" / "SESSION_STATE.json"
        assert state["session_context"]["active_tasks"] == ["a", "b", "c"]
        assert state["workflow_state"]["last_implement"]["feature"] == "Ledger"
        assert state["workflow_state"]["recent_files"] == ["src/ledger.py"]
        assert kind_of(state).name == "session state"
        assert manager.complete_task("b")
        assert not manager.complete_task("b")

    @pytest.mark.parametrize(
        "call",
        [
            lambda manager: manager.update_context(active_tasks="task"),
            lambda manager: manager.update_context(important_files=["a.py"]),
            lambda manager: manager.record_implement_completion(None, ["planner"]),
            lambda manager: manager.record_implement_completion("Ledger", "planner"),
        ],
    )
    def test_one_text_is_no_list_and_a_list_no_object(self, tmp_path: Path, call: Any) -> None:
        manager = SessionStateManager(tmp_path / "SESSION_STATE.json")
        with pytest.raises(StateException, match=r"(are a list|is an object|is a text), not"):
            call(manager)
        assert not manager.state_file.exists()

    def test_a_state_that_was_loaded_and_changed_is_merged_into_what_came_meanwhile(self, tmp_path: Path) -> None:
        manager = SessionStateManager(tmp_path / "SESSION_STATE.json")
        state: Any = manager.load_state()
        SessionStateManager(manager.state_file).update_context(active_tasks=["theirs"])
        state["session_context"]["active_tasks"].append("ours")
        manager.save_state(state)
        merged: Any = manager.load_state()
        assert sorted(merged["session_context"]["active_tasks"]) == ["ours", "theirs"]

    def test_many_programs_at_once_lose_nothing(self, project: Path) -> None:
        at_once([[str(project), "session", f"p{number}", "20"] for number in range(4)])
        state: Any = SessionStateManager().load_state()
        expected = sorted(f"p{number}-{count}" for number in range(4) for count in range(20))
        assert sorted(state["session_context"]["active_tasks"]) == expected

    def test_missing_parts_have_their_defaults_and_unknown_ones_stay(self, tmp_path: Path) -> None:
        file = tmp_path / "SESSION_STATE.json"
        file.write_text('{"schema_version": "1.0", "session_context": {"active_tasks": ["a"], "mood": 1}, "mine": 2}')
        manager = SessionStateManager(file)
        manager.update_context(active_tasks=["b"])
        document = json.loads(file.read_bytes())
        assert (document["mine"], document["session_context"]["mood"]) == (2, 1)
        assert document["session_context"]["active_tasks"] == ["a", "b"]
        assert document["workflow_state"]["recent_files"] == []
