"""Two documents as lines: both can be read in them, what differs is marked, and what does not is beside its twin."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statewatch.documents.lines import Line, document_lines, text_lines, value_lines
from statewatch.documents.values import JSON, same
from tests.documents.strategies import documents


def shown(lines: list[Line]) -> list[str]:
    """Return lines as a unified difference has them, without what stays the same."""
    signed = []
    for line in lines:
        if line.is_changed:
            signed += [f"-{line.before}"] if line.before is not None else []
            signed += [f"+{line.after}"] if line.after is not None else []
    return signed


def text(lines: list[Line], side: str) -> str:
    return "\n".join(each for line in lines if (each := getattr(line, side)) is not None)


@given(documents, documents)
def test_both_documents_can_be_read_in_their_lines(before: JSON, after: JSON) -> None:
    lines = list(document_lines(before, after))
    assert same(json.loads(text(lines, "before")), before)
    assert same(json.loads(text(lines, "after")), after)
    assert any(line.is_changed for line in lines) is not same(before, after)


@given(st.lists(st.sampled_from("abcde")), st.lists(st.sampled_from("abcde")))
def test_both_texts_can_be_read_in_their_lines(before: list[str], after: list[str]) -> None:
    lines = list(text_lines(before, after))
    assert [line.before for line in lines if line.before is not None] == before
    assert [line.after for line in lines if line.after is not None] == after
    assert all(line.before == line.after for line in lines if not line.is_changed)


def test_an_insertion_at_the_front_is_no_change_of_what_follows() -> None:
    rest: list[JSON] = [{"id": number, "text": "x"} for number in range(3)]
    lines = list(document_lines({"runs": rest}, {"runs": [{"id": 9, "text": "new"}, *rest]}))
    assert shown(lines) == ["+    {", '+      "id": 9,', '+      "text": "new"', "+    },"]
    assert {line.place for line in lines if line.is_changed} == {("runs",)}


def test_a_member_that_comes_stands_where_it_stands_and_a_comma_is_no_change() -> None:
    lines = list(document_lines({"a": 1, "c": 3}, {"z": 0, "a": 1, "b": 2}))
    assert shown(lines) == ['+  "z": 0,', '+  "b": 2', '-  "c": 3']
    assert [(line.before, line.after) for line in lines if not line.is_changed][1] == ('  "a": 1,', '  "a": 1,')


def test_what_is_quiet_is_told_and_does_not_count() -> None:
    before: JSON = {"state": "closed", "at": "08:00"}
    after: JSON = {"state": "open", "at": "09:00"}
    lines = list(document_lines(before, after, quiet=lambda change: change.path == ("at",)))
    assert shown(lines) == ['-  "state": "closed",', '+  "state": "open",']
    assert Line('  "at": "08:00"', '  "at": "09:00"', False, ()) in lines


def test_objects_are_told_apart_by_the_keys_that_are_declared() -> None:
    before: JSON = {"runs": [{"who": "a", "n": 1}, {"who": "b", "n": 1}]}
    after: JSON = {"runs": [{"who": "b", "n": 2}]}
    lines = list(document_lines(before, after, {"/runs": "who"}))
    assert shown(lines) == [
        "-    {",
        '-      "who": "a",',
        '-      "n": 1',
        "-    },",
        '-      "n": 1',
        '+      "n": 2',
    ]


@pytest.mark.parametrize("value", [{"a": [1, "\x1b[31m"]}, [], 7, 10**30, "\ud800", {"deep": [10**30]}])
def test_a_value_on_one_side_only(value: JSON) -> None:
    come, gone = list(value_lines(value, is_new=True)), list(value_lines(value, is_new=False))
    assert same(json.loads(text(come, "after")), value)
    assert [line.before for line in gone] == [line.after for line in come]
    assert all(line.before is None and line.is_changed for line in come)


def test_depth_needs_no_recursion() -> None:
    one: JSON = 1
    other: JSON = 2
    for _ in range(480):
        one, other = [one], [other]
    assert shown(list(document_lines(one, other))) == [f"-{'  ' * 480}1", f"+{'  ' * 480}2"]


def test_the_first_lines_are_there_before_the_last_ones_are_made() -> None:
    before: Any = {"first": 1, "last": {"x": object()}}  # which no line can be made of
    after: Any = {"first": 2, "last": {"x": object()}}
    lines = document_lines(before, after)
    assert [next(lines).before for _ in range(2)] == ["{", '  "first": 1,']
    with pytest.raises(TypeError):
        list(lines)
