"""Text from files, made harmless: nothing in it can act on a terminal or be taken for markup of the screen."""

import re
import unicodedata

_SUSPECT = re.compile("[^ -~]")
_DROPPED = "\ufe0e\ufe0f"  # variation selectors: invisible, and terminals disagree on the width they cause
_HIDDEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


def harmless(text: str, limit: int = 2_000) -> str:
    """Return *text* as one line that is safe to show, cut after *limit* characters.

    Control characters become their pictures (U+2400 and on), everything else that has no glyph or that reorders text
    becomes a `\\u` escape. Nothing is silently left out: a cut text ends in `…`.
    """
    if len(text) > limit:
        text = text[: limit - 1] + "…"
    return _SUSPECT.sub(_visible, text)


def harmless_lines(text: str, limit: int = 100_000) -> list[str]:
    """Return *text* split at its line ends, each line harmless and tabs widened to spaces."""
    if len(text) > limit:
        text = text[: limit - 1] + "…"
    lines = re.split("\r\n|\n", text)
    return [harmless(line.expandtabs(4), limit=limit + 3) for line in lines]


def _visible(match: re.Match[str]) -> str:
    character = match[0]
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
