"""`status`: what needs attention, and how every source stands."""

import click

from statewatch.cli import output, shapes
from statewatch.cli.arguments import at_option, files_of, json_option, paths_argument, picture_of
from statewatch.cli.columns import Column
from statewatch.documents.text import harmless
from statewatch.kinds.batch import BatchView
from statewatch.kinds.declared_view import CircuitsView
from statewatch.kinds.hooks import HooksView
from statewatch.kinds.namespace import NamespaceView
from statewatch.kinds.times import iso, span
from statewatch.kinds.workflow import WorkflowView
from statewatch.watch.attention import Attention, attention
from statewatch.watch.discovery import KEYED
from statewatch.watch.picture import Picture, Source

_MOST_FACTS = 3


@click.command(name="status")
@paths_argument
@at_option
@json_option
def command(paths: tuple[str, ...], *, as_json: bool) -> int:
    """Say what needs attention: open circuits, failed items, stalled runs, files that cannot be read.

    Looks at the PATHs (files or directories), else at the project around the current directory and at
    ~/.claude and ~/.autonomous-dev.

    \b
    Examples:
      statewatch status
      statewatch status --json | jq -r '.needs_attention[].what'
      statewatch status --at 20m
      statewatch status ~/work || notify-send "a run needs you"

    \b
    Exit codes: 0 nothing needs attention, 1 something does, or nothing was recorded by then.
    """
    return report(files_of(paths), as_json=as_json)


def report(paths: tuple[str, ...], *, as_json: bool) -> int:
    """Print the status of what was named; return the exit code."""
    picture = picture_of(paths)
    needs = attention(picture, picture.at)
    if as_json:
        output.json_out(
            {
                "at": iso(picture.at),
                "needs_attention": [shapes.need_row(need) for need in needs],
                "sources": [shapes.source_row(source, picture.at) for source in picture.sources],
                "looked_in": list(picture.watching.looked_in),
            }
        )
        if not picture.sources:
            explain_nothing(picture)
    elif not picture.sources:
        explain_nothing(picture, data=True)
    else:
        _tables(picture, needs)
    return 1 if needs else 0


def explain_nothing(picture: Picture, *, data: bool = False) -> None:
    """Say that there are no state files, where they were looked for, and what to try."""
    tell = output.say if data else output.note
    tell("No state files found. Looked in:")
    for place in picture.watching.looked_in:
        tell(f"  {place}")
    tell("Try `statewatch status PATH` for another place, or `statewatch demo` to see a run.")


def _tables(picture: Picture, needs: tuple[Attention, ...]) -> None:
    if needs:
        output.say(output.paint(f"NEEDS ATTENTION ({len(needs)})", "bad"))
        output.table(
            (
                Column("kind"),
                Column("what", 8, is_name=True),
                Column("source", 16, elastic=True, dispensable=1, is_name=True),
                Column("the matter", 36, elastic=True),
            ),
            [(need.kind, harmless(need.subject, 200), _source(need), harmless(need.what, 500)) for need in needs],
            ["bad" if need.kind in {"hook", "circuit", "file"} else "warn" for need in needs],
        )
        output.say()
    else:
        output.say(output.paint("Nothing needs attention.", "good"))
        output.say()
    output.table(
        (
            Column("kind"),
            Column("source", 8, elastic=True, is_name=True),
            Column("changed", align="right", dispensable=1),
            Column("state", 24, elastic=True),
        ),
        [
            (source.kind, harmless(source.label), _age(source, picture.at), harmless(_state(source, picture.at), 200))
            for source in picture.sources
        ],
        [shapes.status_word(source, picture.at) for source in picture.sources],
    )


def _state(source: Source, now: float) -> str:
    view, parts = source.view, [shapes.status_word(source, now)]
    if source.problem is not None:
        return parts[0]
    if source.kind == KEYED:
        return output.count(source.key_count, "key")
    if isinstance(view, NamespaceView):
        return _told("", view.facts)
    if isinstance(view, HooksView):
        counts = shapes.hook_counts(view)
        parts = [f"{counts[state]} {state.replace('_', ' ')}" for state in ("open", "half_open", "closed", "other")]
        return ", ".join(part for part in parts if not part.startswith("0 ")) or "no hooks"
    if isinstance(view, CircuitsView):
        if view.circuits:
            return ", ".join(f"{circuit.name} {circuit.state}" for circuit in view.at(now).circuits)
        return _told(view.status, view.facts) or parts[0]
    if isinstance(view, BatchView):
        parts[0] += f" {view.processed}/{view.total}"
        parts += [f"{view.count(outcome)} {outcome}" for outcome in ("failed", "skipped") if view.count(outcome)]
    if isinstance(view, WorkflowView):
        phase = next((each.name for each in view.phases if each.status in {"in_progress", "failed"}), None)
        parts += [phase] if phase else []
        return _told(", ".join(parts), view.facts)
    return ", ".join(parts)


def _told(stands: str, facts: tuple[tuple[str, str], ...]) -> str:
    """Put how something stands and the first of its facts into a line."""
    told = [f"{name} {text[:80]}" for name, text in facts[:_MOST_FACTS]]
    return ", ".join([stands, *told] if stands else told)


def _source(need: Attention) -> str:
    return "" if need.kind == "file" else harmless(need.source.label)


def _age(source: Source, now: float) -> str:
    return "" if source.changed_at is None else f"{span(now - source.changed_at)} ago"
