"""`hooks reset`, `enable`, `disable`, `half-open`, `mode`: what operators do to circuits, through the locked core."""

import shlex
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from statewatch.cli.acting import Manner, action_options, carry_out_all
from statewatch.cli.arguments import moment_of
from statewatch.cli.errors import MistakeError
from statewatch.cli.hook_targets import Target, names_options, target_of
from statewatch.kinds.circuit_modes import MODES
from statewatch.kinds.times import duration, iso

if TYPE_CHECKING:
    from statewatch.core.actions import Action
    from statewatch.core.circuits import Verb

_CODES = """
    \b
    Exit codes: 0 done, or nothing to change; 1 no such hook; 2 nobody to ask, or a pattern that matches several;
    3 the hook state cannot be read; 4 refused; 5 overwritten by another writer; 6 locked.
"""


def _circuit_arguments(decorated: Callable[..., Any]) -> Callable[..., Any]:
    return names_options(action_options(decorated))


def _documented(decorated: Callable[..., Any]) -> Callable[..., Any]:
    decorated.__doc__ = (decorated.__doc__ or "").rstrip() + "\n" + _CODES
    return decorated


def _time_options(decorated: Callable[..., Any]) -> Callable[..., Any]:
    for option in (
        click.option("--for", "lasting", metavar="DURATION", help="For so long: 90s, 30m, 2h, 3d, 1d 12h."),
        click.option("--until", metavar="TIME", help="Until a time in ISO 8601; local without an offset."),
    ):
        decorated = option(decorated)
    return decorated


@click.command(short_help="Close circuits and forget their failures.")
@_circuit_arguments
@_documented
def reset(**options: Any) -> int:
    """Close circuits and forget their failures, so that the hooks run as if they were new.

    NAME is a hook as `hooks list` shows it, an address (FILE#/hooks/NAME), or a pattern with * and ?: when it matches
    several they are listed and nothing is done, unless --all-matching says that all are meant. Names that begin with
    '-' go behind '--'. It asks once, showing exactly what would be written. What was there before is kept, and
    `statewatch undo` takes the action back. With --all the statistics begin anew too.

    \b
    Examples:
      statewatch hooks reset validate-file
      statewatch hooks reset 'lint-*' --all-matching --yes
      statewatch hooks reset --all --dry-run
      statewatch hooks reset validate-file --state-file 'redis://localhost/0?namespace=hooks'
      statewatch hooks reset validate-file --yes --why "path fixed" --reapply 3
    """
    return _act("reset", **options)


@click.command(short_help="Reset circuits that are not closed.")
@_circuit_arguments
@_documented
def enable(**options: Any) -> int:
    """Reset circuits that are not closed; leave closed ones as they are. What `disable` or `mode` set is taken back.

    NAME and the options are as for `hooks reset`.

    \b
    Example:
      statewatch hooks enable validate-file
    """
    return _act("enable", **options)


@click.command(short_help="Open circuits: the hooks are skipped.")
@_circuit_arguments
@_time_options
@click.option("--forever", is_flag=True, help="Until `hooks enable` takes it back.")
@_documented
def disable(lasting: str | None, until: str | None, *, forever: bool, **options: Any) -> int:
    """Open circuits, so that the hooks are skipped for one cool-down and then tested.

    With --for, --until or --forever the hooks are skipped for just so long, whatever happens to their circuits; that
    holds for programs which run hooks through statewatch, and is kept beside the hook state. NAME and the other options
    are as for `hooks reset`.

    \b
    Examples:
      statewatch hooks disable validate-file --why "hangs on large files"
      statewatch hooks disable validate-file --for 2h
      statewatch hooks disable 'lint-*' --all-matching --until 2026-12-01T08:00
    """
    if (lasting is not None) + (until is not None) + forever > 1:
        raise click.UsageError("give one of --for, --until and --forever.")
    if lasting is None and until is None and not forever:
        return _act("disable", **options)
    return _set_mode("skip", _end(lasting, until), **options)


