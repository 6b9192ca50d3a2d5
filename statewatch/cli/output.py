"""Printing: data to standard output, talk to standard error, and nothing that could act on a terminal."""

import io
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TextIO

import click

from statewatch.documents.text import harmless

if TYPE_CHECKING:
    from statewatch.cli.columns import Column

_PLAIN = str.maketrans(
    {"→": "->", "…": "...", "·": "-", "–": "-", "—": "-", "‘": "'", "’": "'", "“": '"', "”": '"', "✓": "+", "✕": "x"}
)
_COLOURS = {
    "good": "green",
    "bad": "red",
    "warn": "yellow",
    "open": "red",
    "half_open": "yellow",
    "closed": "green",
    "failed": "red",
    "completed": "green",
    "running": "cyan",
    "in_progress": "cyan",
    "paused": "yellow",
    "skipped": "yellow",
    "stalled": "red",
    "unreadable": "red",
}


class ReaderGoneError(Exception):
    """Whoever read our output has gone away, as `head` does when it has seen enough."""


def prepare_streams() -> None:
    """Let every stream take any text, and all of it: what its encoding has no sign for becomes an escape."""
    sys.stdout, sys.stderr = _whole(sys.stdout), _whole(sys.stderr)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    if isinstance(sys.stdin, io.TextIOWrapper):
        sys.stdin.reconfigure(errors="replace")


def say(text: str = "") -> None:
    """Print a line of data, as it is but for signs the stream has not."""
    _echo(sys.stdout, text + "\n")


def raw(text: str) -> None:
    """Write data for a program: whatever is in it, and no end of line that it has not."""
    _echo(sys.stdout, text, color=True)


def note(text: str) -> None:
    """Print a line of talk. Where that cannot be written nobody hears it; what was done is done all the same."""
    try:
        _echo(sys.stderr, text + "\n")
    except (OSError, ReaderGoneError):
        abandon(sys.stderr)


def abandon(stream: TextIO | None) -> None:
    """Let what is written to a stream from now on, and what it still holds back, go nowhere."""
    try:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno() if stream is not None else -1)
        os.close(nowhere)
    except (OSError, ValueError):
        return


def complain(text: str) -> None:
    """Print what went wrong, as one harmless line."""
    note(f"statewatch: {harmless(text)}")


def json_out(value: Any, *, compact: bool = False) -> None:
    """Print a JSON value on standard output: ASCII only, so that it is safe on a terminal too."""
    import json  # noqa: PLC0415

    say(json.dumps(value, indent=None if compact else 2, ensure_ascii=True))


def table(shown: "Sequence[Column]", rows: Sequence[Sequence[str]], tones: Sequence[str | None] = ()) -> None:
    """Print a table of harmless texts; on a terminal as wide as that is. A row's first cell takes its tone."""
    from statewatch.cli import columns  # noqa: PLC0415 - what only some commands need must not slow the others

    laid = columns.lines(shown, rows, line_length())
    say(paint(columns.join(laid[0]), "title"))
    for place, cells in enumerate(laid[1:]):
        tone = tones[place] if place < len(tones) else None
        say(columns.join([paint(cells[0], tone), *cells[1:]]))


def facts(named: "Sequence[tuple[str, str]]") -> None:
    """Print facts below a title: a name and a text a line."""
    for name, text in named:
        say(f"  {paint(f'{name:<9}', name)} {harmless(text, 500)}")


def line_length() -> int | None:
    """Return how many cells a line of standard output has, None where it is no terminal and lines have any length."""
    if not is_terminal(sys.stdout):
        return None
    import shutil  # noqa: PLC0415

    return shutil.get_terminal_size().columns


def paint(text: str, tone: str | None) -> str:
    """Return *text* in the colour of *tone* (a word such as `good`, or a state) where colours are welcome."""
    if tone is None or not is_terminal(sys.stdout) or os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return text
    if tone == "title":
        return click.style(text, bold=True)
    return click.style(text, fg=_COLOURS[tone]) if tone in _COLOURS else text


def is_terminal(stream: TextIO | None) -> bool:
    """Tell whether a stream is there and leads to a terminal."""
    return stream is not None and not stream.closed and stream.isatty()


def shown_path(path: str) -> str:
    """Return a path as people write it, with the home as `~`; harmless."""
    home = os.path.expanduser("~").rstrip("/")  # noqa: PTH111 - the text is wanted, whatever bytes are in it
    if home and path.startswith(home + "/"):
        return harmless("~" + path[len(home) :])
    return harmless(path)


def near_path(path: str) -> str:
    """Return a path as people write it who are where this program was started; harmless."""
    try:
        here = os.getcwd().rstrip("/") + "/"  # noqa: PTH109 - the text is wanted
    except OSError:
        return shown_path(path)
    inner = path.removeprefix(here)
    return shown_path(path) if inner == path or inner[:1] in {"", "-", "@", "~", "/"} else harmless(inner)


def quoted(text: str) -> str:
    """Return a word as a shell takes it; harmless."""
    import shlex  # noqa: PLC0415

    return harmless(shlex.quote(text))


def size(octets: int) -> str:
    """Return how large something is, short enough for a column: `812 B`, `9.4 KB`, `120 MB`."""
    amount = float(octets)
    for unit in ("B", "KB", "MB"):
        if amount < 999.5:
            return f"{amount:.0f} {unit}" if unit == "B" or amount >= 9.95 else f"{amount:.1f} {unit}"
        amount /= 1000
    return f"{amount:.1f} GB"


def count(number: int, thing: str, things: str | None = None) -> str:
    """Return `1 hook`, `2 hooks`."""
    return f"{number:,} {thing if number == 1 else things or thing + 's'}"


def _whole(stream: TextIO) -> TextIO:
    """Return a stream that writes all it is given, or fails.

    With PYTHONUNBUFFERED set nothing stands between the text and the system, and what one call to that did not take
    (a pipe that is closed meanwhile, a disk that is full) would be lost without a word.
    """
    if not isinstance(stream, io.TextIOWrapper) or not isinstance(stream.buffer, io.RawIOBase):
        return stream
    whole = io.BufferedWriter(stream.buffer)  # the old stream stays as it is, for who has it
    return io.TextIOWrapper(whole, stream.encoding, stream.errors, line_buffering=True)


def _echo(stream: TextIO | None, text: str, *, color: bool | None = None) -> None:
    if stream is None:
        return
    encoding = stream.encoding or "ascii"
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        if "utf" not in encoding.lower():
            text = text.translate(_PLAIN)
    try:
        click.echo(text, file=stream, nl=False, color=color)
    except BrokenPipeError:
        raise ReaderGoneError from None
