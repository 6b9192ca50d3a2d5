"""The actions on the circuits of a hook state, as the dashboard, the command line and the library offer them.

What is kept beside the records (modes, tests, openings in a row) is a document of its own: in a file beside that of the
records, so that some requests are two actions of one group, or in a key of the same namespace.
"""

import os
import secrets
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final, Literal, TypeAlias

from statewatch.core.actions import Action
from statewatch.core.beside import extras_file
from statewatch.core.circuit_places import EXTRAS
from statewatch.core.errors import RefusedError, SourceError
from statewatch.core.extras_file import ExtrasFile
from statewatch.core.policy import policy_for
from statewatch.core.stores.base import Store
from statewatch.core.stores.file import FileStore
from statewatch.documents.values import JSON
from statewatch.kinds import circuits
from statewatch.kinds.base import Change
from statewatch.kinds.circuit_extras import MODES, entry_of
from statewatch.kinds.policy import Policy
from statewatch.kinds.words import mapping

Verb = Literal["reset", "enable", "disable", "half-open"]
Hooks: TypeAlias = Sequence[str] | None
"""Names of hooks; None for all of them."""
Transition: TypeAlias = Callable[[JSON, Hooks, float, Policy], Change]
ExtrasChange: TypeAlias = Callable[[JSON], Change]

VERBS: Final[tuple[Verb, ...]] = ("reset", "enable", "disable", "half-open")
_TRANSITIONS: Final[dict[Verb, Callable[[JSON, Sequence[str], float, Policy], Change]]] = {
    "reset": circuits.reset,
    "enable": circuits.enable,
    "disable": circuits.disable,
    "half-open": circuits.half_open,
}
_FORGETTING: Final = {"reset", "enable"}
"""What takes back, too, what is kept beside the records."""


def circuit_action(
    verb: Verb, source: Path | Store, hooks: Sequence[str], *, why: str = "", via: str = "library"
) -> Action:
    """Return the action that does *verb* to the records of the named hooks: see `circuit_actions`, which does more."""
    policy = policy_for(_given(source))
    transition = _TRANSITIONS[verb]

    def transform(document: JSON, now: float) -> Change:
        return transition(document, hooks, now, policy)

    return Action(source, transform, verb, why, via)


def reset_all_action(source: Path | Store, *, why: str = "", via: str = "library") -> Action:
    """Return the action that resets the records of all circuits and begins the statistics anew."""
    policy = policy_for(_given(source))

    def transform(document: JSON, now: float) -> Change:
        return circuits.reset_all(document, now, policy)

    return Action(source, transform, "reset all", why, via)


def circuit_actions(
    verb: Verb, source: Path | Store, hooks: Hooks, *, why: str = "", via: str = "library"
) -> list[Action]:
    """Return the actions that do *verb* to the named hooks of a hook state, which is a file or in a store.

    None stands for all of them, and is for `reset`, which begins the statistics anew then. Resetting and enabling take
    modes and back-off away as well: where these are in a file of their own that is a second action of the same group.
    """
    if hooks is None:
        action = reset_all_action(source, why=why, via=via)
    else:
        action = circuit_action(verb, source, hooks, why=why, via=via)
    return _with_extras(action, hooks) if verb in _FORGETTING else [action]


def forget_actions(source: Path | Store, hooks: Hooks, *, why: str = "", via: str = "library") -> list[Action]:
    """Return the actions that take the records of *hooks* away, or of all when None, as the owner of the file does."""
    policy = policy_for(_given(source))

    def transform(document: JSON, now: float) -> Change:
        if hooks is None:
            return circuits.forget_all(document, now, policy)
        return circuits.forget(document, hooks, now, policy)

    return _with_extras(Action(source, transform, "reset", why, via), hooks)


def mode_action(
    source: Path | Store,
    hooks: Sequence[str],
    mode: str | None,
    until: float | None = None,
    *,
    name: str = "mode",
    why: str = "",
    via: str = "library",
) -> Action:
    """Return the action that gives hooks a mode, until an instant or for ever; None takes theirs away.

    Hooks need not have run yet. *name* is what the action is called. Raises RefusedError for a word that is no mode.
    """
    if mode is not None and mode not in MODES:
        raise RefusedError(f"{mode!r} is no mode of a circuit; the modes are {', '.join(MODES)}")

    def change(extras: JSON) -> Change:
        return replace(circuits.set_mode(extras, hooks, mode, until), name=name)

    file = _file_of(source)
    if file is None:
        return Action(source, lambda document, _now: _inside(document, change), name, why, via)
    return Action(ExtrasFile(extras_file(file)), lambda document, _now: change(document), name, why, via)


def extras_in(store: Store, document: JSON) -> JSON:
    """Return what is kept beside circuits in the document of the store that an action on it has."""
    return document if isinstance(store, ExtrasFile) else mapping(document).get(EXTRAS)


def _with_extras(action: Action, hooks: Hooks) -> list[Action]:
    """Return *action*, and what forgets what is kept beside the records of *hooks* where there is such a thing."""

    def forget(extras: JSON) -> Change:
        chosen = list(mapping(mapping(extras).get("circuits"))) if hooks is None else hooks
        return replace(circuits.forget_extras(extras, chosen), name=action.name)

    file = _file_of(action.source)
    if file is None:
        return [_and_inside(action, forget)]
    beside = ExtrasFile(extras_file(file))
    try:
        extras = beside.held()
    except SourceError as error:
        return [_with_note(action, f"modes and back-off are left as they are, since they cannot be read: {error}")]
    entries = mapping(mapping(extras).get("circuits"))
    if not any(entry_of(extras, hook) for hook in (entries if hooks is None else hooks)):
        return [action]
    group = secrets.token_hex(6)
    other = replace(action, source=beside, transform=lambda document, _now: forget(document), group=group)
    return [replace(action, group=group), other]


def _and_inside(action: Action, change: ExtrasChange) -> Action:
    def transform(document: JSON, now: float) -> Change:
        done = action.transform(document, now)
        beside = _inside(done.document, change)
        return replace(done, document=beside.document, notes=(*done.notes, *beside.notes)) if beside.targets else done

    return replace(action, transform=transform)


def _inside(document: JSON, change: ExtrasChange) -> Change:
    """Return what *change* makes of the extras in the document of a namespace."""
    fields = mapping(document)
    extras = fields.get(EXTRAS, {})
    done = change(extras)
    if done.document is extras:
        return replace(done, document=document)
    evidence = tuple(tuple((EXTRAS, *path) for path in group) for group in done.evidence)
    return replace(done, document={**fields, EXTRAS: done.document}, evidence=evidence)


def _with_note(action: Action, note: str) -> Action:
    def transform(document: JSON, now: float) -> Change:
        done = action.transform(document, now)
        return replace(done, notes=(*done.notes, note))

    return replace(action, transform=transform)


def _given(source: Path | Store) -> Path | str:
    """Return what tells where the settings are: the file as it was named, or the URL of the store."""
    if isinstance(source, Path):
        return source
    return source.path if isinstance(source, FileStore) and not source.namespace else source.url


def _file_of(source: Path | Store) -> Path | None:
    """Return the file that holds the records, links followed; None where they are in a namespace."""
    if isinstance(source, Path):
        return Path(os.path.realpath(source))
    return Path(source.source) if isinstance(source, FileStore) and not source.namespace else None
