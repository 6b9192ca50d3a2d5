"""`hooks show` and `hooks history`: all there is to know about one circuit, and what happened to circuits."""

import heapq
import itertools
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from statewatch.cli import output, shapes
from statewatch.cli.arguments import as_typed, asked_moment, at_option, current_time, home_hook_state, json_option
from statewatch.cli.hook_sources import located
from statewatch.cli.hook_targets import state_file_option, target_of
from statewatch.core.beside import extras_file
from statewatch.documents.text import harmless, harmless_lines
from statewatch.documents.values import JSON
from statewatch.kinds import circuit_history
from statewatch.kinds.base import text
from statewatch.kinds.circuit_extras import entry_of
from statewatch.kinds.circuit_history import Metrics
from statewatch.kinds.circuit_modes import mode_row, mode_word
from statewatch.kinds.hooks import Hook, first_line, open_text, policy_text
from statewatch.kinds.times import clock, instant, iso, span
from statewatch.watch.picture import Source

if TYPE_CHECKING:
    from statewatch.core.recording import Circuits

_PERIODS, _WIDTH = 24, 3600.0
_LINES = 200


@click.command(short_help="All about one circuit: state, times, mode, figures, the whole error.")
@click.argument("name")
@state_file_option
@at_option
@json_option
def show(name: str, state_file: str | None, *, as_json: bool) -> int:
    """Show all about the circuit of one hook: its state and when it is tested, its mode, figures, and the whole error.

    NAME is a hook as `hooks list` shows it, or a pattern with * and ? that only one matches. The figures are of what
    the history holds.

    \b
    Examples:
      statewatch hooks show validate-file
      statewatch hooks show validate-file --json | jq .metrics

    \b
    Exit codes: 0 done, 1 no such hook, 2 a pattern that matches several, 3 the hook state cannot be read.
    """
    target = target_of("show", (name,), state_file, every=False, all_matching=False)
    source, view, circuits = located(target.address if state_file is None else state_file)
    hook = view.find(target.hooks[0])
    if hook is None:  # it went between two looks
        return 1
    now = current_time()
    events = [event for event in circuits.history(hook.name) if (instant(event.get("at")) or 0.0) <= now]
    metrics = circuit_history.metrics_of(events, now)
    entry = entry_of(circuits.extras() if asked_moment() is None else {}, hook.name)
    if as_json:
        output.json_out(
            {
                **shapes.hook_row(source, hook, now),
                **mode_row(entry, now),
                "openings_in_a_row": entry.get("openings", 0),
                "metrics": _metrics_row(metrics, events, now),
            }
        )
        return 0
    output.say(output.paint(harmless(hook.name, 500), "title"))
    output.facts(_facts(source, hook, entry, metrics, now))
    for line in harmless_lines(hook.last_error or "")[:_LINES]:
        output.say(f"    {line}")
    return 0


@click.command(short_help="What happened to circuits: failures, openings, tests, resets.")
@click.argument("names", nargs=-1, metavar="[NAME]...")
@state_file_option
@click.option("-n", "most", type=click.IntRange(1), default=50, show_default=True, metavar="COUNT", help="So many.")
@json_option
def history(names: tuple[str, ...], state_file: str | None, most: int, *, as_json: bool) -> int:
    """Show what happened to circuits, newest first: failures, changes of state, what operators did.

    With --json the errors are whole.

    NAMEs are hooks by their exact name, also those that are gone; without any it is all of them. What programs other
    than statewatch recorded is not in it.

    \b
    Examples:
      statewatch hooks history validate-file
      statewatch hooks history -n 1000 --json | jq -r 'select(.event == "opened") | .hook'

    \b
    Exit codes: 0 done, 3 the history cannot be read.
    """
    _, _, circuits = located(home_hook_state() if state_file is None else state_file, required=False)
    wanted = {as_typed(name) for name in names}
    events = heapq.merge(
        circuits.history(next(iter(wanted)) if len(wanted) == 1 else None),
        _actions(circuits),
        key=lambda event: instant(event.get("at")) or 0.0,
        reverse=True,
    )
    told = (event for event in _once(events) if not wanted or event.get("hook") in wanted)
    now = time.time()
    for event in itertools.islice(told, most):
        if as_json:
            output.json_out(dict(event), compact=True)
        else:
            output.say(_line(event, now))
    return 0


