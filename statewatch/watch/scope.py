"""What to look at: directories and how deep, single files, and the names people see for what is found there."""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from statewatch.documents.text import harmless
from statewatch.watch.discovery import Level
from statewatch.watch.policies import configured_hook_state

TREE = ".claude"
"""The directory in which agent tools keep their state, in a project and in the user's home."""

LOOPS = ".autonomous-dev"
"""The directory in the user's home in which agent loops keep their state."""

_TEMPORARY = Level(only=frozenset({"pipeline", "completions"}))
"""What is looked for where temporary files are: pipelines keep their state there."""
_PROJECT = Level(ordinary=0, named=("docs", "sessions"))
_DIRECTORY = Level(ordinary=3)
_INSIDE = Level(ordinary=0, inside=6)
_HOME_TREE = Level(
    ordinary=0,
    inside=3,  # as deep as `workflows/ID/state.json`
    skipped=frozenset(
        {
            "backups",
            "cache",
            "debug",
            "downloads",
            "file-history",
            "image-cache",
            "paste-cache",
            "plugins",
            "projects",
            "session-env",
            "shell-snapshots",
            "statsig",
            "telemetry",
            "todos",
        }
    ),
)


@dataclass(frozen=True, slots=True)
class Root:
    """A directory to look at, and what of it. It need not exist yet."""

    path: str
    level: Level


@dataclass(frozen=True, slots=True)
class Scope:
    """What to look at. All paths are absolute.

    `files` were asked for by name and are shown whatever they are, even while they do not exist; `hook_states` are
    where the settings say a hook state may be. `base` is what labels are relative to. `environment` holds the
    `GUARDRAILS_*` variables.
    """

    roots: tuple[Root, ...] = ()
    files: tuple[str, ...] = ()
    hook_states: tuple[str, ...] = ()
    base: str = ""
    home: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def looked_in(self) -> tuple[str, ...]:
        """Return the places looked at, as people write them."""
        places: list[str] = []
        for root in self.roots:
            places.append(self.shown(root.path))
            if not root.level.inside and not root.level.only and not root.path.endswith(f"/{LOOPS}"):
                places.append(self.shown(str(Path(root.path, TREE))))
        places += [self.shown(path) for path in self.files]
        within = {root.path for root in self.roots}
        places += [self.shown(path) for path in self.hook_states if str(Path(path).parent) not in within]
        return tuple(dict.fromkeys(places))

    def label(self, path: str) -> str:
        """Return the short form of *path*: relative to the base, else to the home, else as it is; harmless text."""
        below = _below(path, self.base)
        return harmless(below) if below else self.shown(path)

    def shown(self, path: str) -> str:
        """Return *path* with the home as `~`; harmless text."""
        below = _below(path, self.home)
        if below is None:
            return harmless(path)
        return harmless(f"~/{below}") if below else "~"


def scope_of(
    paths: Iterable[str | Path] = (),
    cwd: Path | None = None,
    home: Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> Scope:
    """Return what to look at for the *paths* given on the command line.

    With none: the project around *cwd*, the user's home, and of the user's temporary files the state of pipelines, in
    `/tmp` or where `STATEWATCH_TMP_DIR` says (empty: nowhere).

    A directory (also one that ends in `/` and does not exist yet) is looked through; anything else is a file that was
    asked for by name.
    """
    here = _absolute(cwd or _working_directory())
    house = _absolute(home or Path.home())
    variables = os.environ if environment is None else environment
    guardrails = {key: value for key, value in variables.items() if key.startswith("GUARDRAILS_")}
    given = [(_absolute(here / path), str(path).endswith("/")) for path in paths]
    if not given:
        temporary = variables.get("STATEWATCH_TMP_DIR", "/tmp" if environment is None else "")  # noqa: S108 - only read
        project = project_around(here, house)
        return Scope(
            roots=(
                Root(str(project), _project_level(project, house)),
                *_home_roots(house),
                *([Root(temporary, _TEMPORARY)] if temporary else []),
            ),
            hook_states=(str(_absolute(here / configured_hook_state(house, guardrails))),),
            base=str(project),
            home=str(house),
            environment=guardrails,
        )
    directories = [path for path, slash in given if slash or _is_directory(path)]
    files = [path for path, _ in given if path not in directories]
    return Scope(
        roots=tuple(dict.fromkeys(Root(str(path), _directory_level(path, house)) for path in directories)),
        files=tuple(dict.fromkeys(str(path) for path in files)),
        base=str(directories[0] if len(directories) == 1 and not files else here),
        home=str(house),
        environment=guardrails,
    )


def project_around(cwd: Path, home: Path) -> Path:
    """Return the nearest directory from *cwd* up that has `.git` or `.claude`, else *cwd*.

    The home is a project only for who stands in it: everybody has `~/.claude`, and some keep their home in git.
    """
    for directory in (cwd, *cwd.parents):
        if directory == home and directory != cwd:
            break
        if os.path.exists(directory / ".git") or os.path.exists(directory / TREE):  # noqa: PTH110 - never raise
            return directory
    return cwd


def _absolute(path: Path) -> Path:
    """Make *path* absolute without following links: a source keeps the name under which it was found."""
    return Path(os.path.abspath(path))  # noqa: PTH100 - resolve() follows links


def _working_directory() -> Path:
    try:
        return Path.cwd()
    except OSError:  # it was deleted under us; the shell still knows its name
        return Path(os.environ.get("PWD", "/"))


def _is_directory(path: Path) -> bool:
    return os.path.isdir(path)  # noqa: PTH112 - Path.is_dir() raises where permission is missing


def _project_level(project: Path, home: Path) -> Level:
    return Level(ordinary=0, tree=_HOME_TREE) if project == home else _PROJECT


def _directory_level(path: Path, home: Path) -> Level:
    if path == home / TREE:
        return _HOME_TREE
    if path == home:
        return Level(ordinary=3, tree=_HOME_TREE)
    return _INSIDE if path.name == TREE else _DIRECTORY


def _home_roots(home: Path) -> tuple[Root, Root]:
    return Root(str(home / TREE), _HOME_TREE), Root(str(home / LOOPS), Level())


def _below(path: str, directory: str) -> str | None:
    """Return *path* relative to *directory*, empty when it is the directory itself, None when it is not below."""
    if not directory:
        return None
    if path == directory:
        return ""
    prefix = directory.rstrip("/") + "/"
    return path[len(prefix) :] if path.startswith(prefix) else None
