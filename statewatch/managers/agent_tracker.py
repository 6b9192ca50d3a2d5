"""AgentTracker: which agents of a session run and ran, under the names that agents already use."""

import os
import time
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

from statewatch.core.agent_file import AgentFile, Plan, project_root
from statewatch.core.errors import NotFoundError, RefusedError, SourceError, StatewatchError
from statewatch.documents.values import JSON, cloned
from statewatch.kinds import session
from statewatch.kinds.base import mapping, text
from statewatch.kinds.session import EXPECTED, SessionView
from statewatch.kinds.steps import COMPLETED, FAILED, RUNNING
from statewatch.managers.agent_rules import checked_agent, checked_issue, checked_message, checked_tools

SESSIONS: Final = Path("docs", "sessions")
_ENDING: Final = "-pipeline.json"
_LOOKED_AT: Final = 50
_FAILURES: Final = (StatewatchError, OSError, ValueError, TypeError, OverflowError, RecursionError)
"""All that can go wrong with a file system and with what a caller hands over."""


class AgentTracker:
    """The session of this day, or of CLAUDE_SESSION_ID where that is set, in the project around the current directory.

    *session_file* names another file; it is made where it is missing. Agents in different processes may start and end
    at the same time: nothing is lost. Methods that write raise StateException, which says what is wrong.
    """

    def __init__(self, session_file: str | Path | None = None) -> None:
        if session_file is not None:
            self._file = AgentFile(Path(session_file))
        else:
            root = project_root()
            if root is None:
                raise NotFoundError("there is no project here: no .git and no .claude in this directory or above it")
            self._file = _session_of(root)
        self._write(lambda document: document, "begin a session")

    @property
    def session_file(self) -> Path:
        """Return where the session is."""
        return self._file.path

    @property
    def session_data(self) -> JSON:
        """Return a copy of the session as it is now."""
        return cloned(self._file.held())

    @property
    def view(self) -> SessionView:
        """Return the typed view of the session as it is now."""
        return session.view(self._file.held())

    # --- what agents tell

    def start_agent(self, agent_name: str, message: str) -> None:
        """Enter that an agent has begun."""
        name, said = checked_agent(agent_name), checked_message(message)
        self._write(lambda document: session.started(document, name, said, time.time()), f"start {name}")

    def complete_agent(
        self,
        agent_name: str,
        message: str,
        tools: Sequence[str] | None = None,
        tools_used: Sequence[str] | None = None,
        github_issue: int | None = None,
        started_at: datetime | None = None,
    ) -> None:
        """Enter that an agent is done; one that has ended already stays as it is, so it may be told twice.

        With *started_at* the time it took counts from then, to the fraction of a second.
        """
        used = checked_tools(tools if tools is not None else tools_used)
        began = None if started_at is None else started_at.timestamp()
        self._end(agent_name, COMPLETED, message, used, github_issue, began)

    def fail_agent(self, agent_name: str, message: str) -> None:
        """Enter that an agent has failed; one that has ended already stays as it is."""
        self._end(agent_name, FAILED, message, [], None, None)

    def set_github_issue(self, issue_number: int) -> None:
        """Enter which issue the session is about."""
        issue = checked_issue(issue_number)
        self._write(lambda document: {**mapping(document), "github_issue": issue}, "set the issue")

    def auto_track_from_environment(self, message: str | None = None) -> bool:
        """Enter that the agent named by CLAUDE_AGENT_NAME has begun, once; tell whether that was entered."""
        name = os.environ.get("CLAUDE_AGENT_NAME")
        if not name or self.is_agent_tracked(name):
            return False
        self.start_agent(name, message or "started by its environment")
        return True

    @classmethod
    def save_agent_checkpoint(
        cls,
        agent_name: str,
        message: str,
        github_issue: int | None = None,
        tools_used: Sequence[str] | None = None,
        started_at: datetime | None = None,
    ) -> bool:
        """Enter in the session of the project around the current directory that an agent is done; never raise.

        Returns whether it was entered: not outside of a project, not for what cannot be a name or a message, and not
        where the file cannot be written.
        """
        try:
            checked_agent(agent_name), checked_message(message), checked_tools(tools_used)
            issue = checked_issue(github_issue)
            tracker = cls()
            if issue is not None:
                tracker.set_github_issue(issue)
            tracker.complete_agent(
                agent_name, message, tools_used=tools_used, github_issue=issue, started_at=started_at
            )
        except (*_FAILURES, AttributeError):  # what was handed over as a time need not be one
            return False
        return True

    # --- what there is to know

    def get_expected_agents(self) -> list[str]:
        """Return the agents of a whole run, in their order."""
        return list(EXPECTED)

    def calculate_progress(self) -> int:
        """Return how many of the expected agents are done, in percent."""
        done = {run.agent for run in self.view.runs if run.status == COMPLETED}
        return 100 * len(done & set(EXPECTED)) // len(EXPECTED)

    def get_average_agent_duration(self) -> int | None:
        """Return how many seconds a completed agent took on average, None where none is known."""
        took = [run.seconds for run in self.view.runs if run.status == COMPLETED and run.seconds is not None]
        return int(sum(took) / len(took)) if took else None

    def estimate_remaining_time(self) -> int | None:
        """Return the seconds that the agents which have not begun will take, None where that cannot be told."""
        average = self.get_average_agent_duration()
        return None if average is None else average * len(self.get_pending_agents())

    def get_pending_agents(self) -> list[str]:
        """Return the expected agents that have not begun."""
        begun = {run.agent for run in self.view.runs}
        return [name for name in EXPECTED if name not in begun]

    def get_running_agent(self) -> str | None:
        """Return the agent that began last of those that run, None when none does."""
        return next((run.agent for run in reversed(self.view.runs) if run.status == RUNNING), None)

    def get_parallel_agents(self) -> list[tuple[str, str]]:
        """Return the pairs of agents that ran at the same time, in the order in which they began."""
        return session.parallel(self.view, time.time())

    def is_pipeline_complete(self) -> bool:
        """Tell whether all expected agents are done."""
        return set(EXPECTED) <= {run.agent for run in self.view.runs if run.status == COMPLETED}

    def is_agent_tracked(self, agent_name: str) -> bool:
        """Tell whether an agent has begun in this session."""
        return any(run.agent == agent_name for run in self.view.runs)

    # --- the file

    def _end(
        self, agent: str, status: str, message: str, tools: Sequence[str], issue: int | None, began: float | None
    ) -> None:
        name, said, number = checked_agent(agent), checked_message(message), checked_issue(issue)

        def plan(document: JSON) -> JSON:
            return session.ended(document, name, status, said, time.time(), tools=tools, issue=number, began=began)

        self._write(plan, f"end {name}")

    def _write(self, plan: Plan, operation: str) -> None:
        def whole(document: JSON) -> JSON:
            if document is None:
                document = _new(self._file.path)
            elif not session.KIND.matches(document):
                raise RefusedError(f"{self._file.path}: it holds no session of agents, so nothing was written")
            return plan(document)

        self._file.change(whole, operation)


