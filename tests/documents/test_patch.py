"""JSON Patch (RFC 6902) and JSON Merge Patch (RFC 7396): what they make, and what they say when they do not apply."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from statewatch.documents.codec import encode
from statewatch.documents.diff import Change, apply, diff, invert
from statewatch.documents.merge_patch import MergePatchError, apply_merge_patch, write_merge_patch
from statewatch.documents.patch import PatchError, apply_patch, write_patch
from statewatch.documents.values import JSON, same

VARIABLE = "STATEWATCH_JSON_PATCH_TESTS"


def public_cases() -> list[Any]:
    """Return the cases of the public JSON Patch suite, from the folder that the environment names."""
    folder = Path(os.environ[VARIABLE])
    return [case for name in ("spec_tests.json", "tests.json") for case in json.loads((folder / name).read_bytes())]


@pytest.mark.skipif(not os.environ.get(VARIABLE), reason=f"{VARIABLE} names no folder with the public JSON Patch tests")
def test_the_public_json_patch_suite_passes() -> None:
    cases = public_cases()
    assert len(cases) >= 112
    wrong: list[tuple[Any, JSON]] = []
    for case in cases:
        if "op' members" in case.get("error", ""):
            continue  # a member that occurs twice is refused when the text is read, and is not in the value
        try:
            result = apply_patch(case["doc"], case["patch"]).document
        except PatchError as error:
            if "error" not in case:
                wrong.append((case, str(error)))
        else:
            if "error" in case or not same(result, case.get("expected", result)):
                wrong.append((case, result))
    assert wrong == []


def patched(document: JSON, *operations: dict[str, JSON]) -> JSON:
    """Apply a patch, having seen that its changes say the same, can be taken back, and leave the original alone."""
    kept = encode(document)
    done = apply_patch(document, list(operations))
    assert same(apply(document, done.changes), done.document)
    assert same(apply(done.document, invert(done.changes)), document)
    assert encode(document) == kept
    return done.document


DOCUMENT: JSON = {"hooks": {"a/b": {"state": "open"}}, "runs": [1, 2, 3], "": None}


@pytest.mark.parametrize(
    ("operation", "result"),
    [
        ({"op": "add", "path": "/hooks/new", "value": {}}, {"hooks": {"a/b": {"state": "open"}, "new": {}}}),
        ({"op": "add", "path": "/hooks", "value": 1}, {"hooks": 1}),
        ({"op": "add", "path": "/runs/-", "value": 4}, {"runs": [1, 2, 3, 4]}),
        ({"op": "add", "path": "/runs/3", "value": 4}, {"runs": [1, 2, 3, 4]}),
        ({"op": "add", "path": "/runs/0", "value": None}, {"runs": [None, 1, 2, 3]}),
        ({"op": "remove", "path": "/runs/1"}, {"runs": [1, 3]}),
        ({"op": "replace", "path": "/hooks/a~1b/state", "value": "closed"}, {"hooks": {"a/b": {"state": "closed"}}}),
        ({"op": "replace", "path": "/", "value": 0}, {"": 0}),
        ({"op": "move", "from": "/runs/0", "path": "/runs/2"}, {"runs": [2, 3, 1]}),
        ({"op": "move", "from": "/runs/0", "path": "/runs/0"}, {}),
        ({"op": "move", "from": "/runs", "path": "/"}, {"": [1, 2, 3], "runs": ...}),
        ({"op": "copy", "from": "/hooks", "path": "/runs/1"}, {"runs": [1, {"a/b": {"state": "open"}}, 2, 3]}),
        ({"op": "test", "path": "/runs", "value": [1.0, 2, 3e0]}, {}),
        ({"op": "test", "path": "/", "value": None, "comment": "members that are not known are no matter"}, {}),
    ],
)
def test_each_operation_does_what_the_standard_says(operation: dict[str, JSON], result: dict[str, Any]) -> None:
    assert isinstance(DOCUMENT, dict)
    expected = {key: value for key, value in {**DOCUMENT, **result}.items() if value is not ...}
    assert same(patched(DOCUMENT, operation), expected)


def test_the_whole_document_can_be_replaced_and_a_part_become_the_whole() -> None:
    assert patched(DOCUMENT, {"op": "replace", "path": "", "value": 5}) == 5
    assert patched(DOCUMENT, {"op": "add", "path": "", "value": []}) == []
    assert patched(DOCUMENT, {"op": "move", "from": "/runs", "path": ""}) == [1, 2, 3]
    assert patched(DOCUMENT, {"op": "copy", "from": "/runs", "path": ""}) == [1, 2, 3]


def test_a_copy_and_what_was_moved_change_on_their_own() -> None:
    assert patched(
        {"a": {"n": [1]}},
        {"op": "add", "path": "/a/n/-", "value": 2},
        {"op": "copy", "from": "/a", "path": "/b"},
        {"op": "add", "path": "/b/n/-", "value": 3},
        {"op": "move", "from": "/a", "path": "/c"},
        {"op": "remove", "path": "/c/n/0"},
    ) == {"b": {"n": [1, 2, 3]}, "c": {"n": [2]}}


@pytest.mark.parametrize(
    ("patch", "index", "message"),
    [
        (
            [{"op": "remove", "path": "/hoks"}],
            0,
            r"operation 1 \(remove '/hoks'\): nothing at '/hoks'; there is 'hooks'",
        ),
        (
            [{"op": "test", "path": "/runs/0", "value": 1}, {"op": "remove", "path": "/runs/9"}],
            1,
            "operation 2 .*3 items",
        ),
        ([{"op": "test", "path": "/runs/0", "value": "1"}], 0, 'the test failed: there is 1, not "1"'),
        ([{"op": "test", "path": "/runs/0", "value": True}], 0, "there is 1, not true"),
        ([{"op": "test", "path": "/runs", "value": {}}], 0, "there is a list of 3, not an object of 0"),
        ([{"op": "add", "path": "/runs/4", "value": 1}], 0, "nothing at '/runs/4'"),
        ([{"op": "add", "path": "/runs/01", "value": 1}], 0, "nothing at '/runs/01'"),
        ([{"op": "add", "path": "/runs/0/x", "value": 1}], 0, "neither an object nor a list"),
        ([{"op": "remove", "path": ""}], 0, "the whole document cannot be removed"),
        ([{"op": "move", "from": "/hooks", "path": "/hooks/a~1b/me"}], 0, "cannot be moved into itself"),
        ([{"op": "move", "from": "", "path": "/x"}], 0, "cannot be moved into itself"),
        ([{"op": "move", "from": "/nowhere", "path": "/x"}], 0, "nothing at '/nowhere'"),
        ([{"op": "replace", "path": "/x", "value": 1}], 0, "nothing at '/x'"),
        ([{"op": "add", "path": "/x"}], 0, "it has no 'value'"),
        ([{"op": "add", "value": 1}], 0, "it has no 'path'"),
        ([{"op": "copy", "path": "/x", "from": 1}], 0, "its 'from' is not a text"),
        ([{"op": "add", "path": "x", "value": 1}], 0, "a pointer starts with '/'"),
        ([{"op": "put", "path": "/x", "value": 1}], 0, 'there is no operation "put"; there is add, remove'),
        ([{"op": ["add"], "path": "/x"}], 0, "there is no operation a list of 1"),
        ([{"path": "/x"}], 0, "it has no 'op'"),
        (["remove"], 0, "an operation is an object"),
        ({"op": "remove", "path": "/runs"}, None, "a JSON Patch is a list of operations"),
    ],
)
def test_a_patch_that_does_not_apply_says_which_operation_and_why(patch: JSON, index: int | None, message: str) -> None:
    with pytest.raises(PatchError, match=message) as caught:
        apply_patch(DOCUMENT, patch)
    assert caught.value.index == index


def test_a_patch_is_read_as_a_whole_before_anything_is_made_of_it() -> None:
    with pytest.raises(PatchError, match="operation 2"):
        apply_patch(DOCUMENT, [{"op": "remove", "path": "/nowhere"}, {"op": "add", "path": "/x"}])


def test_nothing_from_a_patch_acts_on_a_terminal_through_its_error() -> None:
    with pytest.raises(PatchError) as caught:
        apply_patch({}, [{"op": "test", "path": "/\x1b[2J", "value": "\x1b]52;c;\x07"}])
    assert str(caught.value).isprintable()


def test_a_document_copied_into_itself_again_and_again_is_refused() -> None:
    bomb: list[JSON] = [{"op": "copy", "from": "", "path": f"/{step}"} for step in range(64)]
    with pytest.raises(PatchError, match="far too large") as caught:
        apply_patch({"a": 1}, bomb)
    assert caught.value.op == "copy"


def test_changes_are_written_as_a_patch_with_tests_for_those_who_want_them() -> None:
    changes = diff(
        {"a": 1, "l": [{"id": 1}, {"id": 2}, {"id": 3}], "x": 0}, {"a": 2, "l": [{"id": 3}, {"id": 1}, {"id": 2}]}
    )
    assert write_patch(changes) == [
        {"op": "replace", "path": "/a", "value": 2},
        {"op": "move", "from": "/l/2", "path": "/l/0"},
        {"op": "remove", "path": "/x"},
    ]
    checked = write_patch(changes, tests=True)
    assert checked[2] == {"op": "test", "path": "/l/2", "value": {"id": 3}}
    with pytest.raises(PatchError, match="the test failed"):
        apply_patch({"a": 1, "l": [{"id": 1}, {"id": 2}, {"id": 4}], "x": 0}, checked)


@pytest.mark.parametrize(
    ("document", "patch", "result"),
    [
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b"}, {"a": None}, {}),
        ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        (["a", "b"], ["c", "d"], ["c", "d"]),
        ({"a": "b"}, ["c"], ["c"]),
        ({"a": "foo"}, None, None),
        ({"a": "foo"}, "bar", "bar"),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ([1, 2], {"a": "b", "c": None}, {"a": "b"}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    ],
)
def test_the_examples_of_the_merge_patch_standard(document: JSON, patch: JSON, result: JSON) -> None:
    kept = encode(document), encode(patch)
    assert same(apply_merge_patch(document, patch), result)
    assert (encode(document), encode(patch)) == kept


def test_a_merge_patch_says_only_what_changes() -> None:
    before: JSON = {"a": {"b": 1, "c": 2}, "l": [1], "gone": 1, "same": {"x": None}}
    assert write_merge_patch(before, {"a": {"b": 1, "c": True}, "l": [1, None], "same": {"x": None}, "new": {}}) == {
        "a": {"c": True},
        "l": [1, None],
        "gone": None,
        "new": {},
    }


@pytest.mark.parametrize(
    ("before", "after", "place"),
    [({}, {"a": None}, "/a"), ({"a": {"b": 1}}, {"a": {"b": None}}, "/a/b"), (1, {"x/y": {"z": None}}, "/x~1y/z")],
)
def test_a_null_that_a_merge_patch_cannot_say_is_refused_by_its_place(before: JSON, after: JSON, place: str) -> None:
    with pytest.raises(MergePatchError, match="JSON Patch") as caught:
        write_merge_patch(before, after)
    assert caught.value.pointer == place


def test_a_change_knows_its_place_and_what_a_move_came_from() -> None:
    moved = Change("move", ("l", 0), 1, 1, ("l", 2))
    assert invert([moved]) == [Change("move", ("l", 2), 1, 1, ("l", 0))]
    assert apply({"l": [3, 2, 1]}, [moved]) == {"l": [1, 3, 2]}
