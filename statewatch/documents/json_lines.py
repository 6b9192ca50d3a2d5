"""JSON Lines: a value a line, appended one by one, so that the last line may be half written."""

import contextlib

from statewatch.documents import codec
from statewatch.documents.codec import DocumentError
from statewatch.documents.values import JSON

MOST_LINES = 2_000
"""So many of the latest lines are looked at."""


def decode(data: bytes) -> tuple[list[JSON], str]:
    """Return the values of the latest lines, oldest first, and what had to be left out, in words (empty: nothing).

    A last line without an end is still being written, and is left out silently where it is no JSON yet.
    """
    lines = data.split(b"\n")
    unfinished = lines.pop()
    earlier = max(0, len(lines) - MOST_LINES)
    found: list[JSON] = []
    bad: list[int] = []
    for number, line in enumerate(lines[earlier:], start=earlier + 1):
        if line.strip():
            try:
                found.append(codec.decode(line))
            except DocumentError:
                bad.append(number)
    if unfinished.strip():
        with contextlib.suppress(DocumentError):
            found.append(codec.decode(unfinished))
    said = [f"only the latest {MOST_LINES:,} lines are shown"] if earlier else []
    if bad:
        more = f" and {len(bad) - 1} more" if len(bad) > 1 else ""
        said.append(f"line {bad[0]}{more} is no JSON and is left out")
    return found, "; ".join(said)
