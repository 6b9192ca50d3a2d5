"""What an operator may do to the circuits of a hook state: pure functions from document to document.

Records are changed field by field and never rebuilt: fields this module does not know, the order of keys and the style
of timestamps stay. A field that a record does not have is not added, except `state`, and `disabled_at` on opening.
"""

import difflib
from collections.abc import Callable, Iterable, Mapping
from typing import TypeAlias

from statewatch.documents.values import JSON, Path, same
from statewatch.kinds.base import Change, RefusedError, mapping, number, text, word
from statewatch.kinds.breaker import CLOSED, COUNTERS, HALF_OPEN, OPEN, TIMES, Record, blank
from statewatch.kinds.circuit_extras import entry_of, with_entry, with_mode
from statewatch.kinds.circuit_modes import mode_word
from statewatch.kinds.policy import Policy
from statewatch.kinds.times import span, stamp

Transition: TypeAlias = Callable[[Record, float, Policy], Record]

MANUAL = "Manually disabled via statewatch"
_NAMED = 5
_EVENT_TIMES = ("disabled_at", "first_failure")


def reset(document: JSON, names: Iterable[str], now: float, policy: Policy) -> Change:
    """Close the circuits and forget their failures, so that the hooks run as if they were new."""
    return _change("reset", document, names, now, policy, _closed)


def reset_all(document: JSON, now: float, policy: Policy) -> Change:
    """Reset every circuit of the document and begin its statistics anew."""
    change = _change("reset all", document, _hooks(document), now, policy, _closed)
    return Change(change.name, change.targets, _without_statistics(change.document), change.evidence)


def forget(document: JSON, names: Iterable[str], now: float, policy: Policy) -> Change:  # noqa: ARG001 - as the rest
    """Take the records of hooks away, as the tool that owns the file resets them.

    A record that has fields of others keeps those, and is reset.
    """
    targets = tuple(dict.fromkeys(names))
    hooks = dict(_hooks(document))
    evidence: list[tuple[Path, ...]] = []
    for target in targets:
        if not isinstance(before := hooks.get(target), dict):
            raise RefusedError(_unknown(target, hooks) if target not in hooks else _no_object(target))
        fields = blank()
        if others := {name: value for name, value in before.items() if name not in fields}:
            hooks[target] = fields | others
        else:
            del hooks[target]
        times = [field for field in _EVENT_TIMES if before.get(field) is not None]
        evidence += [(("hooks", target, field),) for field in times] or [(("hooks", target),)]
    return Change("reset", targets, {**mapping(document), "hooks": hooks}, tuple(evidence))


def forget_all(document: JSON, now: float, policy: Policy) -> Change:
    """Take all records away, and begin the statistics anew; what is no record stays as it is."""
    names = [name for name, record in _hooks(document).items() if isinstance(record, dict)]
    change = forget(document, names, now, policy)
    return Change("reset all", change.targets, _without_statistics(change.document), change.evidence)


def enable(document: JSON, names: Iterable[str], now: float, policy: Policy) -> Change:
    """Reset the circuits that are not closed; closed ones are left as they are."""
    return _change("enable", document, names, now, policy, _enabled)


def half_open(document: JSON, names: Iterable[str], now: float, policy: Policy) -> Change:
    """Let open circuits be tested at once instead of after the cool-down."""
    return _change("half-open", document, names, now, policy, _tested)


def disable(document: JSON, names: Iterable[str], now: float, policy: Policy) -> Change:
    """Open the circuits, as that many failures in a row would: they stay off for one cool-down, then are tested."""
    return _change("disable", document, names, now, policy, _opened)


def set_mode(extras: JSON, names: Iterable[str], mode: str | None, until: float | None) -> Change:
    """Give circuits a mode in the document that is kept beside them, until an instant or for ever; None takes it away.

    Raises RefusedError for a word that is no mode, and for a document that is not what is kept there.
    """
    targets = tuple(dict.fromkeys(names))
    after = extras
    for name in targets:
        entry = entry_of(extras, name)
        if (changed := with_mode(entry, mode, until)) != entry:
            after = with_entry(after, name, changed)
    notes = () if mode is None else ("it holds for hooks that are run through statewatch",)
    return Change("mode", targets, after, tuple((("circuits", name),) for name in targets), notes)


def forget_extras(extras: JSON, names: Iterable[str]) -> Change:
    """Take away all that is kept beside circuits which are reset: their modes, tests, and openings in a row.

    Raises RefusedError for a document that is not what is kept there.
    """
    targets = tuple(name for name in dict.fromkeys(names) if entry_of(extras, name))
    after = extras
    notes = []
    for name in targets:
        if (mode := entry_of(extras, name).get("mode")) is not None:
            notes.append(f"{name} is in no mode any more; it was {mode_word(text(mode))}")
        after = with_entry(after, name, {})
    if len(notes) > _NAMED:
        notes[_NAMED:] = [f"{len(notes) - _NAMED} more are in no mode any more"]
    return Change("reset", targets, after, tuple((("circuits", name),) for name in targets), tuple(notes))


