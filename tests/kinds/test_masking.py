"""What is shown of files that are private: enough to see what they are about, and that they changed."""

from typing import TYPE_CHECKING, Any

import pytest

from statewatch.kinds.masking import HIDDEN, OTHER, is_private, shown

if TYPE_CHECKING:
    from statewatch.documents.values import JSON

SENTINEL: dict[str, Any] = {
    "hmac": "s3cr3t",
    "nonce": "s3cr3t",
    "run_id": "r1",
    "mode": "full",
    "extra": {"k": ["s3cr3t"]},
}


def test_only_the_facts_of_a_private_file_are_shown_and_its_shape() -> None:
    said = {"hmac": HIDDEN, "nonce": HIDDEN, "run_id": "r1", "mode": "full", "extra": {"k": [HIDDEN]}}
    assert shown(SENTINEL, "sentinel") == said
    assert SENTINEL["hmac"] == "s3cr3t", "what is shown is another document"


def test_of_prompts_not_one_is_shown() -> None:
    assert shown({"session_id": "s", "prompts": ["s3cr3t", {"text": "s3cr3t"}]}, "prompts") == {
        "session_id": "s",
        "prompts": [HIDDEN, {"text": HIDDEN}],
    }


def test_that_a_hidden_value_is_another_one_can_be_told() -> None:
    after = {**SENTINEL, "nonce": "other", "new": 1, "mode": "light"}
    said = shown(after, "sentinel", unlike=SENTINEL)
    assert isinstance(said, dict)
    assert (said["hmac"], said["nonce"], said["new"], said["mode"]) == (HIDDEN, OTHER, HIDDEN, "light")


def test_a_place_by_itself_is_as_private_as_in_its_document() -> None:
    assert shown("s3cr3t", "sentinel", at=("hmac",)) == HIDDEN
    assert shown("full", "sentinel", at=("mode",)) == "full"


@pytest.mark.parametrize("kind", ["hooks", "batch", "plain", "drain", "nobody knows"])
def test_files_of_other_kinds_are_shown_as_they_are(kind: str) -> None:
    assert shown(SENTINEL, kind) is SENTINEL
    assert not is_private(kind)


def test_however_deep_a_private_file_is_nested() -> None:
    deep: JSON = "s3cr3t"
    for _ in range(5_000):
        deep = [deep]
    said = shown({"prompts": deep}, "prompts")
    while isinstance(said, dict | list):
        said = said["prompts"] if isinstance(said, dict) else said[0]
    assert said == HIDDEN
