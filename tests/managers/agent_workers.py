"""Programs that tests start: agents that tell their session, and programs that save their state, many at a time."""

import os
import sys
from pathlib import Path

from statewatch import AgentTracker, SessionStateManager, UserStateManager


def main(role: str, name: str, times: int) -> None:
    """Do what *role* says, under *name*, so many times."""
    if role == "agent":
        tracker = AgentTracker()
        for count in range(times):
            tracker.start_agent(f"{name}-{count}", "go")
            tracker.complete_agent(f"{name}-{count}", "done", tools=["Read"])
    elif role == "user":
        for count in range(times):
            user = UserStateManager()
            user.set_preference(f"{name}-{count}", count)
            user.save()
    elif role == "session":
        session = SessionStateManager()
        for count in range(times):
            if count % 2:
                session.update_context(active_tasks=[f"{name}-{count}"])
            else:
                state = session.load_state()
                context = state["session_context"]
                assert isinstance(context, dict)
                tasks = context["active_tasks"]
                assert isinstance(tasks, list)
                tasks.append(f"{name}-{count}")
                session.save_state(state)


if __name__ == "__main__":
    os.chdir(Path(sys.argv[1]))
    main(sys.argv[2], sys.argv[3], int(sys.argv[4]))
