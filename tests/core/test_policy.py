"""The policy that applies to a hook state comes from the settings beside it and from the environment."""

from pathlib import Path

import pytest

from statewatch.core.policy import hook_state_file, policy_for, settings
from statewatch.kinds.hooks import Policy
from tests.support import SAMPLE


def beside(tmp_path: Path, text: str) -> Path:
    (tmp_path / "guardrails.yaml").write_text(text)
    return tmp_path / "hook_state.json"


def test_the_settings_of_the_sample() -> None:
    path = SAMPLE / "home/.claude/hook_state.json"
    assert policy_for(path, {}) == Policy(3, 300, 2, ("damage-control",))
    assert policy_for(path, {"GUARDRAILS_CIRCUIT_BREAKER_COOLDOWN_SECONDS": "60"}).cooldown == 60


@pytest.mark.parametrize(
    "text",
    [
        "",
        "circuit_breaker: [",
        "\tx: 1",
        "circuit_breaker: !!int ''",
        "circuit_breaker: !!bool x",
        "circuit_breaker: !!timestamp x",
        "!!python/object/apply:os.system ['true']",
        "a: &a [*a]",
        "\x00",
        "- " * 2_000,
        "[" * 5_000,
    ],
)
def test_settings_that_cannot_be_read_mean_the_defaults(tmp_path: Path, text: str) -> None:
    assert policy_for(beside(tmp_path, text), {}) == Policy()


def test_the_settings_of_the_home_hold_where_none_lie_beside_the_hook_state(tmp_path: Path) -> None:
    home = tmp_path / "home"
    (home / ".claude").mkdir(parents=True)
    (home / ".claude" / "guardrails.yaml").write_text("circuit_breaker: {failure_threshold: 7}")
    environment = {"HOME": str(home)}
    elsewhere = tmp_path / "project" / "hook_state.json"
    assert policy_for(elsewhere, environment).failure_threshold == 7
    assert policy_for("redis://localhost/0?namespace=hooks", environment).failure_threshold == 7
    elsewhere.parent.mkdir()
    (elsewhere.parent / "guardrails.yaml").write_text("circuit_breaker: {cooldown_seconds: 9}")
    assert policy_for(elsewhere, environment) == Policy(cooldown=9), "those beside it hold alone"


def test_no_settings_mean_the_defaults(tmp_path: Path) -> None:
    assert policy_for(tmp_path / "hook_state.json", {}) == Policy()
    (tmp_path / "guardrails.yaml").mkdir()
    assert settings(tmp_path / "guardrails.yaml") is None


@pytest.mark.parametrize(
    ("text", "environment", "expected"),
    [
        ("", {}, "home/.claude/hook_state.json"),
        ("state_file: ~/elsewhere.json", {}, "home/elsewhere.json"),
        ("state_file: /var/state.json", {}, "/var/state.json"),
        ("state_file: [1]", {}, "home/.claude/hook_state.json"),
        ("state_file: /var/state.json", {"GUARDRAILS_STATE_FILE": "/run/state.json"}, "/run/state.json"),
    ],
)
def test_the_hook_state_is_where_its_tool_keeps_it(
    tmp_path: Path, text: str, environment: dict[str, str], expected: str
) -> None:
    home = tmp_path / "home"
    (home / ".claude").mkdir(parents=True)
    beside(home / ".claude", text)
    assert hook_state_file(home, environment) == tmp_path / expected
