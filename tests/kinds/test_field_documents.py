"""State files without circuits: what is told of each, what is never told, and what is never changed."""

from typing import Any

import pytest
from hypothesis import given

from statewatch.documents.codec import decode
from statewatch.documents.values import JSON
from statewatch.kinds import field_circuits, glance
from statewatch.kinds.registry import kind_named, kind_of, sealed, sentences
from tests.documents.strategies import values
from tests.support import SAMPLE

LOCAL = "project/.claude/local"
FILES = {
    f"{LOCAL}/SESSION_STATE.json": ("session state", "", {"active tasks": "2", "pending": "0"}),
    f"{LOCAL}/implement_pipeline_state.json": ("sentinel", "", {"mode": "full", "asked for": "yes"}),
    f"{LOCAL}/drain_pending.json": ("drain pending", "pending", {"cluster": "hooks", "issues": "2"}),
    f"{LOCAL}/goa_manifest.json": ("watch manifest", "", {"drop rate %": "70"}),
    "project/.claude/compaction_recovery.json": ("recovery", "in_progress", {"item": "24 of 30"}),
    "project/.claude/logs/workflows/20261114_144200/progress.json": ("progress", "failed", {"percent": "62 of 100"}),
    "project/.claude/artifacts/20261113_101500/review.json": ("artifact", "completed", {"agent": "reviewer"}),
    "home/.autonomous-dev/user_state.json": ("user state", "", {"preferences": "4", "retries allowed": "yes"}),
    "home/.autonomous-dev/workflow_state.json": ("preferences", "", {"sessions": "2", "last session": "bugfix"}),
    "tmp/pipeline_agent_completions_c0ffee1234567890.json": ("completions", "", {"agents told of": "4"}),
    "tmp/pipeline_agent_completions_e0ff0f98.json": ("completions", "", {"scopes": "0", "launches": "1"}),
}


def read(path: str) -> Any:
    return decode((SAMPLE / path).read_bytes())


@pytest.mark.parametrize("path", FILES)
def test_what_is_told_of_the_sample(path: str) -> None:
    name, status, facts = FILES[path]
    document = read(path)
    kind = field_circuits.declared(name)
    assert kind is not None
    assert kind_of(document) is kind
    assert kind.faults(document) == []
    seen = kind.view(document)
    assert (seen.status, seen.circuits) == (status, ())
    assert facts.items() <= dict(seen.facts).items()


def test_a_user_state_may_hold_only_what_another_program_wrote_into_it() -> None:
    assert kind_of({"batch_retry_enabled": True}).name == "user state"
    (fault,) = kind_named("user state").faults({})
    assert fault.pointer == "/first_run_complete"


def test_the_name_decides_where_the_content_could_be_anything() -> None:
    document = read("project/.claude/pause_checkpoint.json")
    assert kind_of(document).name == "plain"
    expected = field_circuits.expected(".claude", "pause_checkpoint.json")
    assert expected is not None
    assert expected.matches(document)
    assert expected.view(document).status == "paused"
    assert field_circuits.expected(".ralph", "progress.json") is field_circuits.declared("ralph progress")
    assert field_circuits.expected("20261114_144200", "progress.json") is field_circuits.declared("progress")


def test_a_signed_file_is_shown_without_its_signature_and_never_changed() -> None:
    document = read(f"{LOCAL}/implement_pipeline_state.json")
    kind = field_circuits.declared("sentinel")
    assert kind is not None
    assert document["hmac"] not in repr(kind.view(document))
    assert document["nonce"] not in repr(kind.view(document))
    assert "signed" in sealed(document)
    assert sealed(read(f"{LOCAL}/SESSION_STATE.json")) == ""
    forged = {**document, "hmac": "0" * 64}
    assert "0000" not in repr(sentences(document, forged))


def test_of_prompts_only_their_number_is_told() -> None:
    before: JSON = {"session_id": "s", "prompts": ["my secret plan"]}
    after: JSON = {"session_id": "s", "prompts": ["my other plan"]}
    assert kind_of(after).name == "prompts"
    assert [each.text for each in sentences(before, after)] == ["details changed"]
    more: JSON = {"session_id": "s", "prompts": ["my other plan", "again"]}
    assert [each.text for each in sentences(after, more)] == ["prompts 2"]


def test_a_glance_at_what_no_kind_knows() -> None:
    document: JSON = {"phase": "build", "jobs": [{"status": "ok", "at": 1_794_816_000}], "done": "2026-11-16T07:00:00Z"}
    seen = glance.view(document)
    assert (seen.status, seen.facts) == (
        "build",
        (("holds", "phase, jobs, done"), ("newest time (at)", "1794816000")),
    )
    nested = glance.view({"run": {"state": "asleep"}, "count": 1_794_816_000})
    assert (nested.status, nested.facts) == ("", (("holds", "run, count"), ("/run/state", "asleep")))
    assert glance.view(12).facts == (("holds", "a number: 12"),)
    assert glance.view([]).facts == (("holds", "0 items"),)


def test_a_glance_at_a_large_file_is_a_short_one() -> None:
    seen = glance.view([{"status": f"s{at}", "n": list(range(100))} for at in range(50_000)])
    assert seen.facts[0] == ("holds", "50000 items")


@given(values)
def test_no_document_is_too_odd_to_look_at(document: JSON) -> None:
    assert glance.view(document).facts
    for kind in (*field_circuits.WITHOUT, *field_circuits.NAMED):
        kind.view(document)
        kind.faults(document)
        kind.sentences(document, {})


@pytest.mark.parametrize(
    ("name", "line", "told"),
    [
        ("drain notifications", {"kind": "drain_stop", "reason": "diverged"}, "drain_stop: diverged"),
        ("drain log", {"outcome": "stop", "cluster_id": "CI#1"}, "CI#1: stop, ?, ? s"),
        ("cloud runs", {"phase": "FIRE_END", "exit_reason": "done", "selected_cluster": "CI"}, "FIRE_END CI: done"),
        ("cloud runs", {"fire_type": "watcher", "cluster": "CI", "exit_reason": "idle"}, "watcher CI: idle"),
        (
            "retry audit",
            {"event_type": "circuit_breaker_triggered", "batch_id": "b-1", "consecutive_failures": 5},
            "circuit_breaker_triggered: b-1, 5",
        ),
    ],
)
def test_a_line_that_comes_is_told_in_words(name: str, line: Any, told: str) -> None:
    assert [sentence.text for sentence in sentences([], [line], name)] == [told]
    kind = field_circuits.declared(name)
    assert kind is not None
    assert kind.view([line]).facts[-1] == ("latest", told)
