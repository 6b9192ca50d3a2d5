"""Hook states: the circuit breakers of hooks, as `hook_state.json` holds them.

The view is tolerant: it shows what is there and says what it had to assume. The format is that of the hook guardrails'
state file: `hooks` (name to record) and `global_stats`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from statewatch.documents import pointer
from statewatch.documents.values import JSON, Path
from statewatch.kinds.base import Fault, Need, Sentence, mapping, number, text, type_name, word
from statewatch.kinds.breaker import CLOSED, COUNTERS, HALF_OPEN, OPEN, STATES, TIMES, count_open
from statewatch.kinds.policy import Policy, policy_from
from statewatch.kinds.times import countdown, instant, restamp, span

if TYPE_CHECKING:
    from statewatch.documents.diff import Identities
    from statewatch.kinds.hooks_recent import Recent

__all__ = [
    "CLOSED",
    "COUNTERS",
    "HALF_OPEN",
    "KIND",
    "OPEN",
    "STATES",
    "TIMES",
    "Hook",
    "HooksKind",
    "HooksView",
    "Policy",
    "first_line",
    "needs",
    "open_text",
    "policy_from",
    "view",
]

_RECORD_FIELDS = {"state", "consecutive_failures", "last_error"}
_NOTHING = object()
_LARGE = 500
"""Records from which on what was made of those of the revision before is taken over."""
_ORDER = {OPEN: 0, HALF_OPEN: 1, CLOSED: 3}


@dataclass(frozen=True, slots=True)
class Hook:
    """One circuit as an operator sees it. Times are instants, None where the file has none."""

    name: str
    state: str
    known: bool
    failure_count: int | None
    consecutive_failures: int | None
    consecutive_successes: int | None
    last_error: str | None
    first_failure: float | None
    last_failure: float | None
    last_success: float | None
    disabled_at: float | None
    retry_after: float | None

    @property
    def is_open(self) -> bool:
        """Tell whether the hook is skipped."""
        return self.state == OPEN

    @property
    def rank(self) -> int:
        """Return the place in a list for operators: open, half open, unknown, closed with failures, closed."""
        return _ORDER.get(self.state, 2) + (self.state == CLOSED and not self.failure_count)

    def remaining(self, policy: Policy, now: float) -> float | None:
        """Return the seconds until an open circuit may be tested, negative when it is overdue, None when not open.

        The policy of now decides, as in the tool; the file's own `retry_after` only where it does not say when the
        circuit opened. A clock that jumped must not keep a hook off for years: the rest of a cool-down is never
        longer than the cool-down.
        """
        if self.state != OPEN:
            return None
        cooldown = policy.of(self.name).cooldown
        due = self.retry_after if self.disabled_at is None else self.disabled_at + cooldown
        return None if due is None else min(due - now, cooldown)


@dataclass(frozen=True, slots=True)
class HooksView:
    """All circuits of one hook state, in the order of the file, and its statistics."""

    hooks: tuple[Hook, ...]
    total_executions: int | None
    total_failures: int | None
    last_updated: float | None
    notes: tuple[str, ...] = ()

    def count(self, state: str) -> int:
        """Return how many circuits are in *state*."""
        return sum(hook.state == state for hook in self.hooks)

    def find(self, name: str) -> Hook | None:
        """Return the circuit with that exact name."""
        return next((hook for hook in self.hooks if hook.name == name), None)


class HooksKind:
    """Circuits of hooks (`hook_state.json`)."""

    name = "hooks"

    def matches(self, document: JSON) -> bool:
        """Tell whether there is a `hooks` object whose values look like circuits (or which is still empty)."""
        hooks = mapping(document).get("hooks")
        if not isinstance(hooks, dict):
            return False
        if not hooks:
            return "global_stats" in mapping(document)
        return any(
            _RECORD_FIELDS & mapping(record).keys() or (isinstance(record, str) and word(record) in STATES)
            for record in hooks.values()
        )

    def faults(self, document: JSON, other: JSON = None) -> list[Fault]:
        """Return what the tool that owns the file would stumble over; records shared with *other* are left out."""
        shared = mapping(mapping(other).get("hooks"))
        found = [
            fault
            for name, record in mapping(mapping(document).get("hooks")).items()
            if record is not shared.get(name, _NOTHING)
            for fault in _record_faults(name, record)
        ]
        return [*found, *_faults_around(document)]

    def sentences(self, before: JSON, after: JSON) -> list[Sentence]:
        """Say which hooks failed, opened, were tested, recovered, came or went."""
        old, new = mapping(mapping(before).get("hooks")), mapping(mapping(after).get("hooks"))
        said = [Sentence(name, "gone from the file", "warn") for name in old if name not in new]
        for name, record in new.items():
            if name not in old:
                said.append(_arrival(_hook(name, record)))
            elif record != old[name]:
                told = _change(_hook(name, old[name]), _hook(name, record))
                said += [told] if told else _details(name, old[name], record)
        return said or _details("", before, after)

    @property
    def derived(self) -> tuple[Path, ...]:
        """Return the statistics: every run of every hook moves them."""
        return (("global_stats",),)

    @property
    def identities(self) -> "Identities":
        """Return nothing: hooks are members of an object."""
        return {}

    def refresh(self, document: JSON, now: float) -> JSON:
        """Count the open circuits anew and stamp the statistics with the time of the change."""
        stats = mapping(document).get("global_stats")
        if not isinstance(stats, dict):
            return document
        fresh: dict[str, JSON] = {}
        if "hooks_disabled" in stats:
            fresh["hooks_disabled"] = count_open(mapping(mapping(document).get("hooks")))
        if "last_updated" in stats:
            fresh["last_updated"] = restamp(now, stats["last_updated"])
        return {**mapping(document), "global_stats": {**stats, **fresh}}


KIND = HooksKind()


def view(document: JSON) -> HooksView:
    """Return the typed view of a hook state, whatever its faults."""
    stats = mapping(mapping(document).get("global_stats"))
    seen = _seen(mapping(mapping(document).get("hooks")))
    hooks = tuple(hook for hook, _ in seen.values())
    faults = [*(fault for _, found in seen.values() for fault in found), *_faults_around(document)]
    notes = [f"{fault.pointer}: {fault.message}" for fault in faults]
    recorded = number(stats.get("hooks_disabled"))
    opened = sum(hook.is_open for hook in hooks)
    if recorded is not None and recorded != opened:
        notes.append(f"the statistics say {recorded} disabled, the file has {opened} open")
    notes.extend(
        f"{hook.name!r} has a blank or a slash in it: its tool will rename it" for hook in hooks if _long(hook.name)
    )
    return HooksView(
        hooks=hooks,
        total_executions=number(stats.get("total_executions")),
        total_failures=number(stats.get("total_failures")),
        last_updated=instant(stats.get("last_updated")),
        notes=tuple(notes),
    )


def needs(seen: HooksView, policy: Policy, now: float) -> list[Need]:
    """Return the circuits that keep hooks from running: open ones and ones in a state nobody knows."""
    found = []
    for hook in sorted(seen.hooks, key=lambda each: each.rank):
        if hook.is_open:
            found.append(Need(hook.name, open_text(hook, policy, now), hook.disabled_at))
        elif not hook.known:
            found.append(Need(hook.name, f"state {hook.state!r} is not one hooks have"))
    return found


def first_line(error: str | None) -> str:
    """Return the line of an error that says most: the last one of a Python traceback, else the first non-empty one."""
    lines = [line.strip() for line in (error or "").splitlines() if line.strip()]
    if not lines:
        return ""
    return lines[-1] if lines[0].startswith("Traceback (most recent call last)") else lines[0]


def _hook(name: str, record: JSON) -> Hook:
    fields = mapping(record)
    raw = fields.get("state", record if isinstance(record, str) else None)
    state = word(raw)
    return Hook(
        name=name,
        state=state if state in STATES else text(raw) or "unknown",
        known=state in STATES,
        failure_count=number(fields.get("failure_count")),
        consecutive_failures=number(fields.get("consecutive_failures")),
        consecutive_successes=number(fields.get("consecutive_successes")),
        last_error=text(fields.get("last_error")),
        first_failure=instant(fields.get("first_failure")),
        last_failure=instant(fields.get("last_failure")),
        last_success=instant(fields.get("last_success")),
        disabled_at=instant(fields.get("disabled_at")),
        retry_after=instant(fields.get("retry_after")),
    )


def _seen(records: Mapping[str, JSON]) -> Mapping[str, tuple[Hook, list[Fault]]]:
    """Return each circuit with its faults; of a large hook state those that have not changed are not looked at anew."""

    def make(name: str, record: JSON) -> tuple[Hook, list[Fault]]:
        return _hook(name, record), _record_faults(name, record)

    if len(records) < _LARGE:
        return {name: make(name, record) for name, record in records.items()}
    return _recent().made(records, make)


@cache
def _recent() -> "Recent[tuple[Hook, list[Fault]]]":
    from statewatch.kinds.hooks_recent import Recent  # noqa: PLC0415 - few hook states are large

    return Recent()


def _faults_around(document: JSON) -> list[Fault]:
    """Return what is wrong beside the records."""
    fields = mapping(document)
    hooks, stats = fields.get("hooks"), fields.get("global_stats")
    if not isinstance(hooks, dict):
        return [Fault("/hooks", f"expected an object, found {type_name(hooks)}")]
    if not isinstance(stats, dict):
        return [Fault("/global_stats", f"expected an object, found {type_name(stats)}")]
    return []


def _record_faults(name: str, record: JSON) -> list[Fault]:
    if not isinstance(record, dict):
        return [Fault(pointer.render(("hooks", name)), f"expected an object, found {type_name(record)}")]

    def fault(field: str, expected: str) -> Fault:
        value = record.get(field)
        shown = repr(value)[:60] if isinstance(value, str) else type_name(value)
        return Fault(pointer.render(("hooks", name, field)), f"expected {expected}, found {shown}")

    found = []
    if record.get("state") not in STATES:
        found.append(fault("state", "closed, open or half_open"))
    for field in COUNTERS:
        value = record.get(field, 0)
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            found.append(fault(field, "a whole number from 0"))
    for field in TIMES:
        value = record.get(field)
        if value is not None and (not isinstance(value, str) or instant(value) is None):
            found.append(fault(field, "an ISO 8601 time or null"))
    if not isinstance(record.get("last_error"), str | None):
        found.append(fault("last_error", "a text or null"))
    return found


def _long(name: str) -> bool:
    return " " in name or "/" in name


def policy_text(policy: Policy) -> str:
    """Say when circuits open, are tested and close."""
    return (
        f"opens after {policy.failure_threshold} failures in a row, is tested after {span(policy.cooldown)}, "
        f"closes after {policy.success_threshold} successes"
    )


def open_text(hook: Hook, policy: Policy, now: float) -> str:
    """Say how long an open circuit has been open, when it is tested next, and why it opened."""
    parts = ["open" if hook.disabled_at is None else f"open {span(now - hook.disabled_at)}"]
    left = hook.remaining(policy, now)
    if left is not None:
        parts.append(f"retry in {countdown(left)}" if left > 0 else f"due for {span(-left)}, nothing has run it")
    if rule := policy.excludes(hook.name):
        parts.append(f"runs all the same (excluded by {rule!r})")
    error = first_line(hook.last_error)
    return ", ".join(parts) + (f": {error}" if error else "")


def _arrival(hook: Hook) -> Sentence:
    if hook.state == CLOSED:
        return Sentence(hook.name, "first seen, closed")
    return Sentence(hook.name, f"first seen, {hook.state}", "bad" if hook.is_open else "warn")


def _details(subject: str, before: JSON, after: JSON) -> list[Sentence]:
    from statewatch.kinds.details import details  # noqa: PLC0415 - programs that record calls of hooks need no words

    return details(subject, before, after)


def _change(old: Hook, new: Hook) -> Sentence | None:
    """Say what happened to a hook; None where it is nothing that circuits do."""
    error = first_line(new.last_error)
    because = f": {error}" if error else ""
    if old.state != new.state:
        arrow = f"{old.state} → {new.state}"
        if new.is_open:
            if (new.last_error or "").startswith("Manually disabled"):
                return Sentence(new.name, f"{arrow} by hand", "bad")
            return Sentence(new.name, f"{arrow}{_streak(new, ' after {} in a row')}{because}", "bad")
        return Sentence(new.name, arrow, "good" if new.state == CLOSED else "warn")
    if (new.failure_count or 0) > (old.failure_count or 0):
        return Sentence(new.name, f"failed{_streak(new, ' ({} in a row)')}{because}", "warn")
    if new.last_success != old.last_success:
        return Sentence(new.name, "ran well", routine=True)
    if (new.failure_count or 0) < (old.failure_count or 0):
        return Sentence(new.name, f"failures {old.failure_count} → {new.failure_count or 0}", "good")
    return None


def _streak(hook: Hook, words: str) -> str:
    return words.format(hook.consecutive_failures) if hook.consecutive_failures else ""
