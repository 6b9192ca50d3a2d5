"""What people call the modes of circuits, and how they are shown."""

from collections.abc import Mapping

from statewatch.documents.values import JSON
from statewatch.kinds.base import text
from statewatch.kinds.circuit_extras import DISABLED, FORCED_OPEN, METRICS_ONLY, mode_of

NORMAL = "normal"
MODES = {NORMAL: None, "skip": FORCED_OPEN, "always-run": DISABLED, "count-only": METRICS_ONLY}
"""The words of the command line, and the modes they mean; see `kinds.circuit_extras`."""

MEANINGS = {
    NORMAL: "what the thresholds and the cool-down say",
    "skip": "the hooks are not run",
    "always-run": "the hooks run, and their circuits never open",
    "count-only": "the hooks run; their circuits open and close, to show what would have happened",
}


def mode_word(mode: str | None) -> str:
    """Return what people call a mode."""
    return next((word for word, meant in MODES.items() if meant == mode), mode or NORMAL)


def mode_row(entry: Mapping[str, JSON], now: float) -> dict[str, str | None]:
    """Return the mode that holds now, and until when, as ISO 8601; both None where there is none or no end."""
    mode = mode_of(entry, now)
    if mode is None:
        return {"mode": None, "mode_until": None}
    return {"mode": mode_word(mode), "mode_until": text(entry.get("until"))}
