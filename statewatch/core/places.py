"""Where statewatch keeps what is its own (the audit log, the safety copies), and where namespaces are by default."""

import os
from pathlib import Path
from typing import Final

STATE_ROOT: Final = Path(".claude") / "state"
"""The directory of namespaces, below the current one, in the layout that agent frameworks share."""


def state_directory() -> Path:
    """Return the directory for our own state: `STATEWATCH_STATE_DIR`, else the user's state directory (XDG)."""
    import platformdirs  # noqa: PLC0415 - only those who write need it

    chosen = os.environ.get("STATEWATCH_STATE_DIR")
    return Path(chosen) if chosen else platformdirs.user_state_path("statewatch")
