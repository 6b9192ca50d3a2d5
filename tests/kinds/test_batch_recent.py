"""Looking at the next revision of a large batch: it comes out as if it had never been seen before."""

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from statewatch.documents import codec, parts
from statewatch.documents.values import JSON
from statewatch.kinds import batch, batch_marks, batch_recent
from statewatch.kinds.batch_new import new_batch
from statewatch.kinds.registry import sentences
from statewatch.kinds.words import RefusedError

TITLES = [f"item {number}" for number in range(70)]
NOW = 1_794_000_000.0

steps = st.tuples(st.sampled_from(["done", "fail", "skip", "retry", "git", "tries", "token"]), st.integers(0, 69))


@pytest.fixture(autouse=True)
def _every_batch_is_large(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(batch, "LARGE", 1)
    forget()
    yield
    forget()


def forget() -> None:
    """Begin as a program does that has seen no batch yet."""
    batch._recent = batch_recent.Recent()


def after(document: JSON, verb: str, index: int) -> JSON:
    """Return the batch after a step, or as it is where that is refused."""
    try:
        match verb:
            case "done":
                return batch_marks.completed(document, index, NOW)
            case "fail":
                return batch_marks.failed(document, index, f"error {index}", NOW)
            case "skip":
                return batch_marks.skipped(document, index, "not now", NOW)
            case "retry":
                return batch_marks.cleared(document, index, NOW)
            case "git":
                return batch_marks.git_recorded(document, index, "commit", {"success": True, "sha": "15ceb3a"}, NOW)
            case "tries":
                return batch_marks.retried(document, index, NOW)
        return batch_marks.with_tokens(document, index, NOW)
    except RefusedError:
        return document


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(st.lists(steps, min_size=1, max_size=4), min_size=1, max_size=6), st.booleans())
def test_what_is_made_of_the_difference_is_what_is_made_from_scratch(
    passes: list[list[tuple[str, int]]], there_and_back: bool
) -> None:
    document: JSON = new_batch(TITLES, NOW, "b")
    for index in range(66):
        document = batch_marks.git_recorded(document, index, "commit", {"success": True, "sha": "9d1f2ab"}, NOW)
    seen = parts.parts_of(codec.encode(document))
    assert seen is not None
    batch.view(seen.document)
    for number, chosen in enumerate(passes):
        was = document
        for verb, index in chosen:
            document = after(document, verb, index)
        data = codec.encode(was if there_and_back and number % 2 else document)
        before, seen = seen, parts.parts_of(data, seen)
        assert seen is not None
        shown, told = batch.view(seen.document), sentences(before.document, seen.document)
        known = batch._recent
        forget()
        assert batch.view(codec.decode(data)) == shown
        assert sentences(codec.decode(codec.encode(before.document)), codec.decode(data)) == told
        batch._recent = known


def test_items_that_stayed_are_the_very_same() -> None:
    document = new_batch(TITLES, NOW, "b")
    before = batch.view(document)
    shown = batch.view(batch_marks.completed(document, 7, NOW))
    assert [index for index in range(70) if shown.items[index] is not before.items[index]] == [7]


def test_a_member_that_goes_away_is_not_remembered() -> None:
    document = batch_marks.retried(new_batch(TITLES, NOW, "b"), 3, NOW)
    assert batch.view(document).items[3].tries == 1
    assert batch.view({**document, "retry_attempts": {}}).items[3].tries is None


def test_another_batch_of_the_same_id_and_size_is_read_anew() -> None:
    document = new_batch(TITLES, NOW, "b")
    batch.view(document)
    other = batch.view({**document, "features": [f"other {number}" for number in range(70)]})
    assert [item.title for item in other.items[:2]] == ["other 0", "other 1"]
