"""Which files are sources: candidates by name, confirmed by content. Pure rules, no I/O."""

import re
from dataclasses import dataclass
from pathlib import PurePath
from typing import Optional

from statewatch.documents.values import JSON
from statewatch.kinds.base import mapping, type_name
from statewatch.kinds.registry import PLAIN, kind_named, kind_of

_WORDS = {"hook": "hooks", "hooks": "hooks", "batch": "batch", "batches": "batch"}
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
_NOUNS = {"hooks": "hook state", "batch": "batch state", "workflow": "workflow"}
_HEAVY = {"node_modules", "venv", "__pycache__", "site-packages"}
_BACKUP = ".claude.backup."


@dataclass(frozen=True, slots=True)
class Level:
    """How much deeper to look below a directory.

    `ordinary` levels of common sub-directories follow; `inside` is not 0 within a `.claude` tree and counts the levels
    left there, where everything but `skipped` is entered. `tree` is what holds in a `.claude` directory found here.
    """

    ordinary: int = 0
    inside: int = 0
    skipped: frozenset[str] = frozenset()
    tree: Optional["Level"] = None

    def enter(self, name: str) -> Optional["Level"]:
        """Return the level that holds in the sub-directory *name*, or None where it is not looked into."""
        if name == ".claude":
            return self.tree or Level(inside=6)
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
    pure = PurePath(path)
    name = pure.name
    if name.startswith(".") or not name.endswith(".json"):
        return None
    if name == "state.json":
        return Expectation("workflow", plainly=False) if pure.parts[-4:-2] == (".claude", "workflows") else None
    words = [word.lower() for word in _WORD.findall(name[: -len(".json")])]
    found = next((_WORDS[word] for word in words if word in _WORDS), None)
    if found is None:
        return None
    return Expectation(found, plainly=_WORDS.get(words[0]) == found and words[1:2] == ["state"])


def judge(candidate: Candidate, document: JSON, shown_as: str | None = None) -> Verdict | None:
    """Say what *document*, found in *candidate*, is; None when it makes the candidate no source.

    *shown_as* is the kind that the source has been shown as so far: a circuit file that turns into something else is
    damaged, not converted.
    """
    kind = kind_of(document).name
    if kind != PLAIN.name:
        return Verdict(kind)
    meant = _meant(candidate, document, shown_as)
    if meant is not None:
        return Verdict(meant, f"not a {_NOUNS.get(meant, meant)}: {_first_fault(meant, document)}")
    return Verdict(PLAIN.name) if candidate.explicit else None


def _meant(candidate: Candidate, document: JSON, shown_as: str | None) -> str | None:
    if shown_as is not None and shown_as != PLAIN.name:
        return shown_as
    if candidate.expected is not None and candidate.expected.plainly:
        return candidate.expected.kind
    if {"hooks", "global_stats"} <= mapping(document).keys():
        return "hooks"
    return None


def _first_fault(kind: str, document: JSON) -> str:
    if not isinstance(document, dict):
        return f"expected an object, found {type_name(document)}"
    faults = kind_named(kind).faults(document)
    return f"{faults[0].pointer}: {faults[0].message}" if faults else "nothing in it is what one holds"
