"""Names of namespaces, checkpoints and keys: what may be made, what may be opened, and what would be confused.

A namespace or a checkpoint becomes a file name, part of a Redis key and a word on the command line, on systems that
fold case or normalise Unicode and on those that do not. So the rules are those that are safe on all of them.
"""

import unicodedata
from collections.abc import Iterable

from statewatch.core.errors import RefusedError
from statewatch.documents.text import harmless

MAX_CHARACTERS = 128
MAX_BYTES = 200
"""UTF-8 bytes of a name: with suffixes and the mark of a temporary file it stays under the 255 of a file name."""
MAX_KEY_BYTES = 1_024

_FILE_NAME_BYTES = 255
_PUNCTUATION = frozenset("._-+ ")
_BASES = frozenset({"Lu", "Ll", "Lt", "Lm", "Lo", "Nd"})
_MARKS = frozenset({"Mn", "Mc"})  # vowel signs and accents, without which many scripts cannot be written
_INVISIBLE = frozenset(
    chr(code)
    for first, last in (
        (0x034F, 0x034F),
        (0x115F, 0x1160),
        (0x17B4, 0x17B5),
        (0x180B, 0x180F),
        (0x3164, 0x3164),
        (0xFE00, 0xFE0F),
        (0xFFA0, 0xFFA0),
        (0xE0100, 0xE01EF),
    )
    for code in range(first, last + 1)
)
"""Letters and marks that show nothing (Default_Ignorable_Code_Point in Unicode's DerivedCoreProperties.txt)."""

_RESERVED = frozenset(
    {"con", "prn", "aux", "nul", *(f"{device}{number}" for device in ("com", "lpt") for number in range(10))}
)
"""Devices on Windows, whatever extension follows ("Naming Files, Paths, and Namespaces", Microsoft)."""
_OWN_ENDINGS = (".tmp", ".lock")

_LOOK_ALIKES = str.maketrans(
    "АВСЕԌНІЈКМОРЅТѴԜХУҮӀЬ" + "асԁегһіӏјорԛѕѵԝхуү"
    "ΑΒΕϜΗΙͿΚΜΝΟΡΤΧΥΖ" + "αιϳοσρυνγ"
    "ՕՏՍ" + "օսհոռգցք"
    "ıɩɑɡ",
    "ABCEGHIJKMOPSTVWXYYIb" + "acderhiijopqsvwxyy"
    "ABEFHIJKMNOPTXYZ" + "aijoopuvy"
    "OSU" + "ouhnnqgf"
    "iiag",
)  # fmt: skip
"""Letters of other scripts that look like one of ASCII: the common part of Unicode's confusables.txt (UTS #39).

That table makes one of I, l and 1, and of O and 0, too; here they stay apart, since honest names differ in them, and
what it says looks like an l is taken for a capital I where it is one in its own script.
"""
_NAMELESS = {"Cc": "a control character", "Cs": "half of a surrogate pair"}


def check_namespace(name: str) -> None:
    """Refuse, with RefusedError, a name that no new namespace may have."""
    _check("namespace", name)


def check_checkpoint(name: str) -> None:
    """Refuse, with RefusedError, a name that no new checkpoint may have."""
    _check("checkpoint", name)


def check_key(key: str) -> None:
    """Refuse, with RefusedError, what cannot be a key: empty, longer than MAX_KEY_BYTES, with a NUL, or not UTF-8."""
    check_is_text(key)
    problem = _key_problem(key)
    if problem:
        raise RefusedError(
            f"the key '{harmless(key, 60)}' {problem}. Allowed is any text of up to {MAX_KEY_BYTES:,} bytes in UTF-8 "
            "without NUL."
        )


def check_is_text(key: object, what: str = "key") -> None:
    """Refuse, with RefusedError, what is no text at all, as a caller without types may give it."""
    if not isinstance(key, str):
        raise RefusedError(
            f"the {what} {harmless(repr(key), 60)} is of type {type(key).__name__}: a {what} is a text (str), "
            f"such as {str(key) if isinstance(key, int) else 'name'!r}."
        )


