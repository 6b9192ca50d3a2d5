"""A JSON value as a tree of lines, of which there are only so many, however large it is."""

from collections.abc import Iterator

from statewatch.documents.text import harmless
from statewatch.documents.values import JSON
from statewatch.kinds.plain import brief
from statewatch.tui.widgets.table_model import Cell

MOST_LINES = 200
_DEEPEST = 8
_LONGEST = 300
_MOST_MEMBERS = 50


def tree(value: JSON, most: int = MOST_LINES) -> tuple[Cell, ...]:
    """Return *value* as lines: members beneath one another, what is inside them further in; at most *most* lines."""
    lines: list[Cell] = []
    for line in _below(value, "", 0):
        if len(lines) >= most:
            lines.append((("… and more: the diff and the State view show all of it", "muted"),))
            break
        lines.append(line)
    return tuple(lines)


def _below(value: JSON, indent: str, depth: int) -> Iterator[Cell]:
    members = _members(value)
    shown = members[:_MOST_MEMBERS]
    for index, (name, child) in enumerate(shown):
        last = index == len(members) - 1
        label: Cell = ((f"{indent}{'└ ' if last else '├ '}", "muted"), (harmless(name, 80), ""))
        if isinstance(child, dict | list) and child and depth < _DEEPEST:
            yield (*label, (f"  {brief(child)}", "muted"))
            yield from _below(child, indent + ("  " if last else "│ "), depth + 1)
        else:
            yield (*label, ("  ", ""), (_leaf(child), "info"))
    if len(members) > len(shown):
        yield ((f"{indent}└ … and {len(members) - len(shown):,} more", "muted"),)


def _members(value: JSON) -> list[tuple[str, JSON]]:
    if isinstance(value, dict):
        return list(value.items())
    if isinstance(value, list):
        return [(str(index), child) for index, child in enumerate(value)]
    return [("", value)]


def _leaf(value: JSON) -> str:
    return harmless(value, _LONGEST) if isinstance(value, str) else harmless(brief(value, _LONGEST), _LONGEST)
