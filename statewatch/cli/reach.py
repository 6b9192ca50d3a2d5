"""What a command is about that was told no source: the project around the current directory, and the home's state."""

import os
from collections.abc import Callable
from pathlib import Path

from statewatch.core.beside import owner_of
from statewatch.core.errors import RefusedError
from statewatch.core.stores.urls import (
    DEFAULT_NAMESPACE,
    backend_url,
    is_store_url,
    take_apart,
    with_namespace,
    without_password,
)
from statewatch.watch.scope import TREE, scope_of

_IN_FILES = {"file", "json", "sqlite"}


def reach() -> Callable[[str], bool]:
    """Return what tells whether a source, as the audit log names it, is meant here.

    Meant is what lies in the project around the current directory, though not in another project inside it; what the
    home's agent tools keep in the home; and what is on the servers that the environment names.
    """
    scope = scope_of()
    project, *homes = [os.path.realpath(root.path) for root in scope.roots]
    own_tree = os.path.realpath(Path(scope.roots[0].path, TREE))
    trees = {own_tree, *homes, *map(os.path.realpath, scope.hook_states)}

    servers = {_server(backend_url(backend)) for backend in ("redis", "postgres")}

    def is_here(source: str) -> bool:
        path = _path_of(source)
        if path is None:
            return _server(source) in servers
        owner = owner_of(Path(path))
        path = str(owner) if owner is not None else path  # what is kept beside a hook state belongs to it
        above = [str(directory) for directory in (Path(path), *Path(path).parents)]
        if not trees.isdisjoint(above):
            return True
        return project in above and not any(map(_is_project, above[1 : above.index(project)]))

    return is_here


def _path_of(source: str) -> str | None:
    """Return where a source lies in the file system, links followed; None for one on a server."""
    if not is_store_url(source):
        return os.path.realpath(source)
    try:
        scheme, rest, *_ = take_apart(source)
    except RefusedError:  # the log is a file, and may hold anything
        return None
    return os.path.realpath(rest) if scheme in _IN_FILES else None


def _server(url: str) -> str:
    """Return the URL of the server and database, without password and namespace."""
    return without_password(with_namespace(url, DEFAULT_NAMESPACE))


def _is_project(directory: str) -> bool:
    return any(os.path.exists(Path(directory, name)) for name in (".git", TREE))  # noqa: PTH110 - never raise
