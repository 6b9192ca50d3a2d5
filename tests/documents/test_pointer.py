"""JSON Pointers (RFC 6901): the examples of the standard, the law between text and path, and helpful refusals."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statewatch.documents import pointer
from statewatch.documents.pointer import PointerError
from statewatch.documents.values import JSON
from tests.documents.strategies import text, values

RFC: JSON = {
    "foo": ["bar", "baz"],
    "": 0,
    "a/b": 1,
    "c%d": 2,
    "e^f": 3,
    "g|h": 4,
    "i\\j": 5,
    'k"l': 6,
    " ": 7,
    "m~n": 8,
}


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("", RFC),
        ("/foo", ["bar", "baz"]),
        ("/foo/0", "bar"),
        ("/", 0),
        ("/a~1b", 1),
        ("/c%d", 2),
        ("/e^f", 3),
        ("/g|h", 4),
        ("/i\\j", 5),
        ('/k"l', 6),
        ("/ ", 7),
        ("/m~0n", 8),
    ],
)
def test_the_examples_of_the_standard(place: str, value: JSON) -> None:
    path = pointer.locate(RFC, pointer.parse(place))
    assert pointer.get(RFC, path) == value
    assert pointer.render(path) == place


@given(st.lists(text).map(tuple))
def test_what_is_rendered_is_parsed_to_the_same_tokens(tokens: tuple[str, ...]) -> None:
    assert pointer.parse(pointer.render(tokens)) == tokens


@given(values, st.data())
def test_every_place_of_a_document_can_be_named_and_found_again(document: JSON, data: st.DataObject) -> None:
    path: tuple[str | int, ...] = ()
    here = document
    while isinstance(here, dict | list) and here and data.draw(st.booleans()):
        token, here = data.draw(st.sampled_from([*(here.items() if isinstance(here, dict) else enumerate(here))]))
        path = (*path, token)
    assert pointer.locate(document, pointer.parse(pointer.render(path))) == path
    assert pointer.get(document, path) is here


def test_an_escaped_tilde_before_a_one_is_not_a_slash() -> None:
    assert pointer.parse("/~01") == ("~1",)


@pytest.mark.parametrize("wrong", ["foo", "#/foo", "/a~", "/a~2b", "/~~0"])
def test_a_pointer_that_is_not_well_formed_is_refused(wrong: str) -> None:
    with pytest.raises(PointerError):
        pointer.parse(wrong)


@pytest.mark.parametrize(
    ("place", "hint"),
    [
        ("/hooks/validate-fil", "'validate-file'"),
        ("/hook", "'hooks'"),
        ("/list/2", "the list there has 2 items"),
        ("/list/01", "the list there has 2 items"),
        ("/list/-", "the list there has 2 items"),
        ("/list/0/x", "nothing inside"),
        ("/empty/x", "empty"),
    ],
)
def test_a_place_that_is_not_there_is_said_with_what_is_near(place: str, hint: str) -> None:
    document: JSON = {"hooks": {"validate-file": {}}, "list": [1, 2], "empty": {}}
    with pytest.raises(PointerError, match="nothing at") as caught:
        pointer.locate(document, pointer.parse(place))
    assert hint in str(caught.value)


@pytest.mark.parametrize(
    "path", [("text", 0), ("list", -1), ("list", "0"), ("list", 9), ("nothing",), ("text", "x", 1)]
)
def test_a_path_leads_only_through_objects_and_lists(path: tuple[str | int, ...]) -> None:
    with pytest.raises(PointerError):
        pointer.get({"text": "abc", "list": [1]}, path)
