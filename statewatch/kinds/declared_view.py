"""Circuits of any tool as an operator sees them, read from a document as a declaration describes it.

The view is tolerant: it shows what is there. A word that nobody knows is shown as it is and never taken for healthy.
"""

import re
from typing import NamedTuple

from statewatch.documents import pointer
from statewatch.documents.values import JSON, Path
from statewatch.kinds.base import Need, number, text, word
from statewatch.kinds.declaration import MISSING, Declaration, Fact, Limit, found, places, value
from statewatch.kinds.hooks import CLOSED, HALF_OPEN, OPEN, STATES, Policy, first_line
from statewatch.kinds.plain import brief
from statewatch.kinds.times import countdown, instant, span

_ORDER = {OPEN: 0, HALF_OPEN: 1, CLOSED: 3}
_DAY = 86_400.0
_MOST_CIRCUITS = 20_000


class Circuit(NamedTuple):
    """One circuit. Times are instants, None where the file has none; what hooks have, too, is called the same.

    `disabled_at` is when it opened, `until` when it closes by itself; `last_error` says why it is as it is. `place` is
    where its record stands.
    """

    name: str
    state: str
    known: bool
    place: Path = ()
    consecutive_failures: int | None = None
    failure_count: int | None = None
    last_error: str | None = None
    disabled_at: float | None = None
    last_success: float | None = None
    until: float | None = None
    facts: tuple[tuple[str, str], ...] = ()
    can_reset: bool = False

    @property
    def is_open(self) -> bool:
        """Tell whether it keeps something from running."""
        return self.state == OPEN

    @property
    def rank(self) -> int:
        """Return the place in a list for operators: open, half open, unknown, closed with failures, closed."""
        return _ORDER.get(self.state, 2) + (self.state == CLOSED and not self.consecutive_failures)

    def at(self, now: float) -> "Circuit":
        """Return the circuit as it is at *now*: one that was open until then is closed."""
        over = self.is_open and self.until is not None and self.until <= now
        return self._replace(state=CLOSED, disabled_at=None, until=None) if over else self

    def remaining(self, policy: Policy, now: float) -> float | None:  # noqa: ARG002 - as a hook has it
        """Return the seconds until an open circuit closes by itself, None when it does not."""
        return None if self.until is None or not self.is_open else self.until - now


class Entry(NamedTuple):
    """One entry of a log: when, and what it says."""

    at: float | None
    text: str


class CircuitsView(NamedTuple):
    """What one file says: its circuits, or a status, facts and a log where it has none; and what had to be assumed.

    `calls` says what the operator is called for.
    """

    circuits: tuple[Circuit, ...] = ()
    status: str = ""
    facts: tuple[tuple[str, str], ...] = ()
    log: tuple[Entry, ...] = ()
    note: str = ""
    notes: tuple[str, ...] = ()
    calls: str = ""

    def at(self, now: float) -> "CircuitsView":
        """Return the view as it is at *now*."""
        current = tuple(circuit.at(now) for circuit in self.circuits)
        return self if current == self.circuits else self._replace(circuits=current)

    def in_state(self, state: str) -> int:
        """Return how many circuits are in *state*."""
        return sum(circuit.state == state for circuit in self.circuits)

    def find(self, name: str) -> Circuit | None:
        """Return the circuit with that exact name."""
        return next((circuit for circuit in self.circuits if circuit.name == name), None)


def read(declaration: Declaration, document: JSON) -> CircuitsView:
    """Return the view of a document of the declared kind, whatever its faults."""
    if declaration.circuits is None:
        log = _log(declaration, document)
        return CircuitsView(
            status=word(value(document, declaration.status)) or declaration.stands,
            facts=(*_facts(declaration.facts, document), *_summed_up(log)),
            log=log,
            note=declaration.note,
            calls=declaration.calls,
        )
    circuits = []
    for path, record in places(document, declaration.circuits):
        circuits.append(_circuit(declaration, path, record))
        if len(circuits) >= _MOST_CIRCUITS:
            break
    return CircuitsView(tuple(circuits), note=declaration.note)


def linked(declaration: Declaration, document: JSON) -> CircuitsView:
    """Return the view of a file that is a symbolic link, where that alone decides."""
    named = next(iter(read(declaration, document).circuits), Circuit(declaration.label, OPEN, known=True))
    why = f"the file is a symbolic link: {declaration.when_linked}"
    opened = named._replace(state=OPEN, known=True, last_error=why, disabled_at=None, until=None, can_reset=False)
    return CircuitsView((opened,), note=declaration.note)


def needs(seen: CircuitsView, now: float) -> list[Need]:
    """Return what keeps something from running at *now*: open circuits, ones in a state nobody knows, and calls."""
    if seen.calls:
        return [Need(seen.status, seen.calls)]
    current = [circuit for circuit in seen.at(now).circuits if circuit.is_open or not circuit.known]
    return [
        Need(circuit.name, open_text(circuit, now) if circuit.is_open else unknown_text(circuit), circuit.disabled_at)
        for circuit in sorted(current, key=lambda each: each.rank)
    ]


def open_text(circuit: Circuit, now: float) -> str:
    """Say how long an open circuit has been open, after how many failures, when it closes by itself, and why."""
    parts = ["open" if circuit.disabled_at is None else f"open {span(now - circuit.disabled_at)}"]
    why = first_line(circuit.last_error)
    if circuit.consecutive_failures and "in a row" not in why:
        parts.append(f"{circuit.consecutive_failures} in a row")
    if circuit.until is not None:
        parts.append(f"ends by itself in {countdown(circuit.until - now)}")
    return ", ".join(parts) + (f": {why}" if why else "")


