"""Help for where the operator is, made from the bindings that are active there."""

from collections.abc import Callable, Iterable

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
    seen: set[str] = set()
    for each in active:
        binding = each.binding
        if binding.id is None or binding.id in seen or binding.id not in helps:
            continue
        seen.add(binding.id)
        command = helps[binding.id]
        off = command.refusal(read_only=read_only, past=past)
        why = "read-only" if read_only else "this is the past"
        note = "" if not command.writes else f"  (off: {why})" if off else "  (asks first)" if command.asks else ""
        line: Cell = ((f"  {key_of(binding):<10}", "strong"), (command.help, ""), (note, "muted"))
        groups.setdefault(binding.id.split(".")[0], []).append(line)
    titles = {
        "travel": "TIME TRAVEL",
        "hooks": "CIRCUITS",
        "checkpoints": "CHECKPOINTS",
        "view": "VIEWS",
        "table": "TABLE",
        "app": "EVERYWHERE",
        "diff": "DIFF",
        "pane": "TEXT",
    }
    lines: list[Cell] = []
    for group in sorted(groups, key=lambda name: list(titles).index(name) if name in titles else len(titles)):
        lines += [cells.own(titles.get(group, group.upper()), "muted"), *groups[group], ()]
    lines.append(cells.own("SIGNS", "muted"))
    for state, word, meaning in _LEGEND:
        glyph, role = cells.mark(state)
        lines.append(((f"  {glyph} {word:<10}", role), (meaning, "")))
    lines.append(
        (("  ~38s/item  ", "strong"), ("the pace follows from the file's own times; without ~ it was seen", ""))
    )
    return tuple(lines)
