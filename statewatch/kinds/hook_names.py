"""The name under which a hook's circuit is kept, where nobody gives one: made from its command line.

It is the base name of the last script on the command line in kebab case, as in the tools that own hook states:
`uv run /hooks/validate_new_file.py --strict` is `validate-new-file`. It is loaded in front of every hook, so it imports
nothing.
"""

TYPE_CHECKING = False  # as type checkers take it; `typing` alone costs more than this module
if TYPE_CHECKING:
    from collections.abc import Sequence

_SCRIPTS = frozenset(
    [
        ".py",
        ".pyw",
        ".sh",
        ".bash",
        ".zsh",
        ".fish",
        ".ksh",
        ".js",
        ".mjs",
        ".cjs",
        ".ts",
        ".mts",
        ".cts",
        ".tsx",
        ".rb",
        ".pl",
        ".php",
        ".lua",
        ".ps1",
        ".awk",
        ".jl",
        ".r",
    ]
)
_SHELLS = frozenset(["sh", "bash", "zsh", "dash", "ksh", "ash", "fish", "busybox"])
_RUNNERS = frozenset(
    [
        "env",
        "exec",
        "command",
        "nohup",
        "time",
        "nice",
        "sudo",
        "stdbuf",
        "uv",
        "uvx",
        "pipx",
        "npx",
        "bunx",
        "run",
        "x",
        "--",
    ]
)
_SETTING_UP = frozenset(
    [
        "cd",
        "set",
        "export",
        "source",
        ".",
        "umask",
        "ulimit",
        "trap",
        "test",
        "[",
        "[[",
        ":",
        "true",
        "if",
        "then",
        "{",
        "(",
        "!",
    ]
)
_BREAKS = "\n;&|"
_NAMELESS = "hook"


def hook_name(words: "Sequence[str]") -> str:
    """Return the name for a command line that is split into *words* already, as a program receives it."""
    for place, word in enumerate(words[:-1]):
        is_inline = word.startswith("-") and word[1:].isalpha() and word.endswith("c")
        if is_inline and any(_base(before) in _SHELLS for before in words[:place]):
            return hook_name_in(words[place + 1])  # what a shell is to run
    return _script(words) or _subcommand(words) or _program(words) or _NAMELESS


def hook_name_in(command: str) -> str:
    """Return the name for a *command* as one types it into a shell. Quoting is only guessed at: it is about a name."""
    parts = _parts(command)
    doing = [part for part in parts if part[0] not in _SETTING_UP] or parts
    return script_in(command) or (_subcommand(doing[0]) or _program(doing[0]) if doing else "") or _NAMELESS


def script_in(command: str) -> str:
    """Return the name of the last script in a *command* as one types it into a shell; empty when there is none."""
    return next((name for part in reversed(_parts(command)) if (name := _script(part))), "")


def _parts(command: str) -> list[list[str]]:
    """Split a command line into the commands in it, and those into words."""
    for mark in _BREAKS:
        command = command.replace(mark, "\n")
    parts = [[word.strip("'\"(){}`") for word in line.split()] for line in command.split("\n")]
    return [words for part in parts if (words := [word for word in part if word])]


def _script(words: "Sequence[str]") -> str:
    """Return the name of the last word that is a script by its suffix; empty when there is none."""
    for word in reversed(words):
        stem, dot, suffix = _base(word).rpartition(".")
        is_name = not any(sign in "\"'(){}$=,:" for sign in stem)
        if stem and is_name and (dot + suffix).lower() in _SCRIPTS and not word.startswith("-"):
            return _kebab(stem)
    return ""


def _subcommand(words: "Sequence[str]") -> str:
    """Return a first word behind the program that is a kebab-case name of its own: `hooks-tool damage-control`."""
    word = words[1] if len(words) > 1 else ""
    parts = word.split("-")
    named = len(parts) > 1 and parts[0] and word[0].isalpha() and all(part.isalnum() for part in parts)
    return word if named and word == word.lower() and word.isascii() else ""


def _program(words: "Sequence[str]") -> str:
    """Return the name of the program that runs in the end, whatever starts it; of a module where Python runs one."""
    for place, word in enumerate(words):
        name = _base(word)
        if word == "-m" and place + 1 < len(words) and _base(words[place - 1]).startswith("python"):
            return _kebab(words[place + 1])
        if name.startswith("python") and "-m" in words[place + 1 : -1]:
            continue
        if name and name not in _RUNNERS and not word.startswith("-") and not _is_setting(word):
            return _kebab(name)
    return ""


def _is_setting(word: str) -> bool:
    name, equals, _ = word.partition("=")
    return bool(equals) and name.isidentifier()


def _base(word: str) -> str:
    return word.rstrip("/").rpartition("/")[2]


def _kebab(name: str) -> str:
    words = "".join(sign if sign.isalnum() or sign == "." else " " for sign in name).split()
    return "-".join(words).lower().strip(".")