def _closed(record: Record, _now: float, _policy: Policy) -> Record:
    gone: Record = {"first_failure": None, "last_error": None, "disabled_at": None, "retry_after": None}
    return _set(record, CLOSED, gone | dict.fromkeys(COUNTERS, 0))


def _enabled(record: Record, now: float, policy: Policy) -> Record:
    return record if record.get("state") == CLOSED else _closed(record, now, policy)


def _tested(record: Record, _now: float, _policy: Policy) -> Record:
    state = word(record.get("state"))
    if state == HALF_OPEN:
        return record
    if state == CLOSED:
        raise RefusedError("it is closed, so it runs already; only an open circuit can be tested")
    if state != OPEN:
        raise RefusedError(
            f"its state is {record.get('state')!r}; only an open circuit can be tested. Reset it instead"
        )
    return _set(record, HALF_OPEN, {"consecutive_failures": 0, "consecutive_successes": 0})


def _opened(record: Record, now: float, policy: Policy) -> Record:
    if word(record.get("state")) == OPEN:
        return record
    streak = max(number(record.get("consecutive_failures")) or 0, policy.failure_threshold)
    added = max(1, streak - (number(record.get("consecutive_failures")) or 0))
    opened = stamp(now, next((record[field] for field in TIMES if record.get(field)), None))
    return _set(
        record,
        OPEN,
        {
            "failure_count": (number(record.get("failure_count")) or 0) + added,
            "consecutive_failures": streak,
            "consecutive_successes": 0,
            "first_failure": record.get("first_failure") or opened,
            "last_failure": opened,
            "last_error": MANUAL,
            "disabled_at": opened,
            "retry_after": stamp(now + policy.cooldown, opened),
        },
        add=("disabled_at",),  # without it the circuit would be due at once
    )


def _set(record: Record, state: str, fields: Record, add: tuple[str, ...] = ()) -> Record:
    known = {key: value for key, value in fields.items() if key in record or key in add}
    return {**record, "state": state, **known}


def _without_statistics(document: JSON) -> JSON:
    stats = mapping(document).get("global_stats")
    if not isinstance(stats, dict):
        return document
    zero: Record = {field: 0 for field in ("total_executions", "total_failures") if field in stats}
    return {**mapping(document), "global_stats": {**stats, **zero}}


def _no_object(target: str) -> str:
    return f"hook {target!r} is not an object in the file; mend the file first"


def _hooks(document: JSON) -> Record:
    hooks = mapping(document).get("hooks")
    if not isinstance(hooks, dict):
        raise RefusedError("the document has no hooks object, so it is not a hook state")
    return hooks


def _change(
    name: str, document: JSON, names: Iterable[str], now: float, policy: Policy, transition: Transition
) -> Change:
    before = _hooks(document)
    targets = tuple(dict.fromkeys(names))
    if missing := [target for target in targets if target not in before]:
        raise RefusedError("; ".join(_unknown(target, before) for target in missing))
    hooks = dict(before)
    evidence: list[tuple[Path, ...]] = []
    refused: list[str] = []
    for target in targets:
        record = before[target]
        if not isinstance(record, dict):
            raise RefusedError(_no_object(target))
        try:
            hooks[target] = transition(record, now, policy)
        except RefusedError as error:
            refused.append(f"hook {target!r}: {error}")
            continue
        if not same(hooks[target], record):
            evidence += _evidence(target, record, mapping(hooks[target]))
    if len(refused) == len(targets) and refused:
        raise RefusedError("; ".join(refused))
    after: JSON = {**mapping(document), "hooks": hooks}
    notes = (*_notes(name, targets, policy), *(f"left as it is: {reason}" for reason in refused))
    return Change(name, targets, after if evidence else document, tuple(evidence), notes)


def _notes(name: str, targets: tuple[str, ...], policy: Policy) -> tuple[str, ...]:
    """Say what the policy makes of opening a circuit."""
    if name != "disable":
        return ()
    always = [target for target in targets if policy.excludes(target)]
    excluded = (f"excluded by the policy, so it runs in any state: {', '.join(always)}",) if always else ()
    return (f"skipped for {span(policy.cooldown)}, the cool-down; then the tool that owns the file tests it", *excluded)


def _evidence(target: str, before: Record, after: Mapping[str, JSON]) -> list[tuple[Path, ...]]:
    """Say by what an old copy of the record is told from news about it.

    A time that was taken away and is there again can only come from an old copy, whatever else its writer has changed.
    Without one it is the state and when it began, or else every field together: a counter alone may have moved on.
    """
    changed = [field for field in before if not same(before[field], after.get(field))]
    times = [field for field in _EVENT_TIMES if field in changed and before[field] is not None]
    if times:
        return [(("hooks", target, field),) for field in times]
    fields = [field for field in ("state", "disabled_at") if field in before] if "state" in changed else changed
    return [tuple(("hooks", target, field) for field in fields)]


def _unknown(target: str, hooks: Record) -> str:
    near = difflib.get_close_matches(target, list(hooks)[:10_000], n=3)
    hint = f"; near it: {', '.join(near)}" if near else ""
    return f"there is no hook {target!r}{hint}"
