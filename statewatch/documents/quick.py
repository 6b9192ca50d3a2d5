"""Decoding by C code, where that is sure to come out as the strict codec has it.

orjson is several times as fast, and it refuses nearly all that the codec refuses. But it lets keys occur twice, makes
floats of integers beyond 64 bits, and nests deeper: a value is believed only when none of that can have happened.
"""

from typing import Final

import orjson

from statewatch.documents.values import JSON

_ODD: Final = (b" :", b"\t:", b"\n:", b"\r:", b"\\u0022", b"\\u003a", b"\\u003A")
"""Colons apart from their key, and quotes and colons that are spelt in an unusual way."""
_DIGITS: Final = bytes(48 if 48 <= code <= 57 else 32 for code in range(256))
_MANY_DIGITS: Final = b"0" * 19
"""So many has every integer beyond 64 bits."""


class UnsureError(Exception):
    """Only the strict codec can tell what a text holds, or what is wrong with it."""


def decoded(text: bytes, level: int = 0) -> tuple[JSON, bool]:
    """Return the value in *text*, as `codec.decode` does, and whether *text* is indented as `is_indented` has it.

    Raises UnsureError.
    """
    try:
        value: JSON = orjson.loads(text)
        written = _written(value, level)
    except (orjson.JSONDecodeError, orjson.JSONEncodeError):
        raise UnsureError from None
    if written == text:
        return value, True
    if not _is_sure(text, written):
        raise UnsureError
    return value, False


def is_indented(text: bytes, value: JSON, level: int = 0) -> bool:
    """Tell whether *text* is, to the byte, what is written of *value* so many levels deep, with two spaces for each."""
    try:
        return _written(value, level) == text
    except orjson.JSONEncodeError:
        return False


def _written(value: JSON, level: int) -> bytes:
    """Return *value* as text. Raises orjson.JSONEncodeError, also for what is nested deeper than 254 levels."""
    written = orjson.dumps(value, option=orjson.OPT_INDENT_2)
    return written.replace(b"\n", b"\n" + b"  " * level) if level else written


def _is_sure(text: bytes, written: bytes) -> bool:
    """Tell whether each key in *text* is in what was *written* of it, and every integer as it was.

    Each key is followed by its colon, and what looks the same inside of texts is there in both; so the one has as many
    of these two as the other unless a key got lost.
    """
    for odd in _ODD:
        if odd in text:
            return False
    return text.count(b'":') == written.count(b'":') and _MANY_DIGITS not in text.translate(_DIGITS)
