"""The settings file of a hook runner: putting its hook commands behind their circuits, and taking that back.

It is Claude Code's `settings.json`: `hooks` maps an event to groups, `{"matcher": …, "hooks": [{"type": "command",
"command": …}]}`. A command C becomes `statewatch-hook --key NAME -- sh -c 'C'`. Only the texts of commands are respelt:
every other byte of the file stays, and unwrapping a wrapped command gives the very text that was there. Pure functions.
"""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from statewatch.documents import pointer
from statewatch.documents.literals import Literal, literals, meaning, respelt, units
from statewatch.documents.values import JSON, Path
from statewatch.kinds.base import RefusedError, items, mapping, text, type_name
from statewatch.kinds.hook_names import hook_name_in, script_in

PROGRAM = "statewatch-hook"

_COMMENT = re.compile(r'"(?:[^"\\]|\\.)*"|(//|/\*)', re.DOTALL)
_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789@%+=:,./-_")


@dataclass(frozen=True, slots=True)
class Wrapping:
    """How commands are wrapped: the words that start the wrapper, its options, and the shell that runs the command."""

    program: tuple[str, ...] = (PROGRAM,)
    options: tuple[str, ...] = ()
    shell: str = "sh"


@dataclass(frozen=True, slots=True)
class Rewritten:
    """New text of a settings file, which commands were changed in it (by the names of their circuits), and notes."""

    text: str
    places: tuple[Path, ...]
    names: tuple[str, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Command:
    """A command of a hook, as it stands in the file."""

    path: Path
    text: str
    literal: Literal


def wrapped(settings: str, document: JSON, wrapping: Wrapping) -> Rewritten:
    """Return the text of a settings file with every command behind its circuit; what is so already stays as it is.

    *document* is what *settings* means. Raises RefusedError when it is no settings file.
    """
    commands, notes = _commands(settings, document)
    names = _names(commands)
    changes: dict[Literal, str] = {}
    places: list[Path] = []
    targets: list[str] = []
    for command in commands:
        if is_wrapped(command.text):
            continue
        if "\0" in command.text or not command.text.strip():
            notes.append(f"{pointer.render(command.path)}: left as it is, since no shell can run it")
            continue
        spelt = settings[command.literal.start : command.literal.end]
        changes[command.literal] = _wrap(spelt, names[command.text], wrapping)
        places.append(command.path)
        targets.append(names[command.text])
    return Rewritten(respelt(settings, changes), tuple(places), tuple(dict.fromkeys(targets)), tuple(notes))


def unwrapped(settings: str, document: JSON) -> Rewritten:
    """Return the text of a settings file with every command as it was before it was wrapped.

    Raises RefusedError when it is no settings file.
    """
    commands, notes = _commands(settings, document)
    changes: dict[Literal, str] = {}
    places: list[Path] = []
    targets: list[str] = []
    for command in commands:
        if not is_wrapped(command.text):
            continue
        spelt = settings[command.literal.start : command.literal.end]
        found = _unwrap(spelt)
        if found is None:
            notes.append(f"{pointer.render(command.path)}: left as it is: it was not put behind its circuit by install")
            continue
        changes[command.literal] = found
        places.append(command.path)
        targets.append(_key_of(command.text))
    return Rewritten(respelt(settings, changes), tuple(places), tuple(dict.fromkeys(targets)), tuple(notes))


def is_wrapped(command: str) -> bool:
    """Tell whether a command starts the wrapper, however that is spelt."""
    words = [word for word, _, _ in _words(list(command))]
    program = words[0].rpartition("/")[2] if words else ""
    if program == PROGRAM:
        return True
    if program == "statewatch":
        return words[1:2] == ["hook"]
    return program.startswith("python") and words[1:4] == ["-m", "statewatch", "hook"]


def comment_line(settings: str) -> int | None:
    """Return the line, from 1, of the first comment in a text that is JSON but for comments; None without one."""
    found = next((match for match in _COMMENT.finditer(settings) if match[1]), None)
    return None if found is None else settings.count("\n", 0, found.start()) + 1


def quoted(word: str) -> str:
    """Return a word as a shell takes it."""
    if word and all(sign in _PLAIN for sign in word):
        return word
    return "'" + word.replace("'", "'\\''") + "'"


def _commands(settings: str, document: JSON) -> tuple[list[_Command], list[str]]:
    """Return the shell commands of a settings file, and what is in it that is none. Raises RefusedError."""
    if not isinstance(document, dict):
        raise RefusedError(f"it is {type_name(document)}, and a settings file is an object")
    hooks = document.get("hooks")
    if hooks is None:
        raise RefusedError("it has no hooks, so there is nothing to put behind a circuit")
    if not isinstance(hooks, dict):
        raise RefusedError(f"/hooks: expected an object of events, found {type_name(hooks)}")
    at = {literal.path: literal for literal in literals(settings) if literal.path[:1] == ("hooks",)}
    notes: list[str] = []
    found = [_Command(path, command, at[path]) for path, command in _walk(hooks, notes.append)]
    return found, notes


def _walk(hooks: dict[str, JSON], note: Callable[[str], None]) -> Iterator[tuple[Path, str]]:
    for event, groups in hooks.items():
        if not isinstance(groups, list):
            note(f"{pointer.render(('hooks', event))}: left as it is: expected a list, found {type_name(groups)}")
        for number, group in enumerate(items(groups)):
            path: Path = ("hooks", event, number, "hooks")
            hooks_of_group = mapping(group).get("hooks")
            if not isinstance(hooks_of_group, list):
                found = type_name(hooks_of_group if isinstance(group, dict) else group)
                note(f"{pointer.render(path)}: left as it is: expected a list of hooks, found {found}")
            for place, hook in enumerate(items(hooks_of_group)):
                here = (*path, place)
                if reason := _no_command(hook):
                    note(f"{pointer.render(here)}: left as it is: {reason}")
                else:
                    yield (*here, "command"), str(mapping(hook)["command"])


def _no_command(hook: JSON) -> str:
    """Return why a hook is no command of a shell that can be wrapped; empty for one that is."""
    if not isinstance(hook, dict):
        return f"expected an object, found {type_name(hook)}"
    kind = hook.get("type", "command")
    if kind != "command":
        return f"a hook of the type {json.dumps(kind)[:60]} runs no command"
    if not isinstance(hook.get("command"), str):
        return f"its command should be a text, and is {type_name(hook.get('command'))}"
    if "args" in hook:
        return "it has args, so no shell runs it; put statewatch-hook in front by hand"
    if (text(hook.get("shell")) or "bash") == "powershell":
        return "PowerShell runs it, and the wrapper is for POSIX shells"
    return ""


def _names(commands: list[_Command]) -> dict[str, str]:
    """Return the name of the circuit for each command that has none yet.

    A script has its own name, with whatever arguments it runs, as in the tools that own hook states. What has only the
    name of a program gets a number where another command has that name already: the two may fail apart.
    """
    taken = {_key_of(command.text) for command in commands if is_wrapped(command.text)}
    names: dict[str, str] = {}
    for command in (each.text for each in commands if not is_wrapped(each.text)):
        if command in names:
            continue
        name = wanted = hook_name_in(command)
        number = 2
        while name in taken and not script_in(command):
            name = f"{wanted}-{number}"
            number += 1
        names[command] = name
        taken.add(name)
    return names


def _wrap(literal: str, name: str, wrapping: Wrapping) -> str:
    words = [*wrapping.program, "--key", name, *wrapping.options, "--", wrapping.shell, "-c"]
    before = json.dumps(" ".join(map(quoted, words)) + " '")
    inner = (unit if meaning(unit) != "'" else f"'\\\\{unit}'" for unit in units(literal))
    return before[:-1] + "".join(inner) + "'\""


def _unwrap(literal: str) -> str | None:
    """Return the literal that was wrapped, spelt as it was; None for one that was not wrapped by `wrapped`."""
    spelt = units(literal)
    words = _words([meaning(unit) for unit in spelt])
    values = [word for word, _, _ in words]
    if "--" not in values or len(values) != (start := values.index("--")) + 4 or values[start + 2] != "-c":
        return None
    _, first, end = words[-1]
    inner = []
    place = first
    while place < end:
        if meaning(spelt[place]) != "'":
            return None
        place += 1
        while place < end and meaning(spelt[place]) != "'":
            inner.append(spelt[place])
            place += 1
        place += 1
        if place < end:  # the next are a backslash and the quote that it stands for
            if meaning(spelt[place]) != "\\":
                return None
            inner.append(spelt[place + 1])
            place += 2
    return '"' + "".join(inner) + '"'


def _words(signs: list[str]) -> list[tuple[str, int, int]]:
    """Split a command line as a shell does: each word, and from where to where it goes. It ends at the first operator.

    Nothing is expanded. A quote that is not closed closes at the end.
    """
    words: list[tuple[str, int, int]] = []
    place, end = 0, len(signs)
    while place < end:
        if signs[place] in {" ", "\t"}:
            place += 1
            continue
        if signs[place] in {"\n", ";", "&", "|"}:
            return [*words, ("", place, place)]
        start, value = place, ""
        while place < end and signs[place] not in {" ", "\t", "\n", ";", "&", "|"}:
            part, place = _part(signs, place)
            value += part
        words.append((value, start, place))
    return words


def _part(signs: list[str], place: int) -> tuple[str, int]:
    """Read one character, or one quoted part, of a word; return what it means, and the place behind it."""
    sign, end = signs[place], len(signs)
    if sign == "\\":
        return "".join(signs[place + 1 : place + 2]), min(place + 2, end)
    if sign not in {"'", '"'}:
        return sign, place + 1
    value, place = "", place + 1
    while place < end and signs[place] != sign:
        if sign == '"' and signs[place] == "\\" and place + 1 < end and signs[place + 1] in {'"', "\\", "$", "`"}:
            place += 1
        value += signs[place]
        place += 1
    return value, min(place + 1, end)


def _key_of(command: str) -> str:
    words = [word for word, _, _ in _words(list(command))]
    return words[words.index("--key") + 1] if "--key" in words[:-1] else PROGRAM
