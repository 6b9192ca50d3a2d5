"""Which of the sources that a history holds lie within a scope: by their names alone, for they may be gone. Pure."""

from collections.abc import Iterable
from pathlib import PurePath

from statewatch.watch.discovery import Candidate, Expectation, Level, expectation
from statewatch.watch.scope import Root, Scope


def recorded(scope: Scope, keys: Iterable[str]) -> tuple[Candidate, ...]:
    """Return a candidate for each of *keys*, absolute paths, that the scope looks at, in their order."""
    found = ((key, _expected(scope, key)) for key in keys)
    return tuple(
        Candidate(key, scope.label(key), expected, explicit=key in scope.files)
        for key, expected in found
        if expected is not None or key in scope.files
    )


def _expected(scope: Scope, key: str) -> Expectation | None:
    promised = expectation(key)
    if key in scope.files or (promised is not None and any(_reaches(root, key) for root in scope.roots)):
        return promised
    return Expectation("hooks", plainly=True) if key in scope.hook_states else None


def _reaches(root: Root, key: str) -> bool:
    """Tell whether the directory of a file is looked at from a root."""
    try:
        inside = PurePath(key).parent.relative_to(root.path)
    except ValueError:
        return False
    level: Level | None = root.level
    for name in inside.parts:
        level = level.enter(name) if level is not None else None
    return level is not None
