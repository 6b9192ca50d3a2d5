"""What changes all the time is named by the history, as patterns that a comparison can leave out."""

import pytest

from tests.cli.conftest import Stage
from tests.cli.recording import Recording, recording

__all__ = ["recording"]


@pytest.fixture
def recorded(stage: Stage, recording: Recording) -> Stage:
    path = stage.project / "state.json"
    for number in range(10):
        document = {"beat": number, "phase": "plan" if number < 8 else "build", "jobs": {"a": {"tries": number}}}
        recording.add(path, document, 1_000 - number)
    return stage


def test_places_that_change_in_most_revisions_are_named_and_news_is_not(recorded: Stage) -> None:
    rows = recorded.json("noise", "state.json")
    assert {row["pattern"] for row in rows} == {"/beat", "/jobs/a/tries"}
    assert {(row["revisions"], row["of"]) for row in rows} == {(9, 9)}


def test_what_it_prints_can_be_given_to_a_comparison(recorded: Stage) -> None:
    shown = recorded.run("noise", "state.json")
    assert "9 of 9" in shown.stdout
    words = shown.stderr.rpartition("statewatch ")[2].split()
    result = recorded.run(*words)
    assert (result.exit_code, result.stdout) == (0, ""), result.output


def test_of_too_few_revisions_nothing_is_said(stage: Stage, recording: Recording) -> None:
    for number in range(3):
        recording.add(stage.project / "state.json", {"beat": number}, 100 - number)
    result = stage.run("noise", "state.json")
    assert (result.exit_code, "too few" in result.stderr) == (1, True)


@pytest.mark.parametrize(("word", "code"), [("state.json@10m", 2), ("state.json#/a", 2), ("other.json", 1)])
def test_what_cannot_be_meant_is_told(recorded: Stage, word: str, code: int) -> None:
    assert recorded.run("noise", word).exit_code == code
