"""What may be shown of documents of private kinds: their facts, their shape, and where they differ. Pure."""

from typing import Any, Final, cast

from statewatch.documents import pointer
from statewatch.documents.merge import ABSENT, Absent, Maybe
from statewatch.documents.values import JSON, Path, same

HIDDEN: Final = "•••••• not shown"
OTHER: Final = "•••••• not shown, another one"


def shown(document: JSON, kind: str, *, at: Path = (), unlike: Maybe = ABSENT) -> JSON:
    """Return what may be shown of what is at a place of a document shown as *kind*: of most kinds, all of it.

    Of a private one every value that is no fact of it is hidden. Where it is another than the one in *unlike*, which is
    the same place of another document, it says so: a diff can still tell that there is a difference.
    """
    from statewatch.kinds.field_circuits import declared  # noqa: PLC0415 - its declarations need most kinds

    found = declared(kind)
    if found is None or not is_private(kind):
        return document
    facts = frozenset(pointer.parse(fact.at) for fact in found.declaration.facts)
    top: list[Any] = [None]
    work: list[tuple[Any, str | int, JSON, Path, Maybe]] = [(top, 0, document, at, unlike)]
    while work:  # not by recursion: documents may be deep
        holder, name, value, path, known = work.pop()
        if isinstance(value, dict | list):
            holder[name] = value.copy()
            steps = value.items() if isinstance(value, dict) else enumerate(value)
            work += [(holder[name], step, inner, (*path, step), _inside(known, step)) for step, inner in steps]
        elif path in facts:
            holder[name] = value
        else:
            holder[name] = HIDDEN if isinstance(known, Absent) or same(known, value) else OTHER
    return cast("JSON", top[0])


def is_private(kind: str) -> bool:
    """Tell whether documents of a kind hold values that are not to be shown."""
    from statewatch.kinds.field_circuits import declared  # noqa: PLC0415 - see above

    found = declared(kind)
    return found is not None and found.declaration.private


def _inside(known: Maybe, step: str | int) -> Maybe:
    if isinstance(known, dict):
        return known.get(str(step), ABSENT)
    if isinstance(known, list) and isinstance(step, int) and step < len(known):
        return known[step]
    return ABSENT
