"""Patterns for places: JSON Pointers with wildcards."""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import NamedTuple, TypeVar

from statewatch.documents import pointer
from statewatch.documents.values import JSON, Path

T = TypeVar("T")

_ANY_NUMBER = "**"


class Pattern(NamedTuple):
    """A pointer in which `*` stands for any text within one step, and a step `**` for any number of steps."""

    steps: tuple[str, ...]

    def matches(self, path: Path, *, within: bool = False) -> bool:
        """Tell whether it matches a place; with *within*, also whether it matches one that the place is inside of."""
        first = self.steps[0] if self.steps else "*"
        if "*" not in first and (not path or str(path[0]) != first):
            return False  # as nearly all places that are compared with a pattern
        states = _without_steps(self.steps, {0})
        for token in path:
            if within and len(self.steps) in states:
                return True
            states = _without_steps(self.steps, _advanced(self.steps, states, str(token)))
            if not states:
                return False
        return len(self.steps) in states

    def reaches(self, path: Path, value: JSON) -> bool:
        """Tell whether it matches a place, one that this is inside of, or one within the *value* that is there."""
        states = _without_steps(self.steps, {0})
        for token in path:
            if len(self.steps) in states:
                return True
            states = _without_steps(self.steps, _advanced(self.steps, states, str(token)))
        todo: list[tuple[JSON, set[int]]] = [(value, states)]
        while todo:
            here, states = todo.pop()
            if len(self.steps) in states:
                return True
            children = here.items() if isinstance(here, dict) else enumerate(here) if isinstance(here, list) else ()
            for token, child in children if states else ():
                todo.append((child, _without_steps(self.steps, _advanced(self.steps, states, str(token)))))
        return False


@lru_cache(maxsize=1_000)
def pattern(text: str) -> Pattern:
    """Return the pattern that a text is, as `/hooks/*/last_*`. Raises PointerError when it is not well-formed."""
    return Pattern(pointer.parse(text))


def first_match(choices: Mapping[str, T] | None, path: Path, default: T) -> T:
    """Return what belongs to the first of *choices*, by pattern, that matches a place."""
    if choices:
        for text, value in choices.items():
            if pattern(text).matches(path):
                return value
    return default


def _without_steps(steps: tuple[str, ...], states: Iterable[int]) -> set[int]:
    """Add the states that need no step: behind any number of them there may be none."""
    result = set(states)
    for state in list(result):
        at = state
        while at < len(steps) and steps[at] == _ANY_NUMBER:
            at += 1
            result.add(at)
    return result


def _advanced(steps: tuple[str, ...], states: set[int], token: str) -> set[int]:
    result = set()
    for state in states:
        if state == len(steps):
            continue
        if steps[state] == _ANY_NUMBER:
            result.add(state)
        elif _like(steps[state], token):
            result.add(state + 1)
    return result


def _like(step: str, token: str) -> bool:
    """Tell whether a token is what a step with wildcards says, in time that grows with its length only."""
    first, *rest = step.split("*")
    if not rest:
        return token == step
    if not token.startswith(first):
        return False
    at, last = len(first), rest.pop()
    for piece in rest:
        found = token.find(piece, at)
        if found < 0:
            return False
        at = found + len(piece)
    return len(token) - at >= len(last) and token.endswith(last)
