"""Where statewatch keeps what is its own: the audit log and the safety copies."""

import os
from pathlib import Path

import platformdirs


def state_directory() -> Path:
    """Return the directory for our own state: `STATEWATCH_STATE_DIR`, else the user's state directory (XDG)."""
    chosen = os.environ.get("STATEWATCH_STATE_DIR")
    return Path(chosen) if chosen else platformdirs.user_state_path("statewatch")
