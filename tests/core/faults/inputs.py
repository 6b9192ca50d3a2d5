"""What may be in a file or come from a program: texts that are no JSON, values that are odd or none, and no names."""

from statewatch.documents.values import JSON

LONG = "9" * 400
LARGE = 100 * 1024 * 1024


def nested(levels: int) -> list[object]:
    """Return a list in a list in a list …"""
    innermost: list[object] = []
    outermost = innermost
    for _ in range(levels - 1):
        outermost = [outermost]
    return outermost


def endless() -> list[object]:
    """Return a list that contains itself."""
    value: list[object] = []
    value.append(value)
    return value


BROKEN = {
    "NaN": b'{"a": {"value": NaN, "timestamp": ""}}',
    "infinity": b'{"a": {"value": -Infinity, "timestamp": ""}}',
    "beyond all bounds": b'{"a": {"value": 1e999, "timestamp": ""}}',
    "5,000 digits": b'{"a": {"value": ' + b"9" * 5_000 + b"}}",
    "a key twice": b'{"a": {"value": 1}, "a": {"value": 2}}',
    "a key twice, deep down": b'{"a": {"value": {"x": [{"y": 1, "y": 1}]}}}',
    "a byte order mark": b'\xef\xbb\xbf{"a": {"value": 1}}',
    "UTF-16": '{"a": {"value": 1}}'.encode("utf-16"),
    "no UTF-8": b'{"a": {"value": "\xff\xfe"}}',
    "half a pair as bytes": b'{"a": {"value": "\xed\xa0\x80"}}',
    "5,000 levels": b'{"a": {"value": ' + b"[" * 5_000 + b"]" * 5_000 + b"}}",
    "5,000 levels, never closed": b'{"a": {"value": ' + b"[{" * 5_000,
    "nothing": b"",
    "white space": b" \r\n\t ",
    "NUL": b"\0" * 4_096,
    "cut off": b'{"a": {"value": 1}, "b": {"val',
    "two documents": b'{"a": {"value": 1}}\n{"a": {"value": 1}}',
    "a program": b"#!/bin/sh\nexit 1\n",
}
ODD: dict[str, JSON] = {
    "a 400-digit integer": int(LONG),
    "a negative zero": -0.0,
    "a large float": 1e22,
    "half a pair": "\ud83d",
    "NUL in text": "a\0b",
    "a line separator": "\u2028\u2029\x85",
    "escape sequences": "\x1b]0;title\x07\x1b[2J",
    "400 levels": nested(400),  # type: ignore[dict-item]
    "an empty key": {"": {"": None}},
    "true, 1 and 1.0": [True, 1, 1.0, False, 0, 0.0],
}
NOT_JSON: dict[str, object] = {
    "NaN": float("nan"),
    "infinity, deep down": {"x": [1, {"y": float("-inf")}]},
    "5,000 levels": nested(5_000),
    "what contains itself": endless(),
    "a set": {1, 2},
    "bytes": b"bytes",
    "an object": object(),
    "a key that is no text": {1: 2},
    "a 5,000-digit integer": 10**5_000,
}
NO_NAMES = {
    "up": "..",
    "here": ".",
    "up and away": "../../x",
    "absolute": "/etc/x",
    "a path": "a/b",
    "another path": "a\\b",
    "NUL": "a\0b",
    "nothing": "",
    "too long": "x" * 300,
    "too long in bytes": "日" * 100,
    "reserved": "CON",
    "reserved, with a suffix": "nul.txt",
    "hidden": ".hidden",
    "an option": "--yes",
    "a space in front": " x",
    "a dot behind": "x.",
    "a line break": "a\nb",
    "no width": "a\u200bb",
    "the other way round": "a\u202eb",
    "half a pair": "a\ud800",
    "an address": "a@b#c",
    "a pattern": "*",
    "a temporary file": "x.tmp",
}
