"""What a batch says besides its counts, in a few lines: tokens, tries, git, order, stalls, and what was assumed."""

from collections import Counter
from collections.abc import Iterable, Mapping

from statewatch.documents.text import harmless
from statewatch.documents.values import JSON
from statewatch.kinds import batch, times
from statewatch.kinds.base import items, mapping, number, text
from statewatch.kinds.batch import Item
from statewatch.tui.models import batch_items, cells
from statewatch.tui.models.batches import BatchRow
from statewatch.tui.widgets.table_model import Cell, Role, Span
from statewatch.watch.attention import moved_at, stalled_for

_GAUGE = 12
_NAMED = 5
_STEPS = (("commit", "commits"), ("push", "pushed"), ("pr", "PRs"), ("issue_close", "issues closed"))


def about(row: BatchRow, now: float) -> tuple[Cell, ...]:
    """Return the lines: first what is the matter, then the figures, then what had to be assumed."""
    lines = [*_matters(row, now)]
    figures = [part for part in (_tokens(row), _tries(row.view.items), _git(row.view.items), _order(row)) if part]
    line: list[Span] = []
    for part in figures:
        line += [("  ·  ", "muted"), *part] if line else part
    lines += [tuple(line)] if line else []
    lines += [(("assumed: ", "warn"), *cells.say(note, "muted")) for note in row.view.notes]
    return tuple(lines)


def gauge(tokens: int, limit: int, width: int = _GAUGE) -> Cell:
    """Return tokens of context as a gauge against the limit at which it is cleared; never full before that."""
    used = min(width, tokens * width // max(1, limit))
    role: Role = "bad" if tokens >= limit else "warn" if tokens * 10 >= limit * 8 else "good"
    return (("█" * used, role), ("░" * (width - used), "muted"))


def _matters(row: BatchRow, now: float) -> Iterable[Cell]:
    stalled = stalled_for(row.source, now)
    if stalled is not None:
        at = times.clock(moved_at(row.source, now), now)
        yield (("▲ stalled ", "warn"), (f"{times.span(stalled)}: nothing recorded since {at}. ", ""), *_goes_on(row))
    if holes := row.view.holes:
        yield (("▲ passed over: ", "warn"), (f"{_some(holes)}; its tool never comes back to these", ""))
    if cut_off := row.view.interrupted:
        yield (("✕ cut off at work: ", "bad"), (f"{_some(cut_off)}; they may have been done or not", ""))


def _goes_on(row: BatchRow) -> Cell:
    """Return how the batch goes on, where the file tells whose it is."""
    document = _fields(row)
    if text(document.get("workflow_mode")) != "auto-implement":
        return ()
    return (("It goes on with ", "muted"), (f"/implement --resume {row.name}", "strong"))


def _tokens(row: BatchRow) -> list[Span]:
    tokens = row.view.tokens
    if tokens is None:
        return []
    cleared = number(_fields(row).get("auto_clear_count")) or 0
    said: list[Span] = [("tokens ", "muted"), *gauge(tokens, batch.TOKEN_LIMIT)]
    said.append((f" {tokens:,} of {batch.TOKEN_LIMIT:,}", ""))
    if cleared:
        last = mapping(next(reversed(items(_fields(row).get("auto_clear_events"))), None))
        at = number(last.get("context_tokens_before_clear") or last.get("tokens_before"))
        said.append((f", cleared {_times(cleared)}" + (f", last at {at:,}" if at else ""), "muted"))
    return said


def _tries(seen: Iterable[Item]) -> list[Span]:
    again = [item.tries for item in seen if item.tries]
    if not again:
        return []
    return [("tried again ", "muted"), (f"{_times(sum(again))} in {len(again)} item{'s' * (len(again) > 1)}", "")]


def _git(seen: Iterable[Item]) -> list[Span]:
    taken: Counter[tuple[str, bool]] = Counter()
    for item in seen:
        if item.operations is not None:
            taken.update(item.git_verdicts)
    if not taken:
        return []
    spans: list[Span] = [("git ", "muted")]
    for name, called in _STEPS:
        well, badly = taken[name, True], taken[name, False]
        if well or badly:
            gap = "" if len(spans) == 1 else ", "
            spans.append((f"{gap}{well} {called}", ""))
            spans += [(f" ({badly} failed)", "bad")] if badly else []
    return spans


def _order(row: BatchRow) -> list[Span]:
    rows = [item for item in row.view.items if item.needs]
    order = batch_items.order_of(row)
    said = []
    if order:
        said.append(f"order {', '.join(map(str, order[:_NAMED]))}{'…' if len(order) > _NAMED else ''}")
    if rows:
        done = {item.index for item in row.view.items if item.outcome == batch.COMPLETED}
        waiting = [item for item in rows if batch_items.unmet(item, done, row.view)]
        said.append(f"{len(rows)} build on others" + (f", {len(waiting)} wait for them" if waiting else ""))
    return [("; ".join(said), "")] if said else []


def _some(seen: tuple[Item, ...]) -> str:
    named = ", ".join(f"{item.index} “{harmless(item.title, 40)}”" for item in seen[:2])
    return named + (f" and {len(seen) - 2} more" if len(seen) > 2 else "")


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _fields(row: BatchRow) -> Mapping[str, JSON]:
    return mapping(row.source.revision.document) if row.source.revision is not None else {}
