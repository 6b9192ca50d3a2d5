"""A large object and the text of each of its members, so that the next version of it costs as much as what has changed.

Members whose text is the same are the very same values in both versions: who compares the two sees at once what stayed.
It is possible in text laid out as most tools do it: two spaces for each level, one member a line. No trust is put in
that: where each line by itself is a whole member, all of them together are the object.
"""

from itertools import islice
from typing import Final, NamedTuple

from statewatch.documents.quick import UnsureError, decoded, is_indented
from statewatch.documents.shared_ends import shared_end, shared_start
from statewatch.documents.values import JSON

_MOST: Final = 1_000
"""Members up to which each is looked at by itself."""
_FEW: Final = 64
_OPEN, _BETWEEN, _CLOSE = b'{\n  "', b',\n  "', b"\n}"
_INNER_OPEN, _INNER_BETWEEN, _INNER_CLOSE = b'{\n    "', b',\n    "', b"\n  }"


class Parts(NamedTuple):
    """An object, and by name the text of the value of each member; `regular` are those indented as `quick` has it."""

    document: dict[str, JSON]
    texts: dict[str, bytes]
    regular: frozenset[str] = frozenset()


def parts_of(data: bytes, before: Parts | None = None) -> Parts | None:
    """Take *data* apart, sharing what it can with the version *before*; None where only the codec can tell what it is.

    The document is that of `codec.decode`.
    """
    end = len(data) - data.endswith(b"\n")
    if not data.startswith(_OPEN) or not data.endswith(_CLOSE, 0, end):
        return None
    lines = data[len(_OPEN) : end - len(_CLOSE)].split(_BETWEEN, _MOST)
    if len(lines) > _MOST:
        return None
    document: dict[str, JSON] = {}
    texts: dict[str, bytes] = {}
    regular: set[str] = set()
    try:
        for line in lines:
            spelled, _, text = line.partition(b'": ')
            name, _ = decoded(b'"' + spelled + b'"')
            if not isinstance(name, str) or name in document:
                return None
            document[name], is_regular = _value(name, text, before)
            texts[name] = text
            if is_regular:
                regular.add(name)
    except UnsureError:
        return None
    return Parts(document, texts, frozenset(regular))


def _value(name: str, text: bytes, before: Parts | None) -> tuple[JSON, bool]:
    """Return the value of a member, and whether its text is regular. Raises UnsureError."""
    if before is None or name not in before.texts:
        return decoded(text, 1)
    was, old = before.document[name], before.texts[name]
    if old == text:
        return was, name in before.regular
    renewed = None
    if isinstance(was, dict) and len(was) >= _FEW and (name in before.regular or is_indented(old, was, 1)):
        renewed = _renewed(was, old, text)
    return decoded(text, 1) if renewed is None else renewed


def _renewed(was: dict[str, JSON], old: bytes, text: bytes) -> tuple[dict[str, JSON], bool] | None:
    """Return what *was*, of the regular text *old*, is in *text*: only the members between those that stayed are read.

    None where most of it is new, or it is not laid out so. Raises UnsureError.
    """
    if not text.startswith(_INNER_OPEN) or not text.endswith(_INNER_CLOSE):
        return None
    left = old[len(_INNER_OPEN) : -len(_INNER_CLOSE)] + _INNER_BETWEEN  # so that each member ends in the same way
    right = text[len(_INNER_OPEN) : -len(_INNER_CLOSE)] + _INNER_BETWEEN
    found = left.rfind(_INNER_BETWEEN, 0, shared_start(left, right))
    head = 0 if found < 0 else found + len(_INNER_BETWEEN)
    found = left.find(_INNER_BETWEEN, len(left) - shared_end(left[head:], right[head:]))
    tail = 0 if found < 0 else len(left) - (found + len(_INNER_BETWEEN))
    between = right[head : len(right) - tail].removesuffix(_INNER_BETWEEN)
    if len(between) > len(text) // 2:
        return None
    new = decoded(b'{"' + between + b"}")[0] if between else {}
    assert isinstance(new, dict)
    gone = left.count(_INNER_BETWEEN, head, len(left) - tail)
    if head < tail:
        before = left.count(_INNER_BETWEEN, 0, head)
        after = len(was) - gone - before
    else:
        after = left.count(_INNER_BETWEEN, len(left) - tail)
        before = len(was) - gone - after
    members = dict(islice(was.items(), before))
    members.update(new)
    members.update(islice(was.items(), len(was) - after, None))
    if len(members) != before + len(new) + after:
        raise UnsureError  # a key that was there already
    return members, not between or is_indented(_INNER_OPEN + between + _INNER_CLOSE, new, 1)
