"""Help for where the operator is, made from the bindings that are active there."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from textual.binding import ActiveBinding, Binding

from statewatch.tui.models import cells
from statewatch.tui.registry import COMMANDS
from statewatch.tui.widgets.table_model import Cell

_LEGEND: tuple[tuple[str, str, str], ...] = (
    ("open", "open", "the hook is skipped until the cool-down has passed"),
    ("half_open", "half-open", "the next runs are tests: success closes it, failure opens it again"),
    ("closed", "closed", "the hook runs"),
    ("completed", "completed", "an item is done"),
    ("failed", "failed", "an item or a run failed"),
    ("skipped", "skipped", "an item was left out, with a reason"),
    ("pending", "pending", "still to come"),
)


HANG = 12
"""Where the explanations begin."""

_COMMON = ("pane", "view", "table", "app")
"""What is the same nearly everywhere: it comes after what can be done just here."""

_TITLES = {
    "travel": "TIME TRAVEL",
    "hooks": "CIRCUITS",
    "view": "VIEWS",
    "app": "EVERYWHERE",
    "pane": "TEXT",
}


def help_lines(
    active: Iterable[ActiveBinding],
    key_of: Callable[[Binding], str],
    *,
    read_only: bool = False,
    past: bool = False,
) -> tuple[Cell, ...]:
    """Return the help text: the keys that work here, grouped by what they are about, then what the signs mean."""
    helps = {command.id: command for command in COMMANDS}
    groups: dict[str, list[Cell]] = {}
    working: dict[str, list[Binding]] = {}
    for each in active:
        if each.binding.id in helps:
            working.setdefault(each.binding.id or "", []).append(each.binding)
    for name, found in working.items():
        command = helps[name]
        off = command.refusal(read_only=read_only, past=past)
        why = "read-only" if read_only else "this is the past"
        note = "" if not command.writes else f"  (off: {why})" if off else "  (asks first)" if command.asks else ""
        line: Cell = ((f"  {_keys(found, key_of):<10}", "strong"), (command.help, ""), (note, "muted"))
        groups.setdefault(name.split(".")[0], []).append(line)
    lines: list[Cell] = []
    for group in sorted(groups, key=_rank):
        lines += [cells.own(_TITLES.get(group, group.upper()), "muted"), *groups[group], ()]
    lines.append(cells.own("SIGNS", "muted"))
    for state, word, meaning in _LEGEND:
        glyph, role = cells.mark(state)
        lines.append(((f"  {glyph} {word:<10}", role), (meaning, "")))
    lines.append(
        (("  ~38s/item  ", "strong"), ("the pace follows from the file's own times; without ~ it was seen", ""))
    )
    return tuple(lines)


def _rank(group: str) -> int:
    """Return where a group comes: what there is in the past only, what there is here only, and the rest."""
    return -1 if group == "travel" else _COMMON.index(group) + 1 if group in _COMMON else 0


def _keys(bindings: Sequence[Binding], key_of: Callable[[Binding], str]) -> str:
    """Return the keys of an action, each by itself; as many as there is room for."""
    keys = dict.fromkeys(key_of(replace(each, key_display=None)) for each in bindings)
    shown = " ".join(keys)
    return shown if len(shown) < HANG - 2 else next(iter(keys))
