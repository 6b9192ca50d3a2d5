"""Reading many values that are kept as one text each, at a third of what it costs to decode them one by one."""

import secrets
from collections.abc import Sequence
from typing import Final

from statewatch.documents import codec
from statewatch.documents.codec import DocumentError
from statewatch.documents.values import JSON

_AT_ONCE: Final = 2_000


def decoded(texts: Sequence[bytes]) -> list[JSON] | None:
    """Return what *texts* mean; None where they have to be decoded one by one, as one of them is damaged.

    They are joined to one list with a mark between each two that nobody can foresee. Only where every mark is an
    element of that list, and exactly one value stands before and behind it, each text is one value by itself.
    """
    found: list[JSON] = []
    for start in range(0, len(texts), _AT_ONCE):
        some = texts[start : start + _AT_ONCE]
        mark = secrets.token_hex(16)
        try:
            joined = codec.decode(b"[%b]" % (b',"%b",' % mark.encode()).join(some))
        except DocumentError:
            return None
        if not isinstance(joined, list) or len(joined) != 2 * len(some) - 1 or set(map(str, joined[1::2])) - {mark}:
            return None
        found += joined[::2]
    return found
