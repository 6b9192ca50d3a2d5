"""How a kind of circuit file is described: what it is called, how it is recognised, and where in it what stands.

A description is data and nothing else, so that somebody can write one in a settings file for a file of his own. Places
are JSON Pointers (RFC 6901) from the record of a circuit, with two words more: `*` is every member there, `-1` the last
item of a list.
"""

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Final, Literal, NamedTuple, TypeAlias

from statewatch.documents import pointer
from statewatch.documents.diff import Identities
from statewatch.documents.values import JSON, Path
from statewatch.kinds.times import Zone

NOW = "$now"
"""In what a reset writes: the instant of the reset, in the style of the time that stands there."""

Layout: TypeAlias = Literal["json", "lines", "text"]
"""How a file is written: one JSON value, a value a line, or words for people."""

MISSING: Final = object()
_NOTHING: Final[Mapping[str, JSON]] = MappingProxyType({})
_NO_WORDS: Final[Mapping[str, str]] = MappingProxyType({})
_parsed = lru_cache(pointer.parse)


class Limit(NamedTuple):
    """A count that opens the circuit at `most`: a number, or a list of times of which those `within` seconds count."""

    at: str
    most: int
    what: str
    within: float | None = None


class Fact(NamedTuple):
    """Something worth showing: its name, where it stands, and the most it can be (a number, or where that stands)."""

    name: str
    at: str
    of: int | str | None = None


class Declaration(NamedTuple):
    """One kind of circuit file.

    *Recognised* by content: each place in `has` is there, at least one of those in `some`, and each in `every` is there
    in every member that its `*` means. One that is `only_named` has too little of its own in it: the name decides, and
    the content only confirms. `files` are the names it goes by, with the directory in front where that matters; a name
    that `promises` is worth a report when the file holds something else.

    *Circuits* are the records at `circuits` (the document itself unless it says otherwise; None: there are none),
    called what `label` says: a place, or the name itself; members of an object are called by their keys. A circuit is
    in the state that `words` make of what stands at `state` (JSON's own words for what is no text, `*` for anything
    else but null); without `state` it is open once a limit is reached, or until the time at `until`. Counts of a `day`
    hold until that ends in UTC. `streak` are failures in a row, the highest counts; `total` all of them; `since` when
    it opened and `reason` why, the first that is there.

    *Without circuits* a file may have a word at `status` (or stand as it is said by `stands`), and entries that read as
    `log` says, with `{field}` for what is to be filled in, `{field|other}` where tools differ.

    `reset` says what is written to close it, and `remarks` what is written besides when that changed anything; nothing
    is added that is not there. Without it the kind is shown only. `stamps` are times of the last change. One that is
    `sealed` is never changed, for the reason that stands there; of a `private` one no values are told but its facts.

    `when_damaged` and `when_linked` tell what its own tool makes of a file that is no JSON, and of a symbolic link;
    one that `tolerates` may have raw control characters in its texts. `identities` are the keys that tell the objects
    in its lists apart, where these are none that are found by looking at them. `calls` says what the operator is called
    for while the file is there. Where the `layout` is not `json`, the document is the list of all lines, or the text.
    """

    name: str
    noun: str
    files: tuple[str, ...] = ()
    promises: bool = True
    has: tuple[str, ...] = ()
    every: tuple[str, ...] = ()
    some: tuple[str, ...] = ()
    only_named: bool = False
    circuits: str | None = ""
    label: str = ""
    state: str = ""
    words: Mapping[str, str] = _NO_WORDS
    limits: tuple[Limit, ...] = ()
    until: str = ""
    day: str = ""
    streak: tuple[str, ...] = ()
    total: str = ""
    since: tuple[str, ...] = ()
    reason: tuple[str, ...] = ()
    facts: tuple[Fact, ...] = ()
    status: str = ""
    stands: str = ""
    log: str = ""
    logged_at: str = ""
    reset: Mapping[str, JSON] = _NOTHING
    remarks: Mapping[str, JSON] = _NOTHING
    stamps: tuple[str, ...] = ()
    sealed: str = ""
    private: bool = False
    naive: Zone = "utc"
    note: str = ""
    when_damaged: str = ""
    when_linked: str = ""
    tolerates: bool = False
    identities: Identities = MappingProxyType({})
    calls: str = ""
    layout: Layout = "json"

    @property
    def names(self) -> str:
        """Return the regular expression of `files`, for a name with its directory in front.

        A name that begins with a dot is a temporary file of somebody's, unless it is meant.
        """
        return "|".join(map(_expression, self.files))


def places(document: JSON, at: str) -> Iterator[tuple[Path, JSON]]:
    """Find every place that *at* means in *document*, with what stands there."""
    return _below(document, _parsed(at), ())


def found(document: JSON, at: str) -> object:
    """Return what stands at the first place that *at* means, or MISSING. No place at all is missing, too."""
    if not at:
        return MISSING
    if len(tokens := _parsed(at)) == 1 and isinstance(document, dict) and tokens[0] != "*":  # nearly always
        return document.get(tokens[0], MISSING)
    return next((there for _, there in places(document, at)), MISSING)


def value(document: JSON, at: str) -> JSON:
    """Return what stands at the first place that *at* means, None where nothing does."""
    there = found(document, at)
    return None if there is MISSING else there  # type: ignore[return-value]


def holds_throughout(document: JSON, at: str) -> bool:
    """Tell whether *at* is there in every member that its `*` means, of which there must be one."""
    return _throughout(document, _parsed(at))


def put(document: JSON, path: Path, new: JSON) -> JSON:
    """Return *document* with *new* at the place *path*, which is there. What is not on the way to it is shared."""
    if not path:
        return new
    if isinstance(document, dict):
        key = str(path[0])
        return {**document, key: put(document[key], path[1:], new)}
    assert isinstance(document, list)
    copy = list(document)
    copy[int(path[0])] = put(copy[int(path[0])], path[1:], new)
    return copy


def _below(here: JSON, tokens: tuple[str, ...], path: Path) -> Iterator[tuple[Path, JSON]]:
    if not tokens:
        yield path, here
        return
    token, rest = tokens[0], tokens[1:]
    if isinstance(here, dict):
        for key in here if token == "*" else (token,) if token in here else ():
            yield from _below(here[key], rest, (*path, key))
    elif isinstance(here, list) and here:
        if token == "*":
            for index, item in enumerate(here):
                yield from _below(item, rest, (*path, index))
        elif token == "-1":
            yield from _below(here[-1], rest, (*path, len(here) - 1))


def _throughout(here: JSON, tokens: tuple[str, ...]) -> bool:
    if not tokens:
        return True
    if not isinstance(here, dict) or not here:
        return False
    token, rest = tokens[0], tokens[1:]
    if token == "*":
        return all(_throughout(each, rest) for each in here.values())
    return token in here and _throughout(here[token], rest)


def _expression(glob: str) -> str:
    directory, slash, name = glob.rpartition("/")
    parts = [re.escape(directory) if slash else "[^/]*", "/", "" if name.startswith(".") else r"(?!\.)"]
    return "".join([*parts, *("[^/]*" if part == "*" else re.escape(part) for part in re.split(r"(\*)", name))])
