"""The one class that makes a kind of a declaration: recognition, view, faults, changes in words, and the reset."""

import difflib
from collections.abc import Iterable

from statewatch.documents import pointer
from statewatch.documents.diff import Identities
from statewatch.documents.values import JSON, Path, same
from statewatch.kinds import declared_view
from statewatch.kinds.base import Change, Fault, RefusedError, Sentence, Tone, type_name
from statewatch.kinds.declaration import (
    MISSING,
    NOW,
    Declaration,
    found,
    holds_throughout,
    places,
    put,
    value,
)
from statewatch.kinds.declared_view import Circuit, CircuitsView
from statewatch.kinds.details import details
from statewatch.kinds.hooks import CLOSED, first_line
from statewatch.kinds.plain import brief
from statewatch.kinds.times import instant, iso, restamp, stamp

_MOST_ENTRIES = 20
_TONES: dict[str, Tone] = {"completed": "good", "failed": "bad"}


class DeclaredKind:
    """A kind of circuit file, as a declaration describes it."""

    def __init__(self, declaration: Declaration) -> None:
        self.declaration = declaration
        self._derived = tuple(pointer.parse(at) for at in declaration.stamps)

    @property
    def name(self) -> str:
        """Return the name of the kind."""
        return self.declaration.name

    @property
    def can_reset(self) -> bool:
        """Tell whether its circuits can be reset; those of some tools are only shown."""
        return bool(self.declaration.reset)

    def matches(self, document: JSON) -> bool:
        """Tell by content whether the document is of this kind."""
        declared = self.declaration
        if declared.layout != "json":
            return isinstance(document, str if declared.layout == "text" else list)
        return (
            all(found(document, at) is not MISSING for at in declared.has)
            and all(holds_throughout(document, at) for at in declared.every)
            and (not declared.some or any(found(document, at) is not MISSING for at in declared.some))
        )

    def view(self, document: JSON) -> CircuitsView:
        """Return the typed view of a document, whatever its faults."""
        notes = tuple(f"{fault.pointer}: {fault.message}" for fault in self.faults(document))
        seen = declared_view.read(self.declaration, document)
        return seen._replace(notes=notes)

    def linked(self, document: JSON) -> CircuitsView:
        """Return the view of a file that is a symbolic link, where that alone decides what it means."""
        return declared_view.linked(self.declaration, document)

    def faults(self, document: JSON, other: JSON = None) -> list[Fault]:  # noqa: ARG002
        """Return what the tool that owns the file would stumble over."""
        declared = self.declaration
        lacking = [Fault(at, "expected something there, found nothing") for at in self._lacking(document)]
        if lacking or declared.circuits is None:
            return lacking
        return [
            Fault(pointer.render(path) + at, message)
            for path, record in places(document, declared.circuits)
            for at, message in _record_faults(declared, record)
        ]

    def sentences(self, before: JSON, after: JSON) -> list[Sentence]:
        """Say which circuits opened, closed, failed, came or went, and what a log has new."""
        old, new = self.view(before), self.view(after)
        was = {circuit.name: circuit for circuit in old.circuits}
        now = {circuit.name for circuit in new.circuits}
        said = [Sentence(name, "gone from the file", "warn") for name in was if name not in now]
        for circuit in new.circuits:
            known = was.get(circuit.name)
            if known is None:
                said.append(Sentence(circuit.name, f"first seen, {circuit.state}", _tone(circuit)))
            elif known != circuit:
                told = _change(known, circuit)
                said += [told] if told else self._details(known, circuit, before, after)
        if old.status != new.status:
            because = f": {_moved(old.facts, new.facts)}" if old.facts != new.facts else ""
            words = f"{old.status or 'nothing'} → {new.status or 'nothing'}{because}"
            said.append(Sentence(self.name, words, _TONES.get(new.status, "info")))
        if old.log and not new.log:
            said.append(Sentence(self.name, "emptied"))
        elif new.log[: len(old.log)] == old.log:
            said += [Sentence(self.name, entry.text) for entry in new.log[len(old.log) :][-_MOST_ENTRIES:]]
        if not said and old.facts != new.facts:
            said.append(Sentence(self.name, _moved(old.facts, new.facts), routine=_is_routine(old.facts, new.facts)))
        if not said and self.declaration.private:
            said.append(Sentence(self.name, "details changed", routine=True))
        return said or details(self.name, before, after, self.identities)

    def _details(self, old: Circuit, new: Circuit, before: JSON, after: JSON) -> list[Sentence]:
        if self.declaration.private:
            return [Sentence(new.name, "details changed", routine=True)]
        return details(new.name, pointer.get(before, old.place), pointer.get(after, new.place), self.identities)

    @property
    def derived(self) -> tuple[Path, ...]:
        """Return the times of the last change."""
        return self._derived

    @property
    def identities(self) -> Identities:
        """Return which keys tell the objects in its lists apart."""
        return self.declaration.identities

    def refresh(self, document: JSON, now: float) -> JSON:
        """Stamp the file with the time of the change, where it has such a stamp."""
        for at in self.declaration.stamps:
            for path, there in places(document, at):
                document = put(document, path, restamp(now, there))
        return document

    def reset(self, document: JSON, names: Iterable[str], now: float) -> Change:
        """Return the change that closes the named circuits and forgets their failures. *now* is an instant.

        Raises RefusedError for a circuit that is not there, and where the kind is only shown.
        """
        if not self.can_reset:
            raise RefusedError(
                f"what resets {self.declaration.noun} is known to its own tool only; statewatch shows it and changes "
                "nothing in it"
            )
        targets = tuple(dict.fromkeys(names))
        circuits = {circuit.name: circuit for circuit in self.view(document).circuits}
        if missing := [name for name in targets if name not in circuits]:
            raise RefusedError("; ".join(_unknown(name, circuits) for name in missing))
        evidence: list[tuple[Path, ...]] = []
        for name in targets:
            document, changed = self._closed(document, circuits[name].place, now)
            if changed:
                evidence.append(self._telling(changed))
        notes = (self.declaration.note,) if self.declaration.note and evidence else ()
        return Change("reset", targets, document, tuple(evidence), notes)

    def _closed(self, document: JSON, record: Path, now: float) -> tuple[JSON, tuple[Path, ...]]:
        """Return the document with one circuit closed, and the places at which that changed something."""
        changed: list[Path] = []
        for at, wanted in self.declaration.reset.items():
            for path, there in places(pointer.get(document, record), at):
                new = _written(wanted, there, now, self.declaration)
                if not same(there, new):
                    document = put(document, (*record, *path), new)
                    changed.append((*record, *path))
        for at, wanted in self.declaration.remarks.items() if changed else ():
            for path, _ in places(pointer.get(document, record), at):
                document = put(document, (*record, *path), wanted)
        return document, tuple(changed)

    def _telling(self, changed: tuple[Path, ...]) -> tuple[Path, ...]:
        """Return the places that tell an old copy from news: the state, or where that did not change all together."""
        state = pointer.parse(self.declaration.state)
        return next(((path,) for path in changed if state and path[-len(state) :] == state), changed)

    def _lacking(self, document: JSON) -> list[str]:
        declared = self.declaration
        lacking = [at for at in declared.has if found(document, at) is MISSING]
        if declared.some and all(found(document, at) is MISSING for at in declared.some):
            lacking.append(declared.some[0])
        return lacking + [at for at in declared.every if not holds_throughout(document, at)]


