"""Plain JSON: any document no other kind knows."""

import json

from statewatch.documents import diff, pointer
from statewatch.documents.values import JSON, Path
from statewatch.kinds.base import Fault, Sentence, type_name

_NAMED = 3


class PlainKind:
    """Any JSON document."""

    name = "plain"

    def matches(self, document: JSON) -> bool:  # noqa: ARG002 - every document is JSON
        """Match everything."""
        return True

    def faults(self, document: JSON, other: JSON = None) -> list[Fault]:  # noqa: ARG002
        """Find nothing: no format is promised."""
        return []

    def sentences(self, before: JSON, after: JSON) -> list[Sentence]:
        """Name the places that changed, the first few with their values."""
        changes = diff.diff(before, after)
        said = [Sentence(change.pointer or "/", _words(change)) for change in changes[:_NAMED]]
        if len(changes) > _NAMED:
            more = len(changes) - _NAMED
            said.append(Sentence("", f"{more} more {'place' if more == 1 else 'places'} changed"))
        return said

    @property
    def derived(self) -> tuple[Path, ...]:
        """Return nothing: no place is known to follow from another."""
        return ()

    @property
    def identities(self) -> diff.Identities:
        """Return nothing: what tells items apart is found by looking at them."""
        return {}

    def refresh(self, document: JSON, now: float) -> JSON:  # noqa: ARG002
        """Return the document as it is."""
        return document


def brief(value: JSON, limit: int = 60) -> str:
    """Return a value short enough for a line: scalars as JSON, containers as what they hold."""
    if isinstance(value, dict | list) and value:
        return f"{type_name(value)} of {len(value)}"
    shown = json.dumps(value, ensure_ascii=False)
    return shown if len(shown) <= limit else shown[: limit - 1] + "…"


def _words(change: diff.Change) -> str:
    if change.op == "add":
        return f"added {brief(change.after)}"
    if change.op == "remove":
        return f"removed {brief(change.before)}"
    if change.source is not None:
        return f"{brief(change.after)} moved from {pointer.render(change.source)}"
    return f"{brief(change.before)} → {brief(change.after)}"