def save_agent_checkpoint(
    agent_name: str,
    message: str,
    tools_used: Sequence[str] | None = None,
    github_issue: int | None = None,
    started_at: datetime | None = None,
) -> bool:
    """Enter in the session of the project around the current directory that an agent is done; never raise.

    Needs nothing installed in the project, starts no program, and works from any directory below the root. Returns
    whether it was entered.
    """
    return AgentTracker.save_agent_checkpoint(agent_name, message, github_issue, tools_used, started_at)


def _session_of(root: Path) -> AgentFile:
    """Return the session to write to: that of CLAUDE_SESSION_ID or of this day, else a new one."""
    directory = root / SESSIONS
    wanted = os.environ.get("CLAUDE_SESSION_ID") or None
    today = datetime.now().strftime("%Y%m%d")
    try:
        names = sorted((name for name in os.listdir(directory) if name.endswith(_ENDING)), reverse=True)  # noqa: PTH208
    except OSError:
        names = []
    for name in names[:_LOOKED_AT]:
        file = AgentFile(directory / name, within=root)
        if (wanted or name.startswith(today)) and _is_session(file, wanted):
            return file
    return AgentFile(directory / f"{datetime.now().strftime('%Y%m%d-%H%M%S')}{_ENDING}", within=root)


def _is_session(file: AgentFile, wanted: str | None) -> bool:
    """Tell whether a file holds a session: the same names are given to what is kept of pipelines."""
    try:
        document = file.held()
    except (SourceError, RefusedError):
        return False
    return session.KIND.matches(document) and (
        wanted is None or text(mapping(document).get("claude_session_id")) == wanted
    )


def _new(path: Path) -> JSON:
    now = time.time()
    named = path.name.removesuffix(_ENDING)
    identity = named if path.name.endswith(_ENDING) and named else datetime.fromtimestamp(now).strftime("%Y%m%d-%H%M%S")
    blank = mapping(session.blank(identity, now))
    claude = os.environ.get("CLAUDE_SESSION_ID")
    return {"session_id": identity, "claude_session_id": claude, **blank} if claude else dict(blank)
