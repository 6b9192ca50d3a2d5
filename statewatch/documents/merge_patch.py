"""JSON Merge Patch (RFC 7396): a document that shows only what changes, where null means that it is gone."""

from statewatch.documents import pointer
from statewatch.documents.values import JSON, Path, same


class MergePatchError(ValueError):
    """A change that a merge patch cannot say; `pointer` names the place of the null that it would have to set."""

    def __init__(self, place: str) -> None:
        self.pointer = place
        super().__init__(f"a merge patch cannot set {place or 'the document'!r} to null: use a JSON Patch (RFC 6902)")


def apply_merge_patch(document: JSON, patch: JSON) -> JSON:
    """Return what a merge patch makes of *document*, which is left as it is."""
    if not isinstance(patch, dict):
        return patch
    result: dict[str, JSON] = dict(document) if isinstance(document, dict) else {}
    todo: list[tuple[dict[str, JSON], dict[str, JSON]]] = [(result, patch)]
    while todo:
        here, changes = todo.pop()
        for key, value in changes.items():
            if value is None:
                here.pop(key, None)
            elif isinstance(value, dict):
                inner = here.get(key)
                copy: dict[str, JSON] = dict(inner) if isinstance(inner, dict) else {}
                here[key] = copy
                todo.append((copy, value))
            else:
                here[key] = value
    return result


def write_merge_patch(before: JSON, after: JSON) -> JSON:
    """Return the merge patch that makes *after* of *before*.

    Raises MergePatchError where that would have to put a null into an object: there it means that the member is gone.
    """
    if not isinstance(before, dict) or not isinstance(after, dict):
        if isinstance(after, dict):
            _refuse_null(after, ())
        return after
    patch: dict[str, JSON] = {}
    todo: list[tuple[dict[str, JSON], dict[str, JSON], dict[str, JSON], Path]] = [(patch, before, after, ())]
    while todo:
        here, old, new, path = todo.pop()
        here.update({key: None for key in old if key not in new})
        for key, value in new.items():
            was, place = old.get(key), (*path, key)
            if key in old and same(was, value):
                continue
            if isinstance(was, dict) and isinstance(value, dict):
                inner: dict[str, JSON] = {}
                here[key] = inner
                todo.append((inner, was, value, place))
            else:
                _refuse_null(value, place)
                here[key] = value
    return patch


def _refuse_null(value: JSON, path: Path) -> None:
    """Refuse a null that would be taken for a removal; those within lists are taken as they are."""
    todo: list[tuple[JSON, Path]] = [(value, path)]
    while todo:
        here, place = todo.pop()
        if here is None:
            raise MergePatchError(pointer.render(place))
        if isinstance(here, dict):
            todo += [(inner, (*place, key)) for key, inner in here.items()]