def _record_faults(declared: Declaration, record: JSON) -> list[tuple[str, str]]:
    faults = []
    if declared.state and declared_view.worded(declared, raw := found(record, declared.state)) is None:
        known = " or ".join(key for key in declared.words if key != "*") or "closed, open or half_open"
        faults.append((declared.state, f"expected {known}, found {_shown(raw)}"))
    for limit in declared.limits:
        if declared_view.reached(limit, record) is None:
            faults.append((limit.at, f"expected a number or a list of times, found {_shown(found(record, limit.at))}"))
    for at in (declared.until, declared.day):
        there = value(record, at) if at else ""
        if at and instant(f"{there}T00:00:00" if at == declared.day else there, declared.naive) is None:
            faults.append(
                (at, f"expected a {'day' if at == declared.day else 'time'}, found {_shown(found(record, at))}")
            )
    return faults


def _shown(there: object) -> str:
    return "nothing" if there is MISSING else brief(there) if isinstance(there, str) else type_name(there)  # type: ignore[arg-type]


def _written(wanted: JSON, there: JSON, now: float, declared: Declaration) -> JSON:
    """Return what a reset puts in place of what is *there*, in the style of that."""
    if wanted == NOW:
        ends = instant(there, declared.naive)
        return there if ends is not None and ends <= now else stamp(now, there)
    if isinstance(wanted, str) and isinstance(there, str) and there.islower():
        return wanted.lower()
    return wanted


def _unknown(name: str, circuits: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, list(circuits)[:10_000], n=3)
    return f"there is no circuit {name!r}" + (f"; near it: {', '.join(near)}" if near else "")


def _tone(circuit: Circuit) -> Tone:
    return "bad" if circuit.is_open else "info" if circuit.state == CLOSED else "warn"


def _change(old: Circuit, new: Circuit) -> Sentence | None:
    """Say what happened to a circuit; None where it is nothing that circuits do."""
    why = first_line(new.last_error)
    because = f": {why}" if why else ""
    failures, before = new.consecutive_failures or 0, old.consecutive_failures or 0
    if old.state != new.state:
        streak = f" after {failures} in a row" if new.is_open and failures else ""
        tone: Tone = "good" if new.state == CLOSED else _tone(new)
        return Sentence(new.name, f"{old.state} → {new.state}{streak}{because if new.is_open else ''}", tone)
    if old.until != new.until:
        return Sentence(new.name, f"{new.state} until {iso(new.until) or 'somebody resets it'}{because}", "warn")
    if failures > before:
        return Sentence(new.name, f"failed ({failures} in a row){because}", "warn")
    if failures < before:
        return Sentence(new.name, f"failures in a row {before} → {failures}", "good")
    if old.facts == new.facts:
        return None
    return Sentence(new.name, _moved(old.facts, new.facts), routine=_is_routine(old.facts, new.facts))


def _is_routine(old: tuple[tuple[str, str], ...], new: tuple[tuple[str, str], ...]) -> bool:
    """Tell whether figures and texts moved on, as they do all the time, and no answer to a question changed."""
    was = dict(old)
    return not any(was.get(name, text) != text and text in {"yes", "no"} for name, text in new)


def _moved(old: tuple[tuple[str, str], ...], new: tuple[tuple[str, str], ...]) -> str:
    was = dict(old)
    return ", ".join(f"{name} {text}" for name, text in new if was.get(name) != text) or "details changed"