@click.command("half-open", short_help="Let open circuits be tested at once.")
@_circuit_arguments
@_documented
def half_open(**options: Any) -> int:
    """Let open circuits be tested at once, at the next run, instead of after the cool-down.

    NAME and the options are as for `hooks reset`.

    \b
    Example:
      statewatch hooks half-open validate-file
    """
    return _act("half-open", **options)


@click.command(short_help="Let hooks always run, be skipped, or only be counted.")
@click.argument("word", type=click.Choice(list(MODES)), metavar="MODE")
@_circuit_arguments
@_time_options
@_documented
def mode(word: str, lasting: str | None, until: str | None, **options: Any) -> int:
    """Give circuits a MODE, for a while or until it is taken back.

    It is kept beside the hook state, and holds for hooks that statewatch runs.

    \b
    normal      what the thresholds and the cool-down say
    skip        the hooks are not run
    always-run  the hooks run, and their circuits never open
    count-only  the hooks run; their circuits open and close, to show what would have happened

    NAME and the other options are as for `hooks reset`; a hook need not have run yet.

    \b
    Examples:
      statewatch hooks mode always-run damage-control
      statewatch hooks mode skip validate-file --for 2h
      statewatch hooks mode normal --all
    """
    if lasting is not None and until is not None:
        raise click.UsageError("give one of --for and --until.")
    return _set_mode(word, _end(lasting, until), **options)


ACTIONS = (reset, enable, disable, half_open, mode)


def _act(
    verb: "Verb",
    names: tuple[str, ...],
    state_file: str | None,
    why: str,
    *,
    every: bool,
    all_matching: bool,
    **manner: Any,
) -> int:
    target = target_of(verb, names, state_file, every=every, all_matching=all_matching)
    from statewatch.core.circuits import circuit_actions  # noqa: PLC0415 - only who acts pays for it

    is_all = verb == "reset" and every
    words = ["statewatch", "hooks", verb, "--reapply", "3", "--state-file", target.address]
    words += ["--all"] if is_all else _named(target)
    actions = circuit_actions(verb, target.source, None if is_all else target.hooks, why=why, via="cli")
    return _carry_out(target, actions, words, manner)


def _set_mode(
    word: str,
    until: float | None,
    names: tuple[str, ...],
    state_file: str | None,
    why: str,
    *,
    every: bool,
    all_matching: bool,
    **manner: Any,
) -> int:
    target = target_of("give that mode", names, state_file, every=every, all_matching=all_matching, known_only=False)
    from statewatch.core.circuits import mode_action  # noqa: PLC0415

    end = [] if until is None else ["--until", iso(until) or ""]
    words = ["statewatch", "hooks", "mode", word, *end, "--reapply", "3", "--state-file", target.address]
    action = mode_action(target.source, target.hooks, MODES[word], until, name=f"mode {word}", why=why, via="cli")
    return _carry_out(target, [action], [*words, *_named(target)], manner)


def _carry_out(target: Target, actions: "Sequence[Action]", words: Sequence[str], manner: dict[str, Any]) -> int:
    if manner.get("settle") is None and not isinstance(target.source, Path):
        manner["settle"] = 0.0  # whoever writes a store knows its lock
    again = shlex.join(words)
    return carry_out_all([(action, again) for action in actions], Manner(**manner))


def _named(target: Target) -> list[str]:
    dash = ["--"] if any(name.startswith("-") for name in target.hooks) else []
    return [*dash, *target.hooks]


def _end(lasting: str | None, until: str | None) -> float | None:
    """Return the instant at which a mode ends, None for never."""
    now = time.time()
    if lasting is not None:
        try:
            return now + duration(lasting)
        except ValueError as error:
            raise MistakeError(str(error)) from None
    if until is None:
        return None
    moment = moment_of(until, now)
    if moment is None or moment <= now:
        raise MistakeError(f"{until!r} is no time to come; one looks like 2026-12-01T08:00")
    return moment