def unknown_text(circuit: Circuit) -> str:
    """Say that a circuit is in a state which its kind does not have."""
    return f"state {circuit.state!r} is not one that is known"


def reached(limit: Limit, record: JSON) -> tuple[float, float | None] | None:
    """Return how much of a limit has been counted and until when that holds; None where no count stands there."""
    counted = value(record, limit.at)
    if isinstance(counted, list):
        times = sorted(at for at in map(instant, counted) if at is not None)
        if limit.within is None or not times:
            return len(counted), None
        recent = [at for at in times if at > times[-1] - limit.within]
        return len(recent), recent[-limit.most] + limit.within if len(recent) >= limit.most else None
    if isinstance(counted, int | float) and not isinstance(counted, bool):
        return counted, None
    whole = number(counted)
    return None if whole is None else (whole, None)


def worded(declaration: Declaration, raw: object) -> str | None:
    """Return the state that *raw* means in the words of the declaration, or None where it means none."""
    if raw is MISSING:
        return None
    words = declaration.words or {state: state for state in STATES}
    if isinstance(raw, str):
        named = words.get(word(raw))
    else:
        named = words.get("null" if raw is None else str(raw).lower() if isinstance(raw, bool) else "")
    return named or (words.get("*") if raw is not None else None)


def _circuit(declaration: Declaration, path: Path, record: JSON) -> Circuit:
    hits = [
        (f"{counted[0]:g} of {limit.most} {limit.what}", counted[1])
        for limit in declaration.limits
        if (counted := reached(limit, record)) is not None and counted[0] >= limit.most
    ]
    state, known = _state(declaration, record, hits=bool(hits))
    reason = next((each for at in declaration.reason if (each := text(value(record, at)))), None)
    streaks = [count for at in declaration.streak if (count := number(value(record, at))) is not None]
    opened_at = [instant(value(record, at), declaration.naive) for at in declaration.since]
    return Circuit(
        name=_name(declaration, path, record),
        state=state,
        known=known,
        place=path,
        consecutive_failures=max(streaks, default=None),
        failure_count=number(value(record, declaration.total)),
        last_error=reason or "; ".join(said for said, _ in hits) or None,
        disabled_at=next((at for at in opened_at if at is not None), None) if state in {OPEN, HALF_OPEN} else None,
        until=_until(declaration, record, [until for _, until in hits]) if state == OPEN else None,
        facts=_facts(declaration.facts, record),
        can_reset=bool(declaration.reset),
    )


def _name(declaration: Declaration, path: Path, record: JSON) -> str:
    if path:
        members = pointer.parse(declaration.circuits or "")
        return "/".join(str(key) for key, token in zip(path, members, strict=True) if token == "*")
    if not declaration.label.startswith("/"):
        return declaration.label
    return text(value(record, declaration.label)) or declaration.name


def _state(declaration: Declaration, record: JSON, *, hits: bool) -> tuple[str, bool]:
    """Return the state of a record and whether it is one that is known."""
    if declaration.state:
        raw = found(record, declaration.state)
        state = worded(declaration, raw)
        return (state, True) if state else (_as_it_is(raw), False)
    if declaration.until:
        raw = found(record, declaration.until)
        ends = None if raw is MISSING else instant(value(record, declaration.until), declaration.naive)
        return (_as_it_is(raw), False) if ends is None else (OPEN, True)
    if hits:
        return OPEN, True
    counted = all(reached(limit, record) is not None for limit in declaration.limits)
    return (CLOSED, True) if counted else ("unknown", False)


def _as_it_is(raw: object) -> str:
    return (text(raw) or "unknown") if isinstance(raw, str) else "unknown" if raw is MISSING else brief(raw)  # type: ignore[arg-type]


def _until(declaration: Declaration, record: JSON, ends: list[float | None]) -> float | None:
    if declaration.until:
        return instant(value(record, declaration.until), declaration.naive)
    if declaration.day:
        begun = instant(f"{value(record, declaration.day)}T00:00:00")
        return None if begun is None else begun + _DAY
    known = [end for end in ends if end is not None]
    return max(known) if known and len(known) == len(ends) else None


def _facts(declared: tuple[Fact, ...], record: JSON) -> tuple[tuple[str, str], ...]:
    shown = []
    for fact in declared:
        there = value(record, fact.at)
        if there is None or there == "":
            continue
        most = value(record, fact.of) if isinstance(fact.of, str) else fact.of
        shown.append((fact.name, _said(there) + (f" of {_said(most)}" if most is not None else "")))
    return tuple(shown)


def _said(there: JSON) -> str:
    if isinstance(there, bool):
        return "yes" if there else "no"
    if isinstance(there, dict | list):
        return str(len(there))
    return there if isinstance(there, str) else f"{there:,}" if isinstance(there, int) else f"{there:,.10g}"


def _log(declaration: Declaration, document: JSON) -> tuple[Entry, ...]:
    if not declaration.log or not isinstance(document, list):
        return ()
    return tuple(
        Entry(instant(value(entry, declaration.logged_at), declaration.naive), _filled(declaration.log, entry))
        for entry in document
    )


def _summed_up(log: tuple[Entry, ...]) -> tuple[tuple[str, str], ...]:
    return (("entries", f"{len(log):,}"), ("latest", log[-1].text)) if log else ()


def _filled(template: str, entry: JSON) -> str:
    def filling(field: re.Match[str]) -> str:
        choices = (value(entry, f"/{name}") for name in field[1].split("|"))
        there = next((each for each in choices if each is not None), None)
        return "?" if there is None else _said(there)

    return re.sub(r"\{([\w|]+)\}", filling, template)
