"""`hooks`: the circuits of hooks."""

import os
from collections.abc import Callable
from typing import Any

import click

from statewatch.cli import output, shapes
from statewatch.cli.arguments import (
    asked_moment,
    at_option,
    current_time,
    file_of,
    files_of,
    help_instead,
    home_hook_state,
    json_option,
    paths_argument,
)
from statewatch.cli.columns import Column
from statewatch.cli.hook_actions import ACTIONS
from statewatch.cli.hook_sources import extras_beside, store_source
from statewatch.cli.hook_targets import state_file_option
from statewatch.cli.hooks_config import config
from statewatch.cli.hooks_install import install, uninstall
from statewatch.cli.hooks_show import history, show
from statewatch.cli.hooks_watch import watch
from statewatch.cli.listing import Listing, listing_of
from statewatch.core.stores.urls import is_store_url
from statewatch.documents.text import harmless
from statewatch.documents.values import JSON
from statewatch.kinds.circuit_extras import entry_of
from statewatch.kinds.circuit_modes import mode_row
from statewatch.kinds.hooks import OPEN, Hook, HooksView, first_line, open_text, policy_text
from statewatch.kinds.times import iso, span
from statewatch.watch.picture import Picture, Source


@click.group(name="hooks", invoke_without_command=True)
@click.pass_context
def command(ctx: click.Context) -> int:
    """List the circuits of hooks, judge them, and reset, test, switch on or off; put hooks behind them.

    The hook state is that of your home (~/.claude/hook_state.json, or where guardrails.yaml or GUARDRAILS_STATE_FILE
    puts it) unless PATHs or --state-file name others.
    """
    return help_instead(ctx)


for each in (*ACTIONS, show, history, config, watch, install, uninstall):
    command.add_command(each)


def _source_arguments(decorated: Callable[..., Any]) -> Callable[..., Any]:
    for option in (json_option, at_option, state_file_option, paths_argument):
        decorated = option(decorated)
    return decorated


@command.command(name="list", short_help="Every circuit, open ones first.")
@_source_arguments
def list_hooks(paths: tuple[str, ...], state_file: str | None, *, as_json: bool) -> int:
    """List the circuits: open ones first, then half open, closed with failures, closed.

    \b
    Examples:
      statewatch hooks list
      statewatch hooks list --json | jq -r '.[] | select(.state == "open") | .hook'
      statewatch hooks list ~/src/project

    \b
    Exit codes: 0 done, 1 a named file is no hook state, 3 a source cannot be read.
    """
    listing = _listing(paths, state_file)
    now = listing.picture.at
    if as_json:
        output.json_out(
            [
                {**shapes.hook_row(source, hook, now), **mode_row(entry_of(extras, hook.name), now)}
                for source, view in listing.sources
                for extras in [extras_beside(source, state_file)]
                for hook in _in_order(view)
            ]
        )
        return listing.code
    for source, view in listing.sources:
        extras = extras_beside(source, state_file)
        if len(listing.sources) > 1:
            output.say(output.paint(output.shown_path(source.key), "title"))
        hooks = _in_order(view)
        modes = [mode_row(entry_of(extras, hook.name), now)["mode"] or "" for hook in hooks]
        output.table(
            (
                Column("state"),
                *([Column("mode")] if any(modes) else []),
                Column("hook", 8, is_name=True),
                Column("in a row", align="right", dispensable=2),
                Column("failures", align="right", dispensable=3),
                Column("for", align="right", dispensable=1),
                Column("retry"),
                Column("last error", 24, elastic=True),
            ),
            [
                (cells[0], *([mode] if any(modes) else []), *cells[1:])
                for hook, mode in zip(hooks, modes, strict=True)
                for cells in [_cells(source, hook, now)]
            ],
            [hook.state for hook in hooks],
        )
        output.note(f"{_summary(view)} in {output.shown_path(source.key)}")
    return listing.code


@command.command(short_help="Counts, failure rate, policy; exit 1 when one is open.")
@_source_arguments
def health(paths: tuple[str, ...], state_file: str | None, *, as_json: bool) -> int:
    """Judge the circuits: how many are in which state, the failure rate, what is overdue, which policy applies.

    \b
    Examples:
      statewatch hooks health
      statewatch hooks health --json | jq .failure_rate

    \b
    Exit codes: 0 no circuit is open, 1 one is, 3 a source cannot be read.
    """
    listing = _listing(paths, state_file)
    now = listing.picture.at
    judged = [_health(source, view, now) for source, view in listing.sources]
    if as_json:
        output.json_out({**_totals([view for _, view in listing.sources], judged), "sources": judged})
    else:
        for source, view in listing.sources:
            _print_health(source, view, now)
    return listing.code or int(any(view.count(OPEN) for _, view in listing.sources))


