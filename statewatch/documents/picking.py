"""Taking one place of a document over from another document: what a partial restore is made of."""

from statewatch.documents import pointer
from statewatch.documents.pointer import PointerError
from statewatch.documents.values import JSON, cloned


def picked(document: JSON, source: JSON, tokens: tuple[str, ...]) -> JSON:
    """Return *document* with the place *tokens* as it is in *source*: its value, or nothing where it has none there.

    Neither argument is changed. Raises PointerError when neither has the place, or *document* has nothing that could
    hold it.
    """
    if not tokens:
        return cloned(source)
    try:
        value = cloned(pointer.get(source, pointer.locate(source, tokens)))
    except PointerError:
        pointer.locate(document, tokens)  # in neither of them: a slip
        return _without(document, tokens)
    parent = pointer.locate(document, tokens[:-1])
    return _with(document, parent, tokens[-1], value)


def _with(document: JSON, parent: tuple[str | int, ...], token: str, value: JSON) -> JSON:
    if parent:
        return _rebuilt(document, parent[0], _with(pointer.get(document, parent[:1]), parent[1:], token, value))
    if isinstance(document, dict):
        return {**document, token: value}
    if isinstance(document, list) and token.isascii() and token.isdigit() and int(token) <= len(document):
        index = int(token)
        return [*document[:index], value, *document[index + 1 :]]
    raise PointerError(f"there is nothing now that could hold {token!r}; restore the place above it")


def _without(document: JSON, tokens: tuple[str, ...]) -> JSON:
    path = pointer.locate(document, tokens)
    if len(path) > 1:
        return _rebuilt(document, path[0], _without(pointer.get(document, path[:1]), tokens[1:]))
    if isinstance(document, dict):
        return {key: value for key, value in document.items() if key != path[0]}
    assert isinstance(document, list)
    return [item for index, item in enumerate(document) if index != path[0]]


def _rebuilt(document: JSON, token: str | int, value: JSON) -> JSON:
    if isinstance(document, dict) and isinstance(token, str):
        return {**document, token: value}
    assert isinstance(document, list)
    return [value if index == token else item for index, item in enumerate(document)]
