"""Which kind a document is. Content decides; names only say what was expected."""

from statewatch.documents.values import JSON, same
from statewatch.kinds import batch_kind, hooks, workflow
from statewatch.kinds.base import Kind, Sentence
from statewatch.kinds.plain import PlainKind

PLAIN: Kind = PlainKind()
KINDS: tuple[Kind, ...] = (hooks.KIND, batch_kind.KIND, workflow.KIND)
"""The kinds that recognise their documents, in the order in which they are asked."""


def kind_of(document: JSON) -> Kind:
    """Return the kind of *document*: plain JSON when no other kind knows it."""
    return next((kind for kind in KINDS if kind.matches(document)), PLAIN)


def kind_named(name: str) -> Kind:
    """Return the kind of that name. Raises KeyError when there is none."""
    return {kind.name: kind for kind in (*KINDS, PLAIN)}[name]


def sentences(before: JSON, after: JSON) -> list[Sentence]:
    """Put the change between two revisions of a source into words; an empty list when nothing changed."""
    if same(before, after):
        return []
    kind = kind_of(after)
    if kind is not kind_of(before):
        return [Sentence("", f"{kind_of(before).name} → {kind.name}", "warn")]
    return kind.sentences(before, after) or PLAIN.sentences(before, after)
