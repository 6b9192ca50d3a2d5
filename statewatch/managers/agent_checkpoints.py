"""CheckpointManager: the checkpoints of workflows of agents, under the names that programs already use."""

import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from statewatch.core.agent_file import AgentFile, project_root
from statewatch.core.errors import NotFoundError, RefusedError, SourceError
from statewatch.core.rewriting import present
from statewatch.documents.values import JSON, cloned
from statewatch.kinds import agent_checkpoint
from statewatch.kinds.agent_checkpoint import KIND, PIPELINE, CheckpointView
from statewatch.kinds.base import mapping
from statewatch.managers.agent_rules import (
    checked_agent,
    checked_agents,
    checked_list,
    checked_message,
    checked_workflow,
)

_PLACE: Final = Path(".claude", "artifacts")
_NAME: Final = "checkpoint.json"


class CheckpointManager:
    """The checkpoints below *artifacts_dir*, by default those of the project around the current directory.

    A workflow has one checkpoint, which each agent that is done replaces; fields that statewatch does not know stay.
    Methods raise StateException, which says what is wrong, unless they say that they return it.
    """

    def __init__(self, artifacts_dir: str | Path | None = None) -> None:
        root = None if artifacts_dir is not None else project_root()
        self.artifacts_dir = Path(artifacts_dir) if artifacts_dir is not None else (root or Path.cwd()) / _PLACE

    # --- one checkpoint

    def create_checkpoint(
        self,
        workflow_id: str,
        completed_agents: Sequence[str],
        current_agent: str,
        artifacts_created: Sequence[str],
        metadata: Mapping[str, JSON] | None = None,
    ) -> Path:
        """Keep how far a workflow is, and return where: which agents are done, and which is next or was last."""
        name = checked_workflow(workflow_id)
        done = checked_agents(completed_agents)
        current = checked_agent(current_agent)
        artifacts = [_artifact(each) for each in checked_list(artifacts_created, "the artifacts")]

        def plan(document: JSON) -> JSON:
            _refuse_newer(document)
            made = agent_checkpoint.made(name, done, current, artifacts, metadata, time.time())
            return {**mapping(document), **mapping(made)}

        file = self._file(name)
        file.change(plan, f"checkpoint {name}", repairs=True)
        return file.path

    def load_state(self, workflow_id: str) -> dict[str, JSON]:
        """Return the checkpoint of a workflow. Raises NotFoundError, and SourceError for one that is not valid."""
        file = self._file(workflow_id)
        document = file.held()
        if document is None:
            raise NotFoundError(f"{file.path}: there is no checkpoint of the workflow {workflow_id!r:.80}")
        if faults := KIND.faults(document):
            what = "; ".join(f"{fault.pointer}: {fault.message}" for fault in faults[:5])
            raise SourceError(file.path, f"it is no checkpoint that can be used: {what}")
        return dict(mapping(cloned(document)))

    def load_checkpoint(self, workflow_id: str) -> dict[str, JSON] | None:
        """Return the checkpoint of a workflow, None where there is none that can be used."""
        try:
            return self.load_state(workflow_id)
        except (NotFoundError, SourceError, RefusedError):
            return None

    def save_state(self, workflow_id: str, state: Mapping[str, JSON]) -> None:
        """Replace the checkpoint of a workflow by *state*. Raises RefusedError for what is none."""
        name = checked_workflow(workflow_id)
        if faults := KIND.faults(dict(state)):
            raise RefusedError(f"this is no checkpoint: {faults[0].pointer}: {faults[0].message}")

        def plan(document: JSON) -> JSON:
            _refuse_newer(document)
            return dict(state)

        self._file(name).change(plan, f"checkpoint {name}", repairs=True)

    def checkpoint_exists(self, workflow_id: str) -> bool:
        """Tell whether a workflow has a checkpoint, whatever is in it."""
        return present(self._file(workflow_id).path).data != b""

    exists = checkpoint_exists

    def validate_checkpoint(self, workflow_id: str) -> tuple[bool, str | None]:
        """Return whether a workflow can go on from its checkpoint, and why not; missing artifacts do not count."""
        try:
            self.load_state(workflow_id)
        except (NotFoundError, SourceError, RefusedError) as error:
            return False, str(error)
        return True, None

    def delete_checkpoint(self, workflow_id: str) -> bool:
        """Delete the checkpoint of a workflow, and keep a safety copy of it; tell whether there was one."""
        return self._file(workflow_id).remove(f"delete the checkpoint of {workflow_id}")

    def roll_back(self, workflow_id: str, agent_name: str) -> None:
        """Make a workflow go on with *agent_name*: it and all after it count as not done any more.

        A safety copy of the checkpoint is kept first.
        """
        file = self._file(workflow_id)
        self.load_state(workflow_id)
        file.keep()
        agent = checked_agent(agent_name)
        file.change(lambda document: agent_checkpoint.roll_back(document, agent).document, f"roll back to {agent}")

    # --- going on

    def list_resumable_workflows(self) -> list[dict[str, JSON]]:
        """Return the workflows in which agents are left, the latest checkpoint first, without what cannot be used."""
        found = [view for name in self._workflows() if (view := self._view(name)) is not None and view.remaining]
        found.sort(key=lambda view: view.created_at or 0.0, reverse=True)
        return [self._summary(view) for view in found]

    def get_resume_plan(self, workflow_id: str) -> dict[str, JSON]:
        """Return how a workflow goes on: who is done, who is left and next, and which artifacts are missing.

        For a checkpoint that cannot be used it is an object with the `error`.
        """
        valid, why = self.validate_checkpoint(workflow_id)
        view = self._view(workflow_id) if valid else None
        if view is None:
            return {"error": why}
        missing = agent_checkpoint.missing_artifacts(view, self._existing(workflow_id))
        return {
            "workflow_id": view.workflow_id,
            "checkpoint_valid": True,
            "completed_agents": list(view.completed),
            "remaining_agents": list(view.remaining),
            "next_agent": view.next_agent,
            "progress_percentage": view.percentage,
            "can_resume": bool(view.remaining),
            "missing_artifacts": list(missing),
        }

    def _summary(self, view: CheckpointView) -> dict[str, JSON]:
        done = len(PIPELINE) - len(view.remaining)
        return {
            "workflow_id": view.workflow_id,
            "created_at": mapping(self._file(view.workflow_id).held()).get("created_at"),
            "current_agent": view.current,
            "completed_agents": list(view.completed),
            "progress": f"{done}/{len(PIPELINE)} agents",
            "next_agent": view.next_agent,
        }

    # --- the files

    def _file(self, workflow_id: str) -> AgentFile:
        name = checked_workflow(workflow_id)
        return AgentFile(self.artifacts_dir / name / _NAME, within=self.artifacts_dir)

    def _view(self, name: str) -> CheckpointView | None:
        document = self.load_checkpoint(name)
        seen = None if document is None else agent_checkpoint.view(document)
        return seen if seen is not None and seen.workflow_id == name else None

    def _workflows(self) -> list[str]:
        return [name for name in _names_in(self.artifacts_dir) if _is_workflow(name)]

    def _existing(self, name: str) -> list[str]:
        return _names_in(self.artifacts_dir / checked_workflow(name))


def _names_in(directory: Path) -> list[str]:
    try:
        return sorted(os.listdir(directory))  # noqa: PTH208 - names are enough
    except OSError:
        return []


def _is_workflow(name: str) -> bool:
    try:
        return checked_workflow(name) == name
    except RefusedError:
        return False


def _artifact(name: object) -> str:
    said = checked_message(name)
    if not said or set(said) & set("/\\\n\t") or said in {".", ".."}:
        raise RefusedError(f"{said!r:.80} cannot be the name of an artifact: it is a file beside the checkpoint")
    return said


def _refuse_newer(document: JSON) -> None:
    version = mapping(document).get("version")
    if agent_checkpoint.is_newer(version):
        raise RefusedError(
            f"the checkpoint there is of version {version}, and {agent_checkpoint.VERSION} is the newest that is known "
            "here; update statewatch"
        )
