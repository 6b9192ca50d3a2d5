"""What the functions on batch states hand out: a batch as an object, under the names that callers know."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Self, TypeAlias

from statewatch.core.errors import SourceError, StatewatchError
from statewatch.documents.values import cloned
from statewatch.kinds.words import mapping, number

if TYPE_CHECKING:
    from collections.abc import Mapping

    from statewatch.documents.values import JSON

BatchStateError: TypeAlias = StatewatchError
"""What the functions on batch states raise: the name that existing programs catch."""

_NUMBERED: Final = ("retry_attempts", "git_operations", "feature_dependencies")
"""Objects whose keys are indices: texts in the file, numbers here."""
_OF_OURS: Final = {"unknown", "base"}


class InvalidBatchError(SourceError, ValueError):
    """A file that is no batch state; the message names the JSON Pointer of what is wrong, and what was expected."""


@dataclass(slots=True)
class BatchState:
    """A batch state. Times are texts as they stand in the file.

    `unknown` are the fields that other programs have added, `base` is what was in the file when it was read: both are
    for saving it without taking anything away.
    """

    batch_id: str
    features_file: str
    total_features: int
    features: list[str]
    current_index: int = 0
    completed_features: list[int] = field(default_factory=list)
    failed_features: list[dict[str, Any]] = field(default_factory=list)
    context_token_estimate: int = 0
    auto_clear_count: int = 0
    auto_clear_events: list[dict[str, Any]] = field(default_factory=list)
    created_at: str = ""
    updated_at: str = ""
    status: str = "in_progress"
    issue_numbers: list[int] | None = None
    source_type: str = "file"
    state_file: str = ""
    context_tokens_before_clear: int | None = None
    paused_at_feature_index: int | None = None
    retry_attempts: dict[int, int] = field(default_factory=dict)
    git_operations: dict[int, dict[str, Any]] = field(default_factory=dict)
    feature_order: list[int] = field(default_factory=list)
    feature_dependencies: dict[int, list[int]] = field(default_factory=dict)
    analysis_metadata: dict[str, Any] = field(default_factory=dict)
    workflow_mode: str = "auto-implement"
    workflow_reminder: str = ""
    skipped_features: list[dict[str, Any]] = field(default_factory=list)
    quality_metrics: dict[str, Any] = field(default_factory=dict)
    feature_modes: dict[str, Any] = field(default_factory=dict)
    last_checkpoint_at: str | None = None
    checkpoint_count: int = 0
    unknown: dict[str, JSON] = field(default_factory=dict, repr=False, compare=False)
    base: dict[str, JSON] = field(default_factory=dict, repr=False, compare=False)

    def to_dict(self) -> dict[str, JSON]:
        """Return the batch as the file holds it: in the order of that, and without fields it had not and are unused."""
        known = {name: self._told(name) for name in FIELDS}
        blank = _DEFAULTS
        order = [*self.base, *(name for name in FIELDS if name not in self.base)]
        told: dict[str, JSON] = {}
        for name in order:
            if name not in known:
                if name in self.unknown:
                    told[name] = self.unknown[name]
            elif name in self.base or known[name] != blank[name] or (not self.base and name in ALWAYS):
                told[name] = known[name]
        return {**told, **{name: value for name, value in self.unknown.items() if name not in told}}

    def _told(self, name: str) -> JSON:
        value: Any = getattr(self, name)
        if name in _NUMBERED and isinstance(value, dict):
            return {str(index): each for index, each in value.items()}
        return value  # type: ignore[no-any-return]

    @classmethod
    def from_dict(cls, data: Mapping[str, JSON]) -> Self:
        """Take the batch from what a file holds that is known to be one; what others have added is kept."""
        given: dict[str, Any] = {name: data[name] for name in FIELDS if name in data}
        for name in _NUMBERED:
            if name in given:
                given[name] = {number(key): value for key, value in mapping(given[name]).items()}
        unknown = {name: value for name, value in data.items() if name not in _KNOWN}
        return cls(**given, unknown=unknown, base=dict(mapping(cloned(dict(data)))))


FIELDS: Final = tuple(each.name for each in dataclasses.fields(BatchState) if each.name not in _OF_OURS)
_KNOWN: Final = frozenset(FIELDS)
ALWAYS: Final = frozenset(FIELDS[: FIELDS.index("git_operations") + 1])
"""Fields that the oldest version of the owner of the file knows."""
_DEFAULTS: Final = {name: getattr(BatchState("", "", 0, []), name) for name in FIELDS}
