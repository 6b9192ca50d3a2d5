"""Colours of differences: orange and blue, which nearly everybody tells apart, and never colour alone."""

import os
import sys
from collections.abc import Callable
from typing import Final

import click

from statewatch.cli.diff_text import Role, Spans
from statewatch.cli.output import is_terminal

_MANY: Final[dict[Role, dict[str, object]]] = {
    "old": {"fg": 172},
    "new": {"fg": 33},
    "old word": {"fg": 172, "reverse": True},
    "new word": {"fg": 33, "reverse": True},
    "place": {"bold": True},
    "muted": {"dim": True},
}
"""Where the terminal has 256 colours."""
_FEW: Final = {"old": {"fg": "magenta"}, "new": {"fg": "cyan"}}
_MARKS: Final[dict[Role, tuple[str, str]]] = {"old word": ("[-", "-]"), "new word": ("{+", "+}")}
"""What stands around words that differ on a terminal without colours."""


def painter() -> Callable[[Spans], str]:
    """Return what makes a line for standard output of spans: coloured on a terminal that has colours welcome."""
    if not is_terminal(sys.stdout):
        return lambda spans: "".join(text for text, _ in spans)
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return _with_marks
    many = "256color" in os.environ.get("TERM", "") or bool(os.environ.get("COLORTERM"))
    styles = {
        role: {**style, **({} if many else _FEW.get(role.partition(" ")[0], {}))} for role, style in _MANY.items()
    }
    return lambda spans: "".join(click.style(text, **styles[role]) if role else text for text, role in spans)  # type: ignore[arg-type]


def _with_marks(spans: Spans) -> str:
    around = [(*_MARKS.get(role, ("", "")), text) for text, role in spans]
    return "".join(f"{opening}{text}{closing}" for opening, closing, text in around)
