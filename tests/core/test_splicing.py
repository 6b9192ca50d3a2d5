"""Splicing a record into the text of a large hook state gives what writing all of it anew would give, to the byte."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from statewatch.core.splicing import text_of
from statewatch.documents import codec
from statewatch.documents.codec import Style, decode, encode
from statewatch.documents.values import JSON

NAMES = st.one_of(st.sampled_from(["a", "hooks", "global_stats", 'q"\n  "hooks": {', "é\u202e", "\ud800"]), st.text())
STYLES = st.tuples(st.booleans(), st.booleans()).map(lambda chosen: Style("  ", *chosen))
SCALARS = st.one_of(st.none(), st.booleans(), st.integers(), st.text())  # floats have more than one spelling
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=5)
RECORDS = st.dictionaries(NAMES, VALUES, max_size=3)


@given(
    st.dictionaries(NAMES, RECORDS, min_size=1, max_size=5),
    st.dictionaries(NAMES, RECORDS, max_size=3),
    RECORDS,
    st.dictionaries(st.sampled_from(["first", "schema", "z"]), st.one_of(VALUES, st.dictionaries(NAMES, RECORDS))),
    STYLES,
)
def test_the_text_is_that_of_the_whole_document_written_anew(
    hooks: dict[str, JSON], changed: dict[str, JSON], stats: JSON, others: dict[str, JSON], style: Style
) -> None:
    document: dict[str, JSON] = {**others, "hooks": hooks, "more": others, "global_stats": {"n": 1}, **others}
    data, text = text_of(document, style)
    assert text is not None
    assert data == text.data
    spliced = text.spliced("hooks", changed, hooks, "global_stats", stats)
    assert spliced is not None
    after = {**document, "hooks": {**hooks, **changed}, "global_stats": stats}
    assert spliced.data == encode(after, style)
    again = spliced.spliced("hooks", changed, {**hooks, **changed}, "global_stats", stats)
    assert again is not None
    assert again.data == spliced.data


def test_text_in_another_layout_is_not_spliced_and_neither_is_what_is_missing() -> None:
    document: Any = {"hooks": {"a": {}}, "global_stats": {}}
    for style in (Style(indent="    "), Style(indent=None), Style(newline="\r\n")):
        assert text_of(document, style)[1] is None
    incomplete: list[JSON] = [{"hooks": {}, "global_stats": {}}, {"hooks": {"a": {}}}]
    for odd in incomplete:
        text = text_of(odd, Style())[1]
        assert text is not None
        assert text.spliced("hooks", {"a": {}}, (), "global_stats", {}) is None


def test_many_records_at_once_are_written_with_all_the_rest() -> None:
    hooks: dict[str, JSON] = {f"h{n}": {"n": n} for n in range(100)}
    text = text_of({"hooks": hooks, "global_stats": {}}, Style())[1]
    assert text is not None
    assert text.spliced("hooks", hooks, hooks, "global_stats", {}) is None
    assert decode(text.data) == decode(codec.encode({"hooks": hooks, "global_stats": {}}))
