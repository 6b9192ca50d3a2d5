"""Bytes to JSON values and back: strict, bounded, and in the style the file already has (RFC 8259)."""

import json
import re
from dataclasses import dataclass
from json import decoder, scanner
from typing import Any, NoReturn

from statewatch.documents.values import JSON, depth

MAX_DEPTH = 500
"""Levels of nesting that are read: far more than any state file has, and safe for every recursive function here."""

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


@dataclass(frozen=True, slots=True)
class Style:
    """How a file lays out its JSON, so that a change to it looks like the writer's own."""

    indent: str | None = "  "
    ascii_only: bool = True
    final_newline: bool = False
    spaced: bool = True


def decode(data: bytes) -> JSON:
    """Return the value in *data*.

    Raises DocumentError for anything RFC 8259 does not allow, and for what is allowed but means damage in a state file:
    a byte order mark, a key that occurs twice in one object, nesting beyond MAX_DEPTH.
    """
    text = _text(data)
    try:
        value: JSON = json.loads(text, object_pairs_hook=_object, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        raise _explained(error, text) from None
    except _DuplicateKeyError as error:
        raise _at(text, _find_duplicate(text), f"the key {error.key!r} occurs twice in one object") from None
    except _ConstantError as error:
        position = _find_constant(text, error.name)
        raise _at(text, position, f"{error.name} is not a JSON number") from None
    except RecursionError:
        raise DocumentError(_TOO_DEEP) from None
    except ValueError:  # int() refuses thousands of digits
        found = re.search(r"\d{4000,}", text)
        raise _at(text, found.start() if found else None, "a number has too many digits") from None
    if depth(value) > MAX_DEPTH:
        raise DocumentError(_TOO_DEEP)
    return value


def encode(value: JSON, style: Style = Style()) -> bytes:
    """Return *value* as bytes in *style*. Raises ValueError for NaN and infinities, which JSON cannot hold."""
    separators = (",", ": ") if style.indent is not None else (", ", ": ")
    if not style.spaced:
        separators = (",", ":")
    text = json.dumps(
        value,
        indent=style.indent,
        ensure_ascii=style.ascii_only or _has_lone_surrogate(value),
        separators=separators,
        allow_nan=False,
    )
    return (text + "\n" * style.final_newline).encode()


def style_of(data: bytes) -> Style:
    """Find the style of a file from its bytes."""
    indented = re.match(rb"\s*[\[{][ \t\r]*\n([ \t]*)", data)
    return Style(
        indent=indented[1].decode() if indented else None,
        ascii_only=data.isascii(),
        final_newline=data.endswith(b"\n"),
        spaced=indented is not None or re.search(rb'":\S', data[:4096]) is None,
    )


class _DuplicateKeyError(Exception):
    def __init__(self, key: str) -> None:
        self.key = key
        self.position: int | None = None


class _ConstantError(Exception):
    def __init__(self, name: str) -> None:
        self.name = name


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise _DuplicateKeyError(key)
            seen.add(key)
    return result


def _refuse_constant(name: str) -> NoReturn:
    raise _ConstantError(name)


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
    if error.pos >= len(text.rstrip()) or error.msg.startswith("Unterminated"):
        reason += " (the file ends too early)"
    return DocumentError(reason, error.lineno, error.colno)


def _find_constant(text: str, name: str) -> int | None:
    found = re.compile(r'"(?:[^"\\]|\\.)*"|(' + re.escape(name) + ")").finditer(text)
    return next((match.start() for match in found if match[1]), None)


def _find_duplicate(text: str) -> int | None:
    """Find where the second of two equal keys stands, with the slow scanner that knows positions."""

    def parse_object(s_and_end: tuple[str, int], *rest: Any) -> Any:
        try:
            return decoder.JSONObject(s_and_end, *rest)  # type: ignore[attr-defined]
        except _DuplicateKeyError as error:
            if error.position is None:
                error.position = s_and_end[1] - 1
            raise

    slow = json.JSONDecoder(object_pairs_hook=_object)
    slow.parse_object = parse_object  # type: ignore[attr-defined]
    try:
        scanner.py_make_scanner(slow)(text, len(text) - len(text.lstrip()))  # type: ignore[attr-defined]
    except _DuplicateKeyError as error:
        return error.position
    except (ValueError, RecursionError, StopIteration):
        pass
    return None


def _has_lone_surrogate(value: JSON) -> bool:
    """Tell whether *value* holds text that UTF-8 cannot: it must stay escaped, as it was."""
    return re.search("[\ud800-\udfff]", json.dumps(value, ensure_ascii=False)) is not None
