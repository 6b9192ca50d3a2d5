"""How a JSON file holds a namespace: its top-level keys as they are, or each value in an entry with its time.

The entries are the layout that agent frameworks share for `.claude/state/NAMESPACE/state.json`: `{"value": …,
"timestamp": …}` with a naive time in UTC; a relative of it adds a `version` that counts the writes of the key, with
local times.
"""

from datetime import UTC, datetime
from typing import Protocol

from statewatch.documents.values import JSON, same


class LayoutError(ValueError):
    """A document that is not in the layout; the message says where it leaves it."""


class Layout(Protocol):
    """From the document of a file to that of the namespace, and back."""

    def values(self, raw: JSON) -> JSON:
        """Return what the namespace holds, sharing its values. Raises LayoutError."""
        ...

    def entry(self, value: JSON, old: JSON, raw: dict[str, JSON], now: float) -> JSON:
        """Return what the file shall hold for *value*, where *old* was there (None: nothing) among all of *raw*."""
        ...


class Plain:
    """Any JSON document: what the file holds is what it means."""

    def values(self, raw: JSON) -> JSON:
        """Return the document itself."""
        return raw

    def entry(self, value: JSON, old: JSON, raw: dict[str, JSON], now: float) -> JSON:  # noqa: ARG002
        """Return the value itself."""
        return value


class Keyed:
    """Entries with `value` and `timestamp`, and `version` where the file counts them; what else they hold stays."""

    def values(self, raw: JSON) -> JSON:
        """Return the values without their entries."""
        if not isinstance(raw, dict):
            raise LayoutError("it holds no keys with values, but something else than an object")
        values = {}
        for key, entry in raw.items():
            if not isinstance(entry, dict) or "value" not in entry:
                raise LayoutError(
                    f'the entry of the key {key!r} has no "value", so this is no key/value file. '
                    "A plain JSON file is named by its path alone."
                )
            values[key] = entry["value"]
        return values

    def entry(self, value: JSON, old: JSON, raw: dict[str, JSON], now: float) -> JSON:
        """Return the entry of a value saved at *now*, seconds since the epoch."""
        kept = old if isinstance(old, dict) else {}
        if not any(isinstance(entry, dict) and "version" in entry for entry in (kept, next(iter(raw.values()), None))):
            at = datetime.fromtimestamp(now, UTC).replace(tzinfo=None)
            return {**kept, "value": value, "timestamp": at.isoformat()}
        count = kept.get("version", 0)
        local = datetime.fromtimestamp(now)  # this layout writes local times
        version = count + 1 if isinstance(count, int) else 1
        return {**kept, "value": value, "timestamp": local.isoformat(), "version": version}


PLAIN = Plain()
KEYED = Keyed()


def laid_out(layout: Layout, raw: JSON, document: JSON, now: float) -> JSON:
    """Return the file's document for the namespace *document*, where *raw* was there; what did not change stays."""
    if layout is PLAIN or not isinstance(document, dict):
        return document
    old = raw if isinstance(raw, dict) else {}
    values = layout.values(old)
    assert isinstance(values, dict)
    return {
        key: old[key] if key in values and same(values[key], value) else layout.entry(value, old.get(key), old, now)
        for key, value in document.items()
    }
