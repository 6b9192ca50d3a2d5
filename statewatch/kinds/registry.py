"""Which kind a document is. Content decides; names only say what was expected."""

from functools import cache

from statewatch.documents import pointer
from statewatch.documents.diff import Change, Identities, diff
from statewatch.documents.noise import Noise
from statewatch.documents.values import JSON, same
from statewatch.kinds import hooks
from statewatch.kinds.base import Kind, Sentence
from statewatch.kinds.plain import PlainKind

PLAIN: Kind = PlainKind()


@cache
def kinds() -> tuple[Kind, ...]:
    """Return the kinds that recognise their documents, in the order in which they are asked."""
    from statewatch.kinds import (  # noqa: PLC0415 - who acts on hooks pays for no more
        agent_checkpoint,
        batch_kind,
        field_circuits,
        namespace,
        pipeline,
        session,
        workflow,
    )

    return (
        hooks.KIND,
        *field_circuits.KINDS,  # a checkpoint of an agent loop has what a batch has, and more
        *field_circuits.WITHOUT,  # and so has what is kept of a batch for a recovery
        session.KIND,
        pipeline.KIND,
        pipeline.RUN,  # one of a batch names that batch
        batch_kind.KIND,
        agent_checkpoint.KIND,
        workflow.KIND,
        namespace.KIND,
        namespace.VERSIONED,
        *field_circuits.GENERAL,
    )


def kind_of(document: JSON) -> Kind:
    """Return the kind of *document*: plain JSON when no other kind knows it."""
    if hooks.KIND.matches(document):
        return hooks.KIND
    return next((kind for kind in kinds() if kind.matches(document)), PLAIN)


def kind_named(name: str) -> Kind:
    """Return the kind of that name. Raises KeyError when there is none."""
    from statewatch.kinds.field_circuits import NAMED  # noqa: PLC0415 - see above

    return {kind.name: kind for kind in (*kinds(), *NAMED, PLAIN)}[name]


def sentences(before: JSON, after: JSON, shown_as: str = "") -> list[Sentence]:
    """Put the change between two revisions of a source into words; an empty list when nothing changed.

    What the source is *shown as* counts where only its name tells its kind.
    """
    if same(before, after):
        return []
    if (named := _named(shown_as)) is not None:
        return named.sentences(before, after) or PLAIN.sentences(before, after)
    old, kind = kind_of(before), kind_of(after)
    if after == [] and _is_log(old):
        kind = old
    elif kind is not old and not (before == [] and _is_log(kind)):
        return [Sentence("", f"{old.name} → {kind.name}", "warn")]
    return kind.sentences(before, after) or PLAIN.sentences(before, after)


def identities(before: JSON, after: JSON) -> Identities:
    """Return which keys tell the objects in lists apart, as the kinds of two revisions declare it."""
    old, new = kind_of(before), kind_of(after)
    return new.identities if old is new else {**old.identities, **new.identities}


def changes(before: JSON, after: JSON) -> list[Change]:
    """Return the changes from one revision to the other, with the objects in lists told apart as their kind does it."""
    return diff(before, after, identities(before, after))


def noise(document: JSON, patterns: tuple[str, ...] = ()) -> Noise:
    """Return what is noise in a document: times, what only follows from the rest, and what is at *patterns*.

    Counters are none: that a hook failed once more is news.
    """
    derived = tuple(pointer.render(path) for path in kind_of(document).derived)
    return Noise((*derived, *patterns), timestamps=True)


def sealed(document: JSON) -> str:
    """Return why a document may never be changed by us, an empty text where it may."""
    from statewatch.kinds.field_circuits import declared  # noqa: PLC0415 - see above

    found = declared(kind_of(document).name)
    return "" if found is None else found.declaration.sealed


def _named(name: str) -> Kind | None:
    """Return the kind of that name if its content alone does not tell it."""
    from statewatch.kinds.field_circuits import declared  # noqa: PLC0415 - see above

    found = declared(name)
    return found if found is not None and found.declaration.only_named else None


def _is_log(kind: Kind) -> bool:
    """Tell whether documents of that kind are lists of entries: an empty one is one still."""
    from statewatch.kinds.field_circuits import declared  # noqa: PLC0415 - see above

    found = declared(kind.name)
    return found is not None and bool(found.declaration.log)
