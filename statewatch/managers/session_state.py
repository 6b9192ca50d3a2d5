"""SessionStateManager: what a project's sessions hand on to one another, under the names that programs already use."""

import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from statewatch.core.agent_file import project_root
from statewatch.core.errors import RefusedError
from statewatch.documents.values import JSON
from statewatch.kinds.base import items, mapping, text
from statewatch.managers.agent_rules import checked_list
from statewatch.managers.merged_state import MergedState

_FILE: Final = Path(".claude", "local", "SESSION_STATE.json")
_SHOWN: Final = 5


class SessionStateManager:
    """The session state of a project, by default of the one around the current directory.

    What is missing in the file has its default; where it cannot be used all defaults hold, `problem` says why, and the
    next save keeps a safety copy of it. Programs that save at the same time lose nothing. Raises StateException.
    """

    def __init__(self, state_file: str | Path | None = None) -> None:
        root = None if state_file is not None else (project_root() or Path.cwd())
        self._file = MergedState(Path(state_file) if state_file is not None else (root or Path()) / _FILE, _blank, root)

    @property
    def state_file(self) -> Path:
        """Return where the state is."""
        return self._file.path

    @property
    def problem(self) -> str | None:
        """Return why the file could not be used when it was looked at last, None where it could."""
        return self._file.problem

    def load_state(self) -> dict[str, JSON]:
        """Return a copy of the state, completed by the defaults."""
        return self._file.load()

    def save_state(self, state: Mapping[str, JSON]) -> None:
        """Write what *state* has other than what was loaded last, and the time."""
        self._file.save(state, "save the session state", _stamp)

    def cleanup_state(self) -> None:
        """Delete the file, and keep a safety copy of it."""
        self._file.remove("delete the session state")

    def update_context(
        self,
        key_conventions: Sequence[str] | None = None,
        active_tasks: Sequence[str] | None = None,
        important_files: Mapping[str, str] | None = None,
        repo_specific: Mapping[str, JSON] | None = None,
    ) -> None:
        """Add to what later sessions shall know; what is there already is not added again."""
        conventions = checked_list(key_conventions or (), "the conventions")
        tasks = checked_list(active_tasks or (), "the active tasks")
        files, specific = _object(important_files, "important_files"), _object(repo_specific, "repo_specific")

        def change(state: dict[str, JSON]) -> None:
            context = dict(mapping(state["session_context"]))
            context["key_conventions"] = _with(context["key_conventions"], conventions)
            context["active_tasks"] = _with(context["active_tasks"], tasks)
            context["important_files"] = {**mapping(context["important_files"]), **files}
            context["repo_specific"] = {**mapping(context["repo_specific"]), **specific}
            state["session_context"] = context
            _stamp(state)

        self._file.update(change, "update the session context")

    def record_implement_completion(
        self, feature: str, agents_completed: Sequence[str], files_modified: Sequence[str] | None = None
    ) -> None:
        """Take note of the feature that was done last, by which agents, and of the files it changed."""
        if not isinstance(feature, str):
            raise RefusedError(f"a feature is a text, not {type(feature).__name__}")
        agents: list[Any] = checked_list(agents_completed, "the agents")
        files = checked_list(files_modified or (), "the files")

        def change(state: dict[str, JSON]) -> None:
            workflow = dict(mapping(state["workflow_state"]))
            workflow["last_implement"] = {
                "feature": feature,
                "completed_at": _now(),
                "agents_completed": agents,
            }
            workflow["recent_files"] = _with(workflow["recent_files"], files)
            state["workflow_state"] = workflow
            _stamp(state)

        self._file.update(change, "record a feature")

    def complete_task(self, task: str) -> bool:
        """Take a task off the list; tell whether it was on it."""
        found = False

        def change(state: dict[str, JSON]) -> None:
            nonlocal found
            context = dict(mapping(state["session_context"]))
            tasks = items(context["active_tasks"])
            found = task in tasks
            context["active_tasks"] = [each for each in tasks if each != task]
            state["session_context"] = context
            _stamp(state)

        self._file.update(change, "complete a task")
        return found

    def get_session_summary(self) -> str:
        """Return the state as lines for people."""
        state = self.load_state()
        context, workflow = mapping(state["session_context"]), mapping(state["workflow_state"])
        last = mapping(workflow.get("last_implement"))
        lines = [f"Session {state.get('last_session_id')}, updated {state.get('last_updated')}"]
        lines += _listed("Conventions", items(context.get("key_conventions")))
        lines += _listed("Active tasks", items(context.get("active_tasks")))
        files = mapping(context.get("important_files"))
        lines += _listed("Important files", [f"{path}: {about}" for path, about in files.items()])
        if feature := text(last.get("feature")):
            by = ", ".join(str(agent) for agent in items(last.get("agents_completed")))
            lines.append(f"Last feature: {feature}, done {last.get('completed_at')}" + (f" by {by}" if by else ""))
        lines += _listed("Recent files", items(workflow.get("recent_files")))
        return "\n".join(lines)


def _blank() -> dict[str, JSON]:
    return {
        "schema_version": "1.0",
        "last_updated": _now(),
        "last_session_id": datetime.fromtimestamp(time.time(), UTC).strftime("%Y%m%d-%H%M%S"),
        "session_context": {"key_conventions": [], "active_tasks": [], "important_files": {}, "repo_specific": {}},
        "workflow_state": {
            "last_implement": {"feature": "", "completed_at": "", "agents_completed": []},
            "pending_todos": [],
            "recent_files": [],
        },
    }


def _stamp(state: dict[str, JSON]) -> None:
    state["last_updated"] = _now()


def _now() -> str:
    return datetime.fromtimestamp(time.time(), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _object(given: object, name: str) -> Mapping[str, JSON]:
    if given is not None and not isinstance(given, Mapping):
        raise RefusedError(f"{name} is an object, not {type(given).__name__}")
    return given or {}


def _with(there: JSON, more: Sequence[Any]) -> JSON:
    known: list[JSON] = list(items(there))
    for each in more:
        if each not in known:
            known.append(each)
    return known


def _listed(title: str, entries: Sequence[JSON]) -> list[str]:
    if not entries:
        return [f"{title}: none"]
    rest = len(entries) - _SHOWN
    return [
        f"{title}: {len(entries)}",
        *(f"  - {each}" for each in entries[:_SHOWN]),
        *([f"  … and {rest} more"] if rest > 0 else []),
    ]