def _listing(paths: tuple[str, ...], state_file: str | None) -> Listing[HooksView]:
    if state_file is not None and is_store_url(state_file):
        if paths:
            raise click.UsageError("give PATHs or the URL of a store, not both.")
        return Listing(Picture(current_time()), (store_source(state_file),), 0)
    named = (*files_of(paths), *((file_of(state_file),) if state_file is not None else ()))
    if not named:
        home = home_hook_state()
        if asked_moment() is None and not os.path.lexists(home):
            output.note(f"There is no hook state at {output.shown_path(home)}. --state-file names another one.")
            return Listing(Picture(0.0), (), 0)
        named = (home,)
    listing = listing_of(named, "hooks", HooksView)
    if not listing.sources and not listing.code:
        output.note(f"No hook state found in {', '.join(listing.picture.watching.looked_in)}.")
    return listing


def _in_order(view: HooksView) -> list[Hook]:
    return sorted(view.hooks, key=lambda hook: (hook.rank, hook.name.casefold()))


def _cells(source: Source, hook: Hook, now: float) -> tuple[str, ...]:
    opened = "" if hook.disabled_at is None else span(now - hook.disabled_at)
    return (
        harmless(hook.state, 30),
        harmless(hook.name, 300),
        _number(hook.consecutive_failures),
        _number(hook.failure_count),
        opened,
        _retry(source, hook, now),
        harmless(first_line(hook.last_error), 500),
    )


def _number(value: int | None) -> str:
    return "?" if value is None else str(value)


def _retry(source: Source, hook: Hook, now: float) -> str:
    left = hook.remaining(source.policy, now)
    if hook.is_open and source.policy.excludes(hook.name):
        return "runs: excluded"
    if left is None:
        return ""
    return f"in {span(left)}" if left > 0 else f"due {span(-left)}"


def _summary(view: HooksView) -> str:
    counts = shapes.hook_counts(view)
    states = ", ".join(f"{counts[state]:,} {state.replace('_', ' ')}" for state in list(counts)[1:] if counts[state])
    return f"{output.count(len(view.hooks), 'hook')}{f': {states}' if states else ''}"


def _overdue(source: Source, view: HooksView, now: float) -> list[Hook]:
    return [hook for hook in view.hooks if (left := hook.remaining(source.policy, now)) is not None and left <= 0]


def _rate(failures: int | None, executions: int | None) -> float | None:
    return round(failures / executions, 4) if failures is not None and executions else None


def _health(source: Source, view: HooksView, now: float) -> dict[str, JSON]:
    policy = source.policy
    return {
        "source": source.key,
        **shapes.hook_counts(view),
        "overdue": len(_overdue(source, view, now)),
        "failing": sum(bool(hook.failure_count) for hook in view.hooks),
        "total_executions": view.total_executions,
        "total_failures": view.total_failures,
        "failure_rate": _rate(view.total_failures, view.total_executions),
        "last_updated": iso(view.last_updated),
        "open_hooks": [shapes.hook_row(source, hook, now) for hook in _in_order(view) if hook.is_open],
        "policy": {
            "failure_threshold": policy.failure_threshold,
            "cooldown_seconds": policy.cooldown,
            "success_threshold": policy.success_threshold,
            "exclude": list(policy.exclude),
        },
        "notes": list(view.notes),
    }


def _totals(views: list[HooksView], judged: list[dict[str, JSON]]) -> dict[str, JSON]:
    names = ("hooks", "open", "half_open", "closed", "other", "overdue", "failing")
    totals: dict[str, JSON] = {name: sum(int(str(each[name])) for each in judged) for name in names}
    executions = sum(view.total_executions or 0 for view in views)
    failures = sum(view.total_failures or 0 for view in views)
    return {
        **totals,
        "total_executions": executions,
        "total_failures": failures,
        "failure_rate": _rate(failures, executions),
    }


def _print_health(source: Source, view: HooksView, now: float) -> None:
    policy, overdue = source.policy, _overdue(source, view, now)
    rate = _rate(view.total_failures, view.total_executions)
    runs = f"{_number(view.total_failures)} of {_number(view.total_executions)} runs"
    facts = [
        ("circuits", _summary(view)),
        ("overdue", f"{len(overdue)} open past the cool-down: nothing has run them since" if overdue else "none"),
        ("failures", runs + ("" if rate is None else f" ({rate:.0%})")),
        ("updated", "unknown" if view.last_updated is None else f"{span(now - view.last_updated)} ago"),
        ("policy", policy_text(policy)),
    ]
    if policy.exclude:
        facts.append(("excluded", ", ".join(policy.exclude)))
    facts += [
        ("open", f"{hook.name}: {open_text(hook, source.policy, now)}") for hook in _in_order(view) if hook.is_open
    ]
    facts += [("note", text) for text in view.notes]
    output.say(output.paint(output.shown_path(source.key), "title"))
    output.facts(facts)
