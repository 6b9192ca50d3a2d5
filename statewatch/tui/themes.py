"""Themes: files in `themes/`, one a theme, shipped with the package."""

import tomllib
from pathlib import Path
from typing import Any

from textual.theme import Theme

DEFAULT = "statewatch-dark"
COLOURLESS = "ansi-dark"
"""Textual's theme that uses the terminal's own colours; with NO_COLOR only bold and reverse remain of it."""


def directory() -> Path:
    """Return where the theme files are: inside the package when installed, beside it in a checkout."""
    package = Path(__file__).parents[1]
    inside = package / "themes"
    return inside if inside.is_dir() else package.parent / "themes"


def load(path: Path) -> Theme:
    """Return the theme in a file. Raises OSError, ValueError or TypeError when it is not one."""
    fields: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    return Theme(name=path.stem, **fields)


def shipped() -> list[Theme]:
    """Return the themes that come with statewatch; what cannot be read is left out, since the rest still works."""
    found = []
    for path in sorted(directory().glob("*.toml")):
        try:
            found.append(load(path))
        except (OSError, ValueError, TypeError):
            continue
    return found
