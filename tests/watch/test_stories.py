"""What is kept beside a hook state is shown as it is now, and never keeps the hook state itself from being shown."""

from pathlib import Path

import pytest

from statewatch.core.recording import Circuits, Run
from statewatch.watch.stories import NOTHING, Stories


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Return a hook state with a history."""
    path = tmp_path / "hook_state.json"
    Circuits(path).record([Run("a", "first"), Run("b", "other"), Run("a", "second")])
    return path


def test_events_are_told_by_hook_newest_first_and_anew_when_there_are_more(file: Path) -> None:
    stories = Stories()
    story = stories.of(str(file))
    assert [event["error"] for event in story.events["a"]] == ["second", "first"]
    assert stories.of(str(file)) is story, "nothing has changed"
    circuits = Circuits(file)
    circuits.record([Run("b", "third")])
    circuits.set_mode(["b"], "forced_open")
    story = stories.of(str(file))
    assert [event.get("error") for event in story.events["b"]] == [None, "third", "other"], "a mode, two failures"
    assert story.extras == circuits.extras()


def test_a_hook_state_of_other_tools_has_none(tmp_path: Path) -> None:
    assert Stories().of(str(tmp_path / "hook_state.json")) is NOTHING
    assert Stories().of("/\0") is NOTHING


def test_what_is_damaged_is_left_out(file: Path) -> None:
    log = file.with_name(".hook_state.json.statewatch-circuits.jsonl")
    log.write_bytes(log.read_bytes() + b'[1]\n{"hook": "a"\n\xff\n{"at": 1, "hook": "a"}\n')
    file.with_name(".hook_state.json.statewatch-circuits.json").write_text("{")
    story = Stories().of(str(file))
    assert story.extras is None
    assert story.events["a"][0]["at"] == 1
    assert len(story.events["a"]) == 3


def test_a_link_leads_to_the_story_of_the_file(file: Path, tmp_path: Path) -> None:
    link = tmp_path / "link.json"
    link.symlink_to(file)
    assert set(Stories().of(str(link)).events) == {"a", "b"}
