"""Schema versions: a document's `version` field drives a chain of migrations, 1.0.0 to 1.1.0 to 2.0.0 and so on.

A version is one to four numbers with dots between them, compared number by number; what is missing counts as zero, so
`"1.0"`, `"1.0.0"`, `1` and `1.0` are one version. Files hold all of these forms. A number cannot tell 1.10 from 1.1,
so a chain writes text. There are no pre-releases.
"""

import re
import reprlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from statewatch.documents.codec import Style, decode, encode
from statewatch.documents.text import harmless
from statewatch.documents.values import JSON, same

Migration: TypeAlias = Callable[[dict[str, Any]], JSON]
"""Takes a document, which it may change and which is its own, and returns the document in the next version.

It raises ValueError for a document it cannot migrate.
"""

Version: TypeAlias = tuple[int, ...]

_VERSION = re.compile(r"\d{1,9}(?:\.\d{1,9}){0,3}", re.ASCII)
_FAILURES = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    ImportError,
    LookupError,
    NameError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
)
"""What code raises when a document is not what it expects. Errors of other kinds are their author's to catch."""

_COMPACT = Style(indent=None, spaced=False)


class SchemaError(ValueError):
    """A document that cannot be brought to the current version, or a chain that makes no sense."""


class VersionError(SchemaError):
    """A document without a version where nothing says what that means, or with one that is no version."""


class NewerError(SchemaError):
    """A document newer than anything known: it may be read as it is, and must not be written."""

    def __init__(self, found: str, known: str) -> None:
        self.found = found
        self.known = known
        super().__init__(
            f"the document has version {found}, and the newest known here is {known}: it can be read, not changed. "
            "Update the program that brings the migrations."
        )


class GapError(SchemaError):
    """A chain without the step that a document needs; `missing` is the version that no step starts from."""

    def __init__(self, missing: str, current: str, known: tuple[tuple[str, str], ...]) -> None:
        self.missing = missing
        steps = ", ".join(f"{before} to {after}" for before, after in known) or "none"
        super().__init__(f"no migration from {missing}, on the way to {current}; known: {steps}")


class StepError(SchemaError):
    """A migration that failed, or returned what is not a document. The document is as it was."""

    def __init__(self, before: str, after: str, reason: str) -> None:
        self.before = before
        self.after = after
        self.reason = reason
        super().__init__(f"the migration from {before} to {after} {reason}. Nothing was changed.")


@dataclass(frozen=True, slots=True)
class Step:
    """One migration and the versions it leads from and to."""

    before: str
    after: str
    migrate: Migration


