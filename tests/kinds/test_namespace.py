"""Keyed state: what is in a namespace, which keys changed, and the history of a key in the backups."""

import json
from typing import Any

import pytest
from hypothesis import given

from statewatch.documents.codec import decode
from statewatch.documents.values import JSON
from statewatch.kinds.namespace import KIND, VERSIONED, backup_stamp, history
from statewatch.kinds.registry import kind_of
from tests.documents.strategies import values
from tests.support import SAMPLE

TRUTH: dict[str, Any] = json.loads((SAMPLE / "truth.json").read_bytes())["seed_layouts"]
STATE = SAMPLE / "project" / ".claude" / "state"


def read(path: str) -> Any:
    return decode((STATE / path).read_bytes())


def test_the_namespaces_of_the_sample_are_as_its_truth_says() -> None:
    found = [
        path.parent.name
        for path in sorted(STATE.glob("*/state.json"))
        if kind_of(read(f"{path.parent.name}/state.json")) is KIND
    ]
    assert found == TRUTH["kv_namespaces"]
    assert all(KIND.faults(read(f"{name}/state.json")) == [] for name in found)
    assert KIND.view(read("default/state.json")).facts == (("keys", "3"), ("saved last", "metadata an object of 2"))


def test_a_value_may_look_like_an_entry_itself() -> None:
    document: JSON = {"a": {"value": {"value": 1, "timestamp": "x"}, "timestamp": "2026-11-14T11:00:00"}}
    assert kind_of(document) is KIND
    assert KIND.view(document).entries[0].value == {"value": 1, "timestamp": "x"}


def test_the_backups_of_the_sample_and_the_history_of_a_key() -> None:
    names = sorted(path.name for path in STATE.glob("state_*.json"))
    assert len([name for name in names if backup_stamp(name)]) == TRUTH["filestate_backups"]
    assert kind_of(read("state.json")) is VERSIONED
    versions = history("agent_1", [read(name) for name in names])
    assert [(entry.version, entry.value["tokens"]) for entry in versions if isinstance(entry.value, dict)] == [
        (3, 6300),
        (2, 3600),
        (1, 900),
    ]


@pytest.mark.parametrize("name", ["state_old.json", "state_20261315_120000.json", "state_20261115_1200.json", "x.json"])
def test_a_name_that_is_none_of_a_backup(name: str) -> None:
    assert backup_stamp(name) is None


def test_which_keys_changed() -> None:
    before, after = read("default/state.json"), read("nightly/state.json")
    said = [(each.subject, each.text) for each in KIND.sentences(before, after)]
    assert said[:2] == [("current_phase", '"scouting" → "building"'), ("completed_tasks", "[] → a list of 2")]
    assert ("retries", "set to 2") in said
    assert next((each.subject, each.text) for each in KIND.sentences(after, before)) == ("retries", "deleted")


def test_what_changed_inside_a_value_that_is_as_large_as_before() -> None:
    def document(number: int) -> JSON:
        return {"k": {"value": {"x": number, "y": number, "z": 0}, "timestamp": "2026-11-14T11:00:00"}}

    assert [each.text for each in KIND.sentences(document(1), document(2))] == ["/x 1 → 2, and more"]


def test_an_entry_that_is_none_is_named() -> None:
    document: JSON = {"a": {"value": 1, "timestamp": "soon"}, "b": 7, "c": {"timestamp": "2026-11-14T11:00:00"}}
    assert [(fault.pointer, fault.message) for fault in KIND.faults(document)] == [
        ("/a/timestamp", 'expected a time, found "soon"'),
        ("/b", "expected an entry with a value, found a number"),
        ("/c/value", "expected an entry with a value, found nothing"),
    ]


@given(values)
def test_no_document_is_too_odd_to_look_at(document: JSON) -> None:
    entry: JSON = {"value": document, "timestamp": document, "version": document}
    odds: list[JSON] = [document, {"a": document}, {"a": entry}]
    for kind in (KIND, VERSIONED):
        for odd in odds:
            assert kind.view(odd).facts
            kind.sentences(odd, {})
    history("a", [document, {"a": document}])
