"""Places in a namespace of a file, and where they are in the file itself, which is what the history holds."""

from typing import Final

from statewatch.documents.values import Path

_SCHEME: Final = "json:"
_VALUE: Final = "value"


def recorded_place(source: str, tokens: tuple[str, ...]) -> tuple[str, ...]:
    """Return where in the file that was recorded a place of *source* is: every key has an entry there."""
    return (tokens[0], _VALUE, *tokens[1:]) if tokens and source.startswith(_SCHEME) else tokens


def told_place(source: str, path: Path) -> Path:
    """Return what a place in the file that was recorded is called in addresses of *source*."""
    return (path[0], *path[2:]) if source.startswith(_SCHEME) and path[1:2] == (_VALUE,) else path
