"""The command line of the wrapper around hooks, read by hand: a parser that is imported would cost each hook 20 ms."""

from __future__ import annotations

TYPE_CHECKING = False  # as type checkers take it; see above
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

USAGE = "Usage: statewatch hook [OPTIONS] [--] COMMAND [ARGUMENT]..."
HELP = f"""\
{USAGE}
       statewatch-hook [OPTIONS] [--] COMMAND [ARGUMENT]...

Run the COMMAND of a hook behind its circuit, and record how it went.

After some failures in a row the circuit opens: the command is not run then, and that counts as success for whoever
runs the hook. After a cool-down it is tested again. Standard input, output and error, signals and the exit code are
the command's own. Whatever is the matter with the hook state, the command runs, once; then standard error says why
nothing could be recorded.

Options:
  --key NAME               The name of the circuit, instead of that of the last script on the command line.
  --state FILE_OR_URL      The hook state: a file, or the URL of a store, for a whole fleet; otherwise
                           GUARDRAILS_STATE_FILE, guardrails.yaml or ~/.claude/hook_state.json say where.
  --failure-threshold N    Open after so many failures in a row (3).
  --success-threshold N    Close after so many successes of a half-open circuit (2).
  --cooldown SECONDS       Test an open circuit after so long (300).
  --success-codes N,N      Exit codes that are no failure (0), as 0,2 for a hook that blocks with 2.
  --timeout SECONDS        End the command after so long; it is a failure then, and the exit code is 124.
  --skip-output FORM       What an open circuit prints: json for hook runners (the default), text, or none.
  --skip-exit-code N       The exit code where an open circuit keeps the command from running (0).
  -h, --help               Show this help.
  --version                Show the version.

The thresholds, the cool-down and what is excluded are otherwise those of guardrails.yaml beside the hook state and of
GUARDRAILS_* variables; `statewatch hooks config` shows them.

Exit codes: the command's own; 128 + N when signal N ended it, 124 after a timeout, 126 when it cannot be run, 127 when
it does not exist, 64 when this command line is wrong. 2 is never ours: to hook runners it means "block".

Examples:
  statewatch-hook -- python3 .claude/hooks/validate.py
  statewatch-hook --key lint --timeout 20 --success-codes 0,2 -- sh -c 'npm run -s lint && echo fine'
  statewatch hook --state 'redis://localhost/0?namespace=hooks' -- ./notify.sh
"""


class UsageError(Exception):
    """A command line that cannot be understood: nothing was run."""


class Options:
    """What the command line says. Thresholds are None where it does not say; `complaints` are values left unused."""

    key: str | None = None
    state: str | None = None
    failure_threshold: int | None = None
    success_threshold: int | None = None
    cooldown: float | None = None
    timeout: float | None = None
    success_codes: tuple[int, ...] = (0,)
    skip_output: str = "json"
    skip_exit_code: int = 0
    wants: str = ""
    """`help` or `version` where that is asked for instead."""

    def __init__(self) -> None:
        self.words: list[str] = []
        self.complaints: list[str] = []


def parsed(arguments: Sequence[str]) -> Options:
    """Read a command line. Raises UsageError.

    A value out of bounds does not keep a hook from running: it is complained of, and the default holds.
    """
    options = Options()
    words = iter(arguments)
    for word in words:
        if word == "--":
            options.words = list(words)
        elif word in ("-h", "--help", "--version"):
            options.wants = "version" if word == "--version" else "help"
            return options
        elif word.startswith("-") and word != "-":
            _take(options, word, words)
        else:
            options.words = [word, *words]
    if not options.words:
        raise UsageError("there is no command to run. Put it behind `--`.")
    return options


def _take(options: Options, word: str, words: Iterator[str]) -> None:
    name, equals, value = word.partition("=")
    if name not in _READERS:
        raise UsageError(f"there is no option {name!r}. --help shows all; a command that begins with '-' goes after --")
    if not equals:
        found = next(words, None)
        if found is None:
            raise UsageError(f"{name} needs a value")
        value = found
    field, reader = _READERS[name]
    try:
        setattr(options, field, reader(value))
    except ValueError as error:
        options.complaints.append(f"{name} {value!r}: {error}, so it is left unused")


def _whole(low: int, high: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not (text.isascii() and text.isdigit() and len(text) <= 9 and low <= int(text) <= high):
            raise ValueError(f"it is a whole number from {low} to {high}")
        return int(text)

    return read


def _seconds(low: float, high: float) -> Callable[[str], float]:
    def read(text: str) -> float:
        try:
            found = float(text.removesuffix("s"))
        except ValueError:
            found = -1.0
        if not low <= found <= high:  # nor is NaN
            raise ValueError(f"it is a number of seconds from {low:g} to {high:g}")
        return found

    return read


def _text(text: str) -> str:
    if not text.strip():
        raise ValueError("it is empty")
    return text


def _codes(text: str) -> tuple[int, ...]:
    return tuple(_whole(0, 255)(part.strip()) for part in text.split(","))


def _form(text: str) -> str:
    if text not in ("json", "text", "none"):
        raise ValueError("it is json, text or none")
    return text


_READERS: dict[str, tuple[str, Callable[[str], object]]] = {
    "--key": ("key", _text),
    "--state": ("state", _text),
    "--failure-threshold": ("failure_threshold", _whole(1, 100)),
    "--success-threshold": ("success_threshold", _whole(1, 100)),
    "--cooldown": ("cooldown", _seconds(0, 86_400)),
    "--timeout": ("timeout", _seconds(0.001, 86_400)),
    "--success-codes": ("success_codes", _codes),
    "--skip-output": ("skip_output", _form),
    "--skip-exit-code": ("skip_exit_code", _whole(0, 255)),
}
