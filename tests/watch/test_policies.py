"""The policy of a hook state comes from the settings beside it."""

from pathlib import Path

import pytest

from statewatch.kinds.hooks import Policy
from statewatch.watch.policies import Policies
from tests.support import replace


def test_settings_beside_the_file_count_and_are_read_again_when_they_change(tmp_path: Path) -> None:
    policies = Policies({})
    state = str(tmp_path / "hook_state.json")
    assert policies.of(state) == Policy()
    assert not policies.refresh()
    replace(tmp_path / "guardrails.yaml", "circuit_breaker: {cooldown_seconds: 60, exclude: [lint]}")
    assert policies.refresh()
    assert policies.of(state) == Policy(cooldown=60, exclude=("lint",))
    replace(tmp_path / "guardrails.yaml", "circuit_breaker: [")
    assert policies.refresh()
    assert policies.of(state) == Policy()
    (tmp_path / "guardrails.yaml").unlink()
    assert policies.refresh()
    assert policies.of(state) == Policy()


def test_the_environment_outweighs_the_settings(tmp_path: Path) -> None:
    replace(tmp_path / "guardrails.yaml", "circuit_breaker: {cooldown_seconds: 60}")
    policies = Policies({"GUARDRAILS_CIRCUIT_BREAKER_COOLDOWN_SECONDS": "90"})
    assert policies.of(str(tmp_path / "hook_state.json")) == Policy(cooldown=90)


@pytest.mark.parametrize("text", ["[" * 5_000, 'a: !!int ""', "a: !!bool x", "\x00", "- &a [*a]", "5", "é: ü"])
def test_settings_that_are_broken_leave_the_defaults(tmp_path: Path, text: str) -> None:
    replace(tmp_path / "guardrails.yaml", text)
    assert Policies({}).of(str(tmp_path / "hook_state.json")) == Policy()
