"""Which files are sources: candidates by name, confirmed by content. Pure rules, no I/O."""

import re
from dataclasses import dataclass
from pathlib import PurePath
from typing import Optional

from statewatch.documents.values import JSON
from statewatch.kinds import field_circuits
from statewatch.kinds.base import mapping, type_name
from statewatch.kinds.registry import PLAIN, kind_named, kind_of

_WORDS = {"hook": "hooks", "hooks": "hooks", "batch": "batch", "batches": "batch"}
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
KEYED = "namespace"
"""What a namespace of keys in a file is shown as: its layout tells it, for its meaning is the program's own."""
_NOUNS = {"hooks": "hook state", "batch": "batch state", "workflow": "workflow", KEYED: "namespace of keys"}
_STATE_FILES = {(".claude", "workflows"): "workflow", (".claude", "state"): KEYED}
"""Where the files called `state.json` lie, each in a directory of its own, and what they are there."""
_HEAVY = {"node_modules", "venv", "__pycache__", "site-packages", "pipeline_secrets"}
"""What is never looked into: what is large and not of people's making, and the keys that pipelines are signed with."""
_BACKUP = ".claude.backup."
_HIDDEN = {".ralph", ".ralph-checkpoints", ".autonomous-dev"}
"""Directories of agent loops: their state lies in them, and nothing below."""


@dataclass(frozen=True, slots=True)
class Level:
    """How much deeper to look below a directory.

    `ordinary` levels of common sub-directories follow, and the one that `named` begins with; `inside` is not 0 within a
    `.claude` tree and counts the levels left there, where everything but `skipped` is entered. `tree` is what holds in
    a `.claude` directory found here. Where there are `only` some kinds, just files of these are candidates that belong
    to the user: a directory that everybody writes into.
    """

    ordinary: int = 0
    inside: int = 0
    skipped: frozenset[str] = frozenset()
    tree: Optional["Level"] = None
    named: tuple[str, ...] = ()
    only: frozenset[str] = frozenset()

    def enter(self, name: str) -> Optional["Level"]:
        """Return the level that holds in the sub-directory *name*, or None where it is not looked into."""
        if self.only:
            return None
        if name == ".claude":
            return self.tree or Level(inside=6)
        if name in _HIDDEN:
            return Level()
        if self.named and name == self.named[0]:
            return Level(ordinary=max(0, self.ordinary - 1), tree=self.tree, named=self.named[1:])
        if name in _HEAVY or name in self.skipped or name.startswith(_BACKUP):
            return None
        if self.inside:
            return Level(inside=self.inside - 1) if self.inside > 1 and not name.startswith(".") else None
        if self.ordinary and not name.startswith("."):
            return Level(ordinary=self.ordinary - 1, tree=self.tree)
        return None


@dataclass(frozen=True, slots=True)
class Expectation:
    """What a name promises: a kind, and whether so plainly that other content is worth a report."""

    kind: str
    plainly: bool


@dataclass(frozen=True, slots=True)
class Candidate:
    """A file that may be a source.

    `explicit` ones were asked for by name and are sources whatever they hold. `at_start` ones were there when the
    watching began, so their first sight is no news.
    """

    path: str
    label: str
    expected: Expectation | None = None
    explicit: bool = False
    at_start: bool = True


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a candidate's document is: its kind, and why it cannot be shown, where that is so."""

    kind: str
    problem: str | None = None


def expectation(path: str) -> Expectation | None:
    """Return what the name of the file at *path* promises, or None when it is no candidate."""
    directory, _, name = path.rpartition("/")
    declared = field_circuits.expected(directory.rpartition("/")[2], name)
    if declared is not None and declared.declaration.promises:
        return Expectation(declared.name, plainly=True)
    return _of_a_run(path, name) or (Expectation(declared.name, plainly=False) if declared is not None else None)


def _of_a_run(path: str, name: str) -> Expectation | None:
    if name.startswith(".") or not name.endswith(".json"):
        return None
    if name in {"state.json", "checkpoint.json"}:
        return _of_its_place(PurePath(path).parts)
    if name.endswith("-pipeline.json") or name.startswith("pipeline_state_"):
        return Expectation("session" if name.endswith("-pipeline.json") else "pipeline", plainly=False)
    words = [word.lower() for word in _WORD.findall(name[: -len(".json")])]
    found = next((_WORDS[word] for word in words if word in _WORDS), None)
    if found is None:
        return None
    return Expectation(found, plainly=_WORDS.get(words[0]) == found and words[1:2] == ["state"])


def _of_its_place(parts: tuple[str, ...]) -> Expectation | None:
    """Return what a file with a common name is by the directories that it is in."""
    if parts[-1] == "checkpoint.json":
        kind = "checkpoint" if parts[-3:-2] == ("artifacts",) else None
    else:
        above = parts[-4:-2]
        kind = _STATE_FILES.get((above[0], above[1])) if len(above) == 2 else None
        kind = "file state" if parts[-3:-1] == (".claude", "state") else kind
    return Expectation(kind, plainly=False) if kind is not None else None


def judge(candidate: Candidate, document: JSON, shown_as: str | None = None) -> Verdict | None:
    """Say what *document*, found in *candidate*, is; None when it makes the candidate no source.

    *shown_as* is the kind that the source has been shown as so far: a circuit file that turns into something else is
    damaged, not converted.
    """
    if candidate.expected is not None and candidate.expected.kind == KEYED and _is_keyed(document):
        return Verdict(KEYED)
    kind = kind_of(document).name
    if kind != PLAIN.name:
        return Verdict(kind)
    named = field_circuits.declared(candidate.expected.kind) if candidate.expected is not None else None
    if named is not None and (
        (document == [] and named.declaration.log)  # nothing has happened yet
        or (named.declaration.only_named and named.matches(document))
    ):
        return Verdict(named.name)
    meant = _meant(candidate, document, shown_as)
    if meant is not None:
        return Verdict(meant, f"not a {_noun(meant)}: {_first_fault(meant, document)}")
    return Verdict(PLAIN.name) if candidate.explicit else None


def _meant(candidate: Candidate, document: JSON, shown_as: str | None) -> str | None:
    if shown_as is not None and shown_as != PLAIN.name:
        return shown_as
    if candidate.expected is not None and candidate.expected.plainly:
        return candidate.expected.kind
    if {"hooks", "global_stats"} <= mapping(document).keys():
        return "hooks"
    return None


def _is_keyed(document: JSON) -> bool:
    return isinstance(document, dict) and all("value" in mapping(entry) for entry in document.values())


def _noun(kind: str) -> str:
    declared = field_circuits.declared(kind)
    return declared.declaration.noun if declared is not None else _NOUNS.get(kind, kind)


def _first_fault(kind: str, document: JSON) -> str:
    if not isinstance(document, dict):
        return f"expected an object, found {type_name(document)}"
    faults = kind_named(kind).faults(document)
    return f"{faults[0].pointer}: {faults[0].message}" if faults else "nothing in it is what one holds"