def existing_is_safe(name: str) -> bool:
    """Tell whether what another tool left under *name* may be opened, though no such name would be made here.

    It may when *name* is the name of one file in the directory at hand. Text as the system gives file names is
    accepted, with bytes that are not UTF-8 as halves of surrogate pairs (PEP 383).
    """
    try:
        size = len(name.encode(errors="surrogateescape"))
    except UnicodeEncodeError:
        return False
    return 0 < size <= _FILE_NAME_BYTES and name not in {".", ".."} and not set(name) & set("/\\\0")


def clash(name: str, existing: Iterable[str]) -> str | None:
    """Return the existing name that a new *name* would be confused with, or None. One that exists is not new.

    Two names are confused when they differ only in case, in Unicode's compatibility forms, or in letters of different
    scripts that look alike.
    """
    others = list(existing)
    if name in others:
        return None
    mine = _forms(name)
    return next((other for other in others if any(a == b for a, b in zip(mine, _forms(other), strict=True))), None)


def _forms(name: str) -> tuple[str, str]:
    """Return what two names have in common when one is taken for the other: by a file system, and by an eye.

    They are two, since a capital and a small letter may look like different letters: Greek Ν like N, and ν like v.
    """
    if name.isascii():  # most are, and there may be hundreds to compare with
        return (folded := name.lower()), folded
    plain = unicodedata.normalize("NFKD", name)
    return _folded(plain), _folded(plain.translate(_LOOK_ALIKES))


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKD", text.casefold()).replace("i\u0307", "i")  # an i shows no second dot


def _check(what: str, name: str) -> None:
    problem = _problem(name)
    if problem:
        raise RefusedError(
            f"the {what} name '{harmless(name, 60)}' {problem}. Allowed are up to {MAX_CHARACTERS} letters and digits "
            "of any script, with . _ - + and spaces between them."
        )


def _problem(name: str) -> str | None:
    if not name:
        return "is empty"
    if len(name) > MAX_CHARACTERS:
        return f"has {len(name):,} characters"
    return _wrong_character(name) or _wrong_form(name)


def _wrong_character(name: str) -> str | None:
    before = ""
    for position, character in enumerate(name, 1):
        category = unicodedata.category(character)
        if category in _MARKS and before not in _BASES | _MARKS:
            return f"has {_described(character)} at position {position} without a letter to stand on"
        if character not in _PUNCTUATION and (category not in _BASES | _MARKS or character in _INVISIBLE):
            return f"has {_described(character)} at position {position}"
        before = category
    return None


def _wrong_form(name: str) -> str | None:
    if name[0] in ".-":
        return f"begins with '{name[0]}'"
    if name[0] == " " or name[-1] == " ":
        return "begins or ends with a space"
    if name[-1] == ".":
        return "ends with '.'"
    if not unicodedata.is_normalized("NFC", name):
        return "is not in Unicode's composed form (NFC), so that another name would look the same"
    if name.partition(".")[0].rstrip().casefold() in _RESERVED:
        return "is that of a device on some systems"
    if name.casefold().endswith(_OWN_ENDINGS):
        return f"ends like a temporary file or a lock ({' or '.join(_OWN_ENDINGS)})"
    size = len(name.encode())
    return f"has {size} bytes in UTF-8, and {MAX_BYTES} is the most" if size > MAX_BYTES else None


def _key_problem(key: str) -> str | None:
    if not key:
        return "is empty"
    if "\0" in key:
        return f"has a NUL at position {key.index(chr(0)) + 1}"
    try:
        size = len(key.encode())
    except UnicodeEncodeError as error:
        return f"has {_described(key[error.start])} at position {error.start + 1}"
    return f"has {size:,} bytes" if size > MAX_KEY_BYTES else None


def _described(character: str) -> str:
    """Return a character as a person can look it up: itself where it shows, its number and its name."""
    category = unicodedata.category(character)
    name = unicodedata.name(character, _NAMELESS.get(category, "unassigned or private"))
    shown = f"'{character}' " if category[0] in "LNPS" else ""
    return f"{shown}U+{ord(character):04X} ({name})"
