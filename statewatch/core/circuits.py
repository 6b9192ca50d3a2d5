"""The actions on the circuits of a hook state, as the dashboard and the command line offer them."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

from statewatch.core.actions import Action
from statewatch.core.policy import policy_for
from statewatch.documents.values import JSON
from statewatch.kinds import circuits
from statewatch.kinds.base import Change
from statewatch.kinds.hooks import Policy

Verb = Literal["reset", "enable", "disable", "half-open"]

_TRANSITIONS: dict[Verb, Callable[[JSON, Sequence[str], float, Policy], Change]] = {
    "reset": circuits.reset,
    "enable": circuits.enable,
    "disable": circuits.disable,
    "half-open": circuits.half_open,
}
VERBS: tuple[Verb, ...] = tuple(_TRANSITIONS)


def circuit_action(verb: Verb, path: Path, hooks: Sequence[str], *, why: str = "", via: str = "library") -> Action:
    """Return the action that does *verb* to the named hooks of the hook state at *path*."""
    policy = policy_for(path)
    transition = _TRANSITIONS[verb]

    def transform(document: JSON, now: float) -> Change:
        return transition(document, hooks, now, policy)

    return Action(path, transform, verb, why, via)


def reset_all_action(path: Path, *, why: str = "", via: str = "library") -> Action:
    """Return the action that resets every circuit of the hook state at *path* and begins its statistics anew."""
    policy = policy_for(path)

    def transform(document: JSON, now: float) -> Change:
        return circuits.reset_all(document, now, policy)

    return Action(path, transform, "reset all", why, via)
