"""Text from files, made harmless: nothing in it can act on a terminal.

Markup is not a matter of the text: `[bold]` stays what it is, and who shows it must not parse it.
"""

import re
import unicodedata

_SUSPECT = re.compile("\x1b\\[[0-9;:]*m|[^ -~]")
_DROPPED = "\ufe0e\ufe0f"  # they only choose between two looks of a glyph, and terminals disagree on its width then
_HIDDEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


def harmless(text: str, limit: int = 2_000) -> str:
    """Return *text* as one line that is safe to show, of at most *limit* characters.

    Control characters become their pictures (U+2400 and on), everything else that has no glyph or that reorders text
    becomes a `\\u` escape. Only colour sequences (SGR), with which tools paint their errors, are left out; a cut text
    ends in `…`.
    """
    return _cut(_SUSPECT.sub(_visible, _cut(text, limit)), limit)


def harmless_lines(text: str, limit: int = 100_000) -> list[str]:
    """Return *text*, cut after *limit* characters, as lines: each one harmless, tabs widened to spaces."""
    lines = re.split("\r\n|\n", _cut(text, limit))
    return [_SUSPECT.sub(_visible, line.expandtabs(4)) for line in lines]


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _visible(match: re.Match[str]) -> str:
    character = match[0]
    if len(character) > 1:
        return ""  # a colour sequence
    code = ord(character)
    if code < 0x20:
        return chr(0x2400 + code)
    if code == 0x7F:
        return "␡"
    if character in _DROPPED:
        return ""
    if unicodedata.category(character) in _HIDDEN:
        return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
    return "\u0020" if unicodedata.category(character) == "Zs" else character