def _once(events: Iterable[Mapping[str, JSON]]) -> Iterator[Mapping[str, JSON]]:
    """Leave out what the audit log says once more of an action that the history of the circuit tells."""
    seen: set[tuple[JSON, JSON]] = set()
    for event in events:
        if (identity := event.get("id")) is not None:
            told = (identity, event.get("hook"))
            if told in seen:
                continue
            seen.add(told)
        yield event


def _actions(circuits: "Circuits") -> Iterator[Mapping[str, JSON]]:
    """Yield what operators did to the circuits of a hook state, as the audit log has it, newest first."""
    from statewatch.core import audit  # noqa: PLC0415 - only this needs it

    sources = {circuits.source} | ({str(extras_file(Path(circuits.source)))} if circuits.file is not None else set())
    for record in audit.records():
        if record.source in sources and record.outcome == "done":
            for hook in record.targets:
                yield {
                    "at": record.at,
                    "hook": hook,
                    "event": "action",
                    "action": record.action,
                    "by": record.user,
                    "why": record.why,
                    "id": record.id,
                }


def _line(event: Mapping[str, JSON], now: float) -> str:
    at = instant(event.get("at"))
    when = "?" if at is None else clock(at, now)
    what = harmless(text(event.get("event")) or "?", 40)
    if what == "action":
        by, why = text(event.get("by")) or "?", text(event.get("why"))
        what = harmless(f"{event.get('action')} by {by}" + (f": {why}" if why else ""), 300)
    elif what == "mode":
        until = text(event.get("until"))
        who, why = text(event.get("by")), text(event.get("why"))
        what = f"mode {mode_word(text(event.get('to')))}" + (f" until {until}" if until else "")
        what = harmless(what + (f" by {who}" if who else "") + (f": {why}" if why else ""), 300)
    if error := text(event.get("error")):
        what += f": {harmless(error, 300)}"
    return f"{when:<11}  {harmless(text(event.get('hook')) or '?', 200)}  {what}"


def _facts(
    source: Source, hook: Hook, entry: Mapping[str, JSON], metrics: Metrics, now: float
) -> list[tuple[str, str]]:
    def ago(moment: float | None) -> str:
        return "never" if moment is None else f"{span(now - moment)} ago ({iso(moment)})"

    policy = source.policy.of(hook.name)
    facts = [("state", open_text(hook, policy, now) if hook.is_open else hook.state)]
    mode, until = mode_row(entry, now).values()
    if mode:
        facts.append(("mode", f"{mode} until {until or 'it is taken back'}"))
    facts += [
        ("failures", f"{hook.failure_count or 0} since it last recovered, {hook.consecutive_failures or 0} in a row"),
        ("failed", ago(hook.last_failure)),
        ("ran well", ago(hook.last_success)),
        ("policy", policy_text(policy)),
    ]
    if metrics.since is not None:
        rate = metrics.failures_per_hour(now) if now - metrics.since > _WIDTH else None
        facts.append(
            (
                "history",
                f"{output.count(metrics.failures, 'failure')}, {output.count(metrics.openings, 'opening')}, "
                f"{output.count(metrics.recoveries, 'recovery', 'recoveries')}, "
                f"open for {span(metrics.open_for)} in {span(now - metrics.since)}"
                + ("" if rate is None else f"; {rate:.2g} failures an hour"),
            )
        )
    facts.append(("address", shapes.address_of(source, "hooks", hook.name)))
    if hook.last_error:
        facts.append(("error", first_line(hook.last_error)))
    return facts


def _metrics_row(metrics: Metrics, events: list[dict[str, JSON]], now: float) -> dict[str, JSON]:
    return {
        "since": iso(metrics.since),
        "failures": metrics.failures,
        "openings": metrics.openings,
        "recoveries": metrics.recoveries,
        "tests": metrics.tests,
        "open_seconds": round(metrics.open_for, 3),
        "last_opened": iso(metrics.last_opened),
        "failures_per_hour": metrics.failures_per_hour(now),
        "last_day": [
            {"start": iso(period.start), "failures": period.failures, "openings": period.openings}
            for period in circuit_history.over_time(events, now, _WIDTH, _PERIODS)
        ],
    }
