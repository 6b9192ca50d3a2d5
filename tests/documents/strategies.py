"""JSON values for Hypothesis, with the traps of real documents: equal but different types, odd keys, odd text."""

import os
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st

from statewatch.documents.values import JSON

TRICKY: list[JSON] = [
    True,
    False,
    1,
    1.0,
    0,
    0.0,
    -0.0,
    -1,
    None,
    "",
    "1",
    "true",
    10**20,
    1e300,
    "é",
    "\ud800",
    "a/b~c",
]

text = st.text(st.characters(exclude_categories=()), max_size=8)
keys = st.one_of(st.sampled_from(["a", "b", "c", "", "0", "a/b", "~"]), text)
scalars: st.SearchStrategy[JSON] = st.one_of(
    st.sampled_from(TRICKY),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    text,
)


def _containers(children: st.SearchStrategy[JSON]) -> st.SearchStrategy[Any]:
    return st.lists(children, max_size=4) | st.dictionaries(keys, children, max_size=4)


values: st.SearchStrategy[JSON] = st.recursive(scalars, _containers, max_leaves=15)

EXAMPLES = int(os.environ.get("STATEWATCH_EXAMPLES", "200"))
"""How many examples each law is tried on; a hundred thousand take a while."""

laws = settings(max_examples=EXAMPLES)

identities = st.one_of(st.integers(0, 12), st.sampled_from([f"run-{number}" for number in range(9)]))


def _record(identity: JSON, rest: dict[str, JSON]) -> JSON:
    return {**rest, "id": identity}


records: st.SearchStrategy[JSON] = st.lists(identities, max_size=9, unique_by=str).flatmap(
    lambda chosen: st.tuples(
        *(st.builds(_record, st.just(each), st.dictionaries(keys, scalars, max_size=3)) for each in chosen)
    ).map(list)
)
plain_lists: st.SearchStrategy[JSON] = st.lists(st.sampled_from([0, 1, True, 1.0, "a", "b", None, [], {}]), max_size=12)
documents: st.SearchStrategy[JSON] = st.one_of(
    values,
    records,
    plain_lists,
    st.dictionaries(keys, st.one_of(records, plain_lists, values), max_size=3),
)


@st.composite
def edited(draw: st.DrawFn, document: JSON) -> JSON:
    """Return a document that came from another by a few edits, somewhere in it."""
    if isinstance(document, dict) and document:
        result: dict[str, JSON] = dict(document)
        for key in draw(st.lists(st.sampled_from([*document]), max_size=2, unique=True)):
            result.pop(key) if draw(st.booleans()) else result.update({key: draw(edited(document[key]))})
        return {**result, draw(keys): draw(scalars)} if draw(st.booleans()) else result
    if isinstance(document, list) and document:
        items = list(document)
        for _ in range(draw(st.integers(0, 3))):
            at = draw(st.integers(0, len(items)))
            what = draw(st.sampled_from(["add", "remove", "move", "edit"]))
            if what == "add":
                items.insert(at, draw(st.one_of(scalars, st.sampled_from(document))))
            elif at < len(items):
                item = items.pop(at)
                if what == "move":
                    items.insert(draw(st.integers(0, len(items))), item)
                elif what == "edit":
                    items.insert(at, draw(edited(item)))
        return items
    return draw(scalars)


@st.composite
def histories(draw: st.DrawFn, length: int) -> list[JSON]:
    """Return so many versions of one document; at times one has nothing to do with the one before it."""
    versions = [draw(documents)]
    while len(versions) < length:
        versions.append(draw(documents if draw(st.integers(0, 4)) == 0 else edited(versions[-1])))
    return versions
