"""JSON Pointer (RFC 6901): the text form of a place inside a document."""

import re

from statewatch.documents.values import JSON, Path


class PointerError(ValueError):
    """A pointer that is not well-formed or that leads nowhere; the message says where it stopped and what was near."""


def parse(text: str) -> tuple[str, ...]:
    """Split a pointer into its reference tokens. Raises PointerError when it is not well-formed."""
    if text == "":
        return ()
    if not text.startswith("/"):
        raise PointerError(f"a pointer starts with '/': {text!r}")
    if stray := re.search("~(?![01])", text):
        raise PointerError(f"in a pointer '~' is written '~0': {text!r}, position {stray.start() + 1}")
    return tuple(token.replace("~1", "/").replace("~0", "~") for token in text[1:].split("/"))


def render(path: Path) -> str:
    """Return the pointer for *path*."""
    return "".join("/" + str(token).replace("~", "~0").replace("/", "~1") for token in path)


def locate(document: JSON, tokens: tuple[str, ...]) -> Path:
    """Turn reference tokens into a path that exists in *document*. Raises PointerError where it does not."""
    path: Path = ()
    here = document
    for token in tokens:
        if isinstance(here, dict) and token in here:
            path, here = (*path, token), here[token]
        elif isinstance(here, list) and _is_index(token) and int(token) < len(here):
            path, here = (*path, int(token)), here[int(token)]
        else:
            raise PointerError(f"nothing at {render((*path, token))!r}{_hint(here, token)}")
    return path


def get(document: JSON, path: Path) -> JSON:
    """Return the value at *path*. Raises PointerError when the document has no such place."""
    here = document
    for depth, token in enumerate(path):
        if isinstance(here, dict) and isinstance(token, str) and token in here:
            here = here[token]
            continue
        if isinstance(here, list) and isinstance(token, int) and 0 <= token < len(here):
            here = here[token]
            continue
        raise PointerError(f"nothing at {render(path[: depth + 1])!r}")
    return here


def _is_index(token: str) -> bool:
    return token == "0" or (token.isascii() and token.isdigit() and not token.startswith("0") and len(token) < 10)


def _hint(here: JSON, token: str) -> str:
    if isinstance(here, dict):
        import difflib  # noqa: PLC0415 - 9 ms, for a message

        near = difflib.get_close_matches(token, list(here)[:10_000], n=3)
        names = near or list(here)[:5]
        return f"; there is {', '.join(map(repr, names))}" if names else "; the object there is empty"
    if isinstance(here, list):
        return f"; the list there has {len(here)} items"
    return "; the value there has nothing inside"
