"""The laws of diff, patch and compose, on documents that have much in common and on those that have nothing."""

import copy
from typing import Any

import jsonpatch
from hypothesis import given

from statewatch.documents.codec import decode, encode
from statewatch.documents.diff import apply, compose, diff, invert
from statewatch.documents.merge_patch import MergePatchError, apply_merge_patch, write_merge_patch
from statewatch.documents.patch import apply_patch, write_patch
from statewatch.documents.values import JSON, same
from tests.documents.strategies import histories, laws


@laws
@given(histories(2))
def test_a_diff_makes_the_one_of_the_other_and_its_inverse_takes_it_back(versions: list[JSON]) -> None:
    before, after = versions
    kept = encode(before), encode(after)
    changes = diff(before, after)
    assert same(apply(before, changes), after)
    assert same(apply(after, invert(changes)), before)
    assert (changes == []) == same(before, after)
    assert diff(after, copy.deepcopy(after)) == []
    assert (encode(before), encode(after)) == kept


@laws
@given(histories(2))
def test_a_patch_that_we_write_does_the_same_in_another_library(versions: list[JSON]) -> None:
    before, after = versions
    patch: Any = write_patch(diff(before, after), tests=True)
    as_read = decode(encode(before))  # the library changes it in place, so no part may be there twice
    assert same(jsonpatch.apply_patch(as_read, patch), after)


@laws
@given(histories(2))
def test_a_patch_that_we_write_is_read_again_and_can_be_taken_back(versions: list[JSON]) -> None:
    before, after = versions
    done = apply_patch(before, write_patch(diff(before, after), tests=True))
    assert same(done.document, after)
    assert same(apply(before, done.changes), after)
    assert same(apply(after, invert(done.changes)), before)


@laws
@given(histories(4))
def test_changes_in_a_row_can_be_put_together(versions: list[JSON]) -> None:
    first, second, third, fourth = versions
    whole = compose(compose(diff(first, second), diff(second, third)), diff(third, fourth))
    assert same(apply(first, whole), fourth)
    assert same(apply(fourth, invert(whole)), first)


@laws
@given(histories(2))
def test_a_merge_patch_makes_the_one_of_the_other_or_is_refused_for_a_null(versions: list[JSON]) -> None:
    before, after = versions
    try:
        patch = write_merge_patch(before, after)
    except MergePatchError:
        assert b"null" in encode(after)
    else:
        assert same(apply_merge_patch(before, patch), after)