@dataclass(frozen=True, slots=True)
class Upgraded:
    """A document in the current version, and the steps that brought it there as pairs of versions."""

    document: JSON
    steps: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Chain:
    """The way to the current version of a schema, one step after the other.

        chain = Chain(current="2.0.0", initial="1.0.0").step("1.0.0", "1.1.0", add_owner).step("1.1.0", "2.0.0", split)

    *initial* is the version of a document that has none, which is an error without it. *field* is the top-level key
    that holds the version. Raises SchemaError for a text that is no version, for a step that does not lead to a later
    one (so there are no circles) or leads beyond the current one, and for two steps from one version.
    """

    current: str
    initial: str | None = None
    field: str = "version"
    steps: tuple[Step, ...] = ()

    def __post_init__(self) -> None:
        current = _known(self.current)
        if self.initial is not None and _known(self.initial) > current:
            raise SchemaError(f"the initial version {self.initial} is later than the current one, {self.current}")
        taken: dict[Version, Step] = {}
        for step in self.steps:
            start, end = _known(step.before), _known(step.after)
            if end <= start:
                raise SchemaError(f"a step leads to a later version; {step.before} to {step.after} does not")
            if end > current:
                raise SchemaError(f"{step.before} to {step.after} leads beyond the current version, {self.current}")
            if other := taken.get(start):
                raise SchemaError(f"two steps from {step.before}: to {other.after} and to {step.after}")
            taken[start] = step

    def step(self, before: str, after: str, migrate: Migration) -> "Chain":
        """Return this chain with one step more."""
        return replace(self, steps=(*self.steps, Step(before, after, migrate)))

    def upgrade(self, document: JSON) -> Upgraded:
        """Bring *document* to the current version; it is never changed itself.

        One that is current comes back as the same object. The version field of the result is set here and not by the
        steps, as text. Raises VersionError, NewerError or GapError before any step runs, and StepError.
        """
        current = _known(self.current)
        version = self._version(document)
        if version == current:
            return Upgraded(document)
        if version > current:
            raise NewerError(_text(version), self.current)
        way = self._way(version)
        try:
            result = _read_back(document)
        except ValueError as error:
            raise SchemaError(f"the document cannot be migrated: {error}") from None
        for step in way:
            result = _migrated(step, result)
            result[self.field] = self.current if step is way[-1] else step.after
        return Upgraded(result, tuple((step.before, step.after) for step in way))

    def _version(self, document: JSON) -> Version:
        if not isinstance(document, dict):
            raise VersionError("a document that is not an object has no version")
        value = document.get(self.field)
        if value is None and self.initial is None:
            raise VersionError(f"the document has no {self.field!r}, and nothing says which version that means")
        version = _parsed(self.initial if value is None else value)
        if version is None:
            raise VersionError(f"{self.field!r} is no version: {reprlib.repr(value)}; one looks like {self.current!r}")
        return version

    def _way(self, version: Version) -> list[Step]:
        steps = {_known(step.before): step for step in self.steps}
        current = _known(self.current)
        way: list[Step] = []
        while version != current:
            if version not in steps:
                known = tuple((step.before, step.after) for step in self.steps)
                raise GapError(_text(version), self.current, known)
            way.append(steps[version])
            version = _known(way[-1].after)
        return way


def _migrated(step: Step, document: dict[str, JSON]) -> dict[str, JSON]:
    try:
        result = step.migrate(document)
    except _FAILURES as error:
        raise StepError(step.before, step.after, f"failed ({type(error).__name__}: {harmless(str(error))})") from error
    if result is None:
        raise StepError(step.before, step.after, "returned nothing; it must return the new document")
    try:
        return _read_back(result)
    except ValueError as error:
        raise StepError(step.before, step.after, f"returned what is not a JSON object: {error}") from None


def _read_back(value: JSON) -> dict[str, JSON]:
    """Return *value* as it would be read back from a file: a copy that shares nothing with it.

    Raises ValueError when it is no object, or would not be read back the same: a tuple, a key that is not text, NaN.
    """
    if not isinstance(value, dict):
        raise ValueError(f"it is of type {type(value).__name__}")  # noqa: TRY004 - one error for all that is no object
    try:
        again = decode(encode(value, _COMPACT))
    except TypeError as error:
        raise ValueError(str(error)) from None
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    if not isinstance(again, dict) or not same(again, value):
        raise ValueError("it would be read back differently, as with a tuple or a key that is not text")
    return again


def _known(text: str) -> Version:
    version = _parsed(text)
    if version is None:
        raise SchemaError(f"not a version: {text!r}; one looks like '1.0.0'")
    return version


def _parsed(value: JSON) -> Version | None:
    """Return a version without its trailing zeros, so that versions that mean the same are the same."""
    if isinstance(value, float) or (isinstance(value, int) and 0 <= value < 10**9):
        value = repr(value)
    if not isinstance(value, str) or not _VERSION.fullmatch(value):
        return None
    numbers = [int(number) for number in value.split(".")]
    while numbers and numbers[-1] == 0:
        numbers.pop()
    return tuple(numbers)


def _text(version: Version) -> str:
    return ".".join(str(number) for number in (*version, 0, 0, 0)[: max(3, len(version))])
