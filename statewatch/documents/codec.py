"""Bytes to JSON values and back: strict, bounded, and in the style the file already has (RFC 8259)."""

import contextlib
import json
import math
import re
import sys
from collections.abc import Callable, Iterator
from typing import Any, Final, NamedTuple, NoReturn

from statewatch.documents.values import JSON, MAX_DEPTH, depth

_TOO_DEEP = f"nested deeper than {MAX_DEPTH} levels"
_BYTE_ORDER_MARKS = (
    (b"\xff\xfe\x00\x00", "UTF-32"),
    (b"\x00\x00\xfe\xff", "UTF-32"),
    (b"\xff\xfe", "UTF-16"),
    (b"\xfe\xff", "UTF-16"),
)
_PLAIN_WORDS = {
    "Expecting value": "a value is missing",
    "Extra data": "something follows the end of the document",
    "Expecting property name enclosed in double quotes": "a key in double quotes is missing",
    "Expecting ':' delimiter": "a colon is missing after the key",
    "Expecting ',' delimiter": "a comma or a closing bracket is missing",
    "Illegal trailing comma before end of object": "a comma stands before the closing brace",
    "Illegal trailing comma before end of array": "a comma stands before the closing bracket",
    "Unterminated string starting at": "a string is not closed",
    "Invalid control character at": "a raw control character stands inside a string",
    "Invalid \\escape": "a backslash escape is not one JSON knows",
    "Invalid \\uXXXX escape": "a \\u escape does not have four hexadecimal digits",
}
_LARGE = 1 << 20
"""Bytes from which on it is worth while to load what decodes fast."""
_NOT_ASCII = re.compile("[^\x00-\x7e]")
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{}:,]|[^\s"\[\]{}:,]+', re.DOTALL)


class DocumentError(ValueError):
    """Bytes that are not a JSON document.

    `reason` says what is wrong; `line` and `column` (both from 1) say where, or are None where no place can be named.
    """

    def __init__(self, reason: str, line: int | None = None, column: int | None = None) -> None:
        self.reason = reason
        self.line = line
        self.column = column
        where = "" if line is None else f" at line {line}" + ("" if column is None else f" column {column}")
        super().__init__(f"not JSON{where}: {reason}")


class Style(NamedTuple):
    """How a file lays out its JSON, so that a change to it looks like the writer's own."""

    indent: str | None = "  "
    ascii_only: bool = True
    final_newline: bool = False
    spaced: bool = True
    newline: str = "\n"


USUAL: Final = Style()
"""The style of a file that has none yet."""


def decode(data: bytes, *, raw_controls: bool = False) -> JSON:
    """Return the value in *data*; with *raw_controls* texts may hold control characters as they are.

    Raises DocumentError for anything RFC 8259 does not allow, and for what is allowed but means damage in a state file:
    a byte order mark, a key that occurs twice in one object, a number beyond all bounds, nesting beyond MAX_DEPTH.
    """
    if not raw_controls and (len(data) >= _LARGE or "orjson" in sys.modules):
        from statewatch.documents import quick  # noqa: PLC0415 - 10 ms that only those who read much should pay

        with contextlib.suppress(quick.UnsureError):
            return quick.decoded(data)[0]
    text = _text(data)
    try:
        value: JSON = json.loads(
            text,
            object_pairs_hook=_object,
            parse_constant=_refuse_constant,
            parse_float=_finite,
            strict=not raw_controls,
        )
    except json.JSONDecodeError as error:
        raise _explained(error, text) from None
    except _DuplicateKeyError:
        position, key = _find_duplicate(text)
        raise _at(text, position, f"the key {key!r} occurs twice in one object") from None
    except _NumberError as error:
        raise _at(text, _find(text, error.literal.__eq__), error.reason) from None
    except RecursionError:
        raise DocumentError(_TOO_DEEP) from None
    except ValueError:  # int() refuses thousands of digits
        raise _at(text, _find(text, _is_too_long), "a number has too many digits") from None
    if depth(value) > MAX_DEPTH:
        raise DocumentError(_TOO_DEEP)
    return value


def encode(value: JSON, style: Style = USUAL, *, known: bool = False) -> bytes:
    """Return *value* as bytes in *style*.

    Text that UTF-8 cannot hold (half of a surrogate pair) stays an escape in every style, as it must have been one.
    Raises ValueError for NaN and infinities, which JSON cannot hold, unless it is *known* that there are none: then C
    code does it where that comes out the same, 40 times as fast.
    """
    if known and (fast := _encoded_fast(value, style)) is not None:
        return fast
    separators = (",", ": ") if style.indent is not None else (", ", ": ")
    if not style.spaced:
        separators = (",", ":")
    text = json.dumps(
        value,
        indent=style.indent,
        ensure_ascii=style.ascii_only,
        separators=separators,
        allow_nan=False,
    )
    text = re.sub("[\ud800-\udfff]", lambda half: f"\\u{ord(half[0]):04x}", text) + "\n" * style.final_newline
    return (text if style.newline == "\n" else text.replace("\n", style.newline)).encode()


def is_plain(data: bytes, value: JSON, style: Style) -> bool:
    """Tell whether *data* is, to the byte, what `encode` makes of *value*; it is not where C code cannot tell."""
    return _encoded_fast(value, style) == data


def _between_texts(data: bytes) -> bytes:
    return re.sub(rb'"(?:[^"\\]|\\.)*"', b'""', data[:4096])


def _encoded_fast(value: JSON, style: Style) -> bytes | None:
    if style.indent != "  " or style.newline != "\n" or not style.spaced:
        return None
    import orjson  # noqa: PLC0415 - 10 ms that only those who write much should pay

    options = orjson.OPT_INDENT_2 | (orjson.OPT_APPEND_NEWLINE if style.final_newline else 0)
    try:
        data = orjson.dumps(value, option=options)
    except orjson.JSONEncodeError:  # what only the standard library writes: integers beyond 64 bits, half surrogates
        return None
    if style.ascii_only and not (data.isascii() and b"\x7f" not in data):
        return _NOT_ASCII.sub(_escaped, data.decode()).encode()
    return data


def _escaped(found: re.Match[str]) -> str:
    """Return a character as the standard library escapes it: beyond 16 bits as two halves."""
    return json.dumps(found[0])[1:-1]


def style_of(data: bytes) -> Style:
    """Find the style of a file from its bytes."""
    indented = re.match(rb"\s*[\[{][ \t]*(\r?\n)([ \t]*)", data)
    return Style(
        indent=indented[2].decode() if indented else None,
        ascii_only=data.isascii(),
        final_newline=data.endswith(b"\n"),
        spaced=indented is not None or re.search(rb"[:,]\S", _between_texts(data)) is None,
        newline=indented[1].decode() if indented else "\n",
    )


class _DuplicateKeyError(Exception):
    pass


class _NumberError(Exception):
    def __init__(self, literal: str, reason: str) -> None:
        self.literal = literal
        self.reason = reason


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise _DuplicateKeyError
    return result


def _refuse_constant(name: str) -> NoReturn:
    raise _NumberError(name, f"{name} is not a JSON number")


def _finite(literal: str) -> float:
    number = float(literal)
    if math.isinf(number):
        raise _NumberError(literal, "a number is too large")
    return number


def _is_too_long(token: str) -> bool:
    return token.lstrip("-").isdigit() and len(token.lstrip("-")) > sys.get_int_max_str_digits()


def _text(data: bytes) -> str:
    for mark, name in _BYTE_ORDER_MARKS:
        if data.startswith(mark):
            raise DocumentError(f"the file is {name}, JSON is UTF-8", 1, 1)
    if data.startswith(b"\xef\xbb\xbf"):
        raise DocumentError("the file starts with a byte order mark", 1, 1)
    if not data.strip():
        raise DocumentError("the file is empty", 1, 1)
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        before = data[: error.start].decode()
        raise _at(before, len(before), f"the byte 0x{data[error.start]:02x} is not UTF-8") from None


def _at(text: str, position: int | None, reason: str) -> DocumentError:
    if position is None:
        return DocumentError(reason)
    line = text.count("\n", 0, position) + 1
    return DocumentError(reason, line, position - text.rfind("\n", 0, position))


def _explained(error: json.JSONDecodeError, text: str) -> DocumentError:
    reason = _PLAIN_WORDS.get(error.msg, error.msg)
    if error.msg == "Expecting value" and text[error.pos : error.pos + 1] not in set(",:]} \t\r\n") | {""}:
        reason = "what stands here is not a JSON value"
    if error.pos >= len(text.rstrip()) or error.msg.startswith("Unterminated"):
        reason += " (the file ends too early)"
    return DocumentError(reason, error.lineno, error.colno)


def _tokens(text: str) -> Iterator[tuple[int, str]]:
    return ((match.start(), match[0]) for match in _TOKEN.finditer(text))


def _find(text: str, wanted: Callable[[str], bool]) -> int | None:
    return next((position for position, token in _tokens(text) if wanted(token)), None)


def _find_duplicate(text: str) -> tuple[int | None, str]:
    """Find the first key that its object already has: where it stands, and what it is."""
    keys: list[set[str]] = []
    position, name = 0, ""
    for start, token in _tokens(text):
        if token in "{[":
            keys.append(set())
        elif token in "}]":
            keys.pop()
        elif token[0] == '"':
            position, name = start, json.loads(token)
        elif token == ":":
            if name in keys[-1]:
                return position, name
            keys[-1].add(name)
    return None, name
