"""Keyed state: namespaces of keys with values and times, and files that count the versions of each key besides.

`.claude/state/NAMESPACE/state.json` has times in UTC; `.claude/state/state.json`, which keeps a backup of each version
beside it, has local ones. The history of a key is what those backups say of it.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from statewatch.documents.diff import Identities
from statewatch.documents.pointer import render
from statewatch.documents.values import JSON, Path, same
from statewatch.kinds.base import Fault, Sentence, mapping, number, type_name
from statewatch.kinds.plain import PlainKind, brief
from statewatch.kinds.times import Zone, instant

_STAMP: Final = re.compile(r"state_(\d{4})(\d\d)(\d\d)_(\d\d)(\d\d)(\d\d)\.json", re.ASCII)
_NAMED: Final = 10


@dataclass(frozen=True, slots=True)
class Entry:
    """One key: its value, when it was saved (an instant), and how often, where the file counts that."""

    key: str
    value: JSON
    at: float | None
    version: int | None = None


@dataclass(frozen=True, slots=True)
class NamespaceView:
    """A namespace as an operator sees it."""

    entries: tuple[Entry, ...]
    notes: tuple[str, ...] = ()

    @property
    def newest(self) -> Entry | None:
        """Return the entry that was saved last, by the times of the file."""
        known = [entry for entry in self.entries if entry.at is not None]
        return max(known, key=lambda entry: entry.at or 0.0) if known else None

    @property
    def facts(self) -> tuple[tuple[str, str], ...]:
        """Return what is worth showing of it in a line."""
        last = self.newest
        saved = () if last is None else (("saved last", f"{last.key} {brief(last.value, 40)}"),)
        return (("keys", str(len(self.entries))), *saved)


class NamespaceKind:
    """Keys with a value and a time each; *versioned* ones count how often each was saved."""

    def __init__(self, name: str, *, versioned: bool) -> None:
        self.name = name
        self._versioned = versioned

    @property
    def zone(self) -> Zone:
        """Return the zone of the times, which have none in the text."""
        return "local" if self._versioned else "utc"

    def matches(self, document: JSON) -> bool:
        """Tell whether every value is an entry, and all or none of them count versions."""
        fields = mapping(document)
        return bool(fields) and all(
            isinstance(entry, dict)
            and "value" in entry
            and "timestamp" in entry
            and ("version" in entry) == self._versioned
            for entry in fields.values()
        )

    def view(self, document: JSON) -> NamespaceView:
        """Return the typed view of a namespace, whatever its faults."""
        entries = tuple(
            Entry(
                key,
                mapping(entry).get("value"),
                instant(mapping(entry).get("timestamp"), self.zone),
                number(mapping(entry).get("version")),
            )
            for key, entry in mapping(document).items()
        )
        return NamespaceView(entries, tuple(f"{fault.pointer}: {fault.message}" for fault in self.faults(document)))

    def faults(self, document: JSON, other: JSON = None) -> list[Fault]:
        """Return what the tool that owns the file would stumble over."""
        if not isinstance(document, dict):
            return [Fault("", f"expected an object, found {type_name(document)}")]
        seen = {id(entry) for entry in mapping(other).values()}
        return [
            Fault(render((key, *at)), message)
            for key, entry in document.items()
            if id(entry) not in seen
            for at, message in self._wrong(entry)
        ]

    def _wrong(self, entry: JSON) -> Iterator[tuple[tuple[str, ...], str]]:
        if not isinstance(entry, dict) or "value" not in entry:
            found = "nothing" if isinstance(entry, dict) else type_name(entry)
            yield ("value",) if isinstance(entry, dict) else (), f"expected an entry with a value, found {found}"
            return
        if instant(entry.get("timestamp"), self.zone) is None:
            yield ("timestamp",), f"expected a time, found {brief(entry.get('timestamp'))}"
        if self._versioned and number(entry.get("version")) is None:
            yield ("version",), f"expected a whole number, found {brief(entry.get('version'))}"

    def sentences(self, before: JSON, after: JSON) -> list[Sentence]:
        """Say which keys came, went and have another value."""
        old, new = mapping(before), mapping(after)
        said = [Sentence(key, "deleted", "warn") for key in old if key not in new]
        for key, entry in new.items():
            value = mapping(entry).get("value")
            if key not in old:
                said.append(Sentence(key, f"set to {brief(value)}"))
            elif not same(was := mapping(old[key]).get("value"), value):
                said.append(Sentence(key, _change(was, value)))
        if len(said) > _NAMED:
            return [*said[:_NAMED], Sentence("", f"{len(said) - _NAMED} more keys changed")]
        return said or [Sentence("", "saved again without a change", routine=True)]

    @property
    def derived(self) -> tuple[Path, ...]:
        """Return nothing: the times of entries are told with their values."""
        return ()

    @property
    def identities(self) -> Identities:
        """Return nothing: what tells items of a value apart is found by looking at them."""
        return {}

    def refresh(self, document: JSON, now: float) -> JSON:  # noqa: ARG002
        """Return the document as it is: who changes a value sees to its time."""
        return document


KIND = NamespaceKind("namespace", versioned=False)
VERSIONED = NamespaceKind("file state", versioned=True)


def backup_stamp(name: str) -> str | None:
    """Return when the backup of that name was made, as `2026-11-15T12:00:00` in local time.

    None for a name that is none of a backup, such as `state_old.json`, or tells of a time that there is not.
    """
    found = _STAMP.fullmatch(name)
    if found is None:
        return None
    year, month, day, hour, minute, second = found.groups()
    stamp = f"{year}-{month}-{day}T{hour}:{minute}:{second}"
    return stamp if instant(stamp, "local") is not None else None


def history(key: str, backups: Iterable[JSON]) -> tuple[Entry, ...]:
    """Return the versions of *key* that *backups* hold, newest first, each once, whatever their order."""
    found: dict[tuple[int, float], Entry] = {}
    for backup in backups:
        record = mapping(backup).get(key)
        if record is not None:
            (entry,) = VERSIONED.view({key: record}).entries
            found.setdefault((entry.version or 0, entry.at or 0.0), entry)
    return tuple(found[which] for which in sorted(found, reverse=True))


def _change(before: JSON, after: JSON) -> str:
    """Return what became of a value; of a large one that is as large as before, what changed inside it."""
    if not isinstance(after, dict | list) or brief(before) != brief(after):
        return f"{brief(before)} → {brief(after)}"
    first, *others = PlainKind().sentences(before, after)
    return f"{first.subject} {first.text}{', and more' if others else ''}"
