"""The live picture: everything the screens and the command line show, as immutable values.

A watcher makes a new picture whenever something changed; whoever holds one can go on using it from any thread.
"""

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from statewatch.documents.values import JSON
from statewatch.kinds.base import Sentence, mapping
from statewatch.kinds.batch import BatchView
from statewatch.kinds.declared_view import CircuitsView
from statewatch.kinds.hooks import HooksView, Policy
from statewatch.kinds.namespace import NamespaceView
from statewatch.kinds.workflow import WorkflowView

View: TypeAlias = HooksView | CircuitsView | BatchView | WorkflowView | NamespaceView


@dataclass(frozen=True, slots=True)
class Revision:
    """A document at a moment. `modified_at` is the file's own time, `seen_at` when it was read; both instants.

    `flaw` says why it is no JSON, where it was read all the same, as its own tool does.
    """

    digest: str
    seen_at: float
    modified_at: float
    size: int
    document: JSON
    flaw: str = ""


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a source cannot be shown as it is now: what is wrong (with its position), and since when that was seen."""

    reason: str
    since: float
    gone: bool = False


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast a batch goes. `seconds_per_item` is measured (`observed`) or follows from the file's own times.

    `trend` counts the items finished in each of the latest intervals of `trend_interval` seconds, the latest last.
    """

    seconds_per_item: float | None = None
    observed: bool = False
    last_progress_at: float | None = None
    trend: tuple[int, ...] = ()
    trend_interval: float | None = None

    def eta(self, left: int, now: float) -> float | None:
        """Return the instant at which *left* items will be done at this pace, or None when no pace is known."""
        if self.seconds_per_item is None or left <= 0:
            return None
        begun = now if self.last_progress_at is None else self.last_progress_at
        # The item under way takes at least as long as it already has.
        first = max(begun + self.seconds_per_item, now)
        return first + (left - 1) * self.seconds_per_item


@dataclass(frozen=True, slots=True)
class Source:
    """One source: its last good revision with the typed view of it, and what is wrong with it now, if anything.

    `key` is the absolute path and identifies the source; `label` is the short form that people see. `view` is None for
    plain JSON and where no good revision has been seen.
    """

    key: str
    label: str
    kind: str
    revision: Revision | None = None
    view: View | None = None
    problem: Problem | None = None
    policy: Policy = field(default_factory=Policy)
    pace: Pace = field(default_factory=Pace)

    @property
    def changed_at(self) -> float | None:
        """Return when the content last changed, as the file says; None before a good revision was seen."""
        return self.revision.modified_at if self.revision else None

    @property
    def key_count(self) -> int:
        """Return how many keys the document has at its top."""
        return len(mapping(self.revision.document)) if self.revision else 0


@dataclass(frozen=True, slots=True)
class ChangeLine:
    """One change in words. `number` grows with every line; the digests name the revisions before and after."""

    number: int
    at: float
    source: str
    label: str
    kind: str
    sentence: Sentence
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class Watching:
    """How the sources are watched: by notification (`live`) or by `polling`, and why; `looked_in` names the places.

    `starting` says that nothing has been looked at yet.
    """

    mode: Literal["starting", "live", "polling"] = "live"
    reason: str = ""
    looked_in: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Picture:
    """All sources at one moment, with the latest changes, newest first."""

    at: float
    sources: tuple[Source, ...] = ()
    changes: tuple[ChangeLine, ...] = ()
    activity: tuple[tuple[float, int], ...] = ()
    """How many changes there were, by the instant at which a short interval began: also of those no longer listed."""
    watching: Watching = field(default_factory=Watching)

    def source(self, key: str) -> Source | None:
        """Return the source with that key."""
        return next((source for source in self.sources if source.key == key), None)
