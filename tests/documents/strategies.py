"""JSON values for Hypothesis, with the traps of real documents: equal but different types, odd keys, odd text."""

from typing import Any

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
