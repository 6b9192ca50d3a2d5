"""The configuration of circuit breakers: what it may say, and how it is told what is wrong with it."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from statewatch import CircuitBreakerConfig, ConfigError, load_config
from statewatch.core.policy import policy_for
from statewatch.kinds.policy import Policy

FULL = """
circuit_breaker:
  enabled: true
  failure_threshold: 5
  cooldown_seconds: 60
  success_threshold: 1
  exclude: [damage-control]
  max_probes: 2
  backoff: 1.5
  hooks:
    slow-hook: {failure_threshold: 9, probe_lease_seconds: 600}
logging:
  level: debug
  file: $HOME/log/cb.log
state_file: ~/state/hooks.json
"""


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    return tmp_path / "guardrails.yaml"


def written(settings: Path, text: str | bytes) -> Path:
    settings.write_bytes(text if isinstance(text, bytes) else text.encode())
    return settings


def test_without_a_file_it_is_the_defaults(settings: Path) -> None:
    config = load_config(settings)
    assert config.circuit_breaker == CircuitBreakerConfig()
    assert config.circuit_breaker.policy() == Policy()
    assert config.get_state_file_path() == Path.home() / ".claude/hook_state.json"
    assert config.get_log_file_path() == Path.home() / ".claude/logs/circuit_breaker.log"
    assert load_config(written(settings, "")) == config


def test_the_file_of_the_home_is_read_and_all_of_it_is_typed(settings: Path) -> None:
    default = Path.home() / ".claude" / "guardrails.yaml"
    default.parent.mkdir()
    config = load_config(written(default, FULL))
    assert config == load_config()
    breaker = config.circuit_breaker
    assert (breaker.failure_threshold, breaker.cooldown_seconds, breaker.exclude) == (5, 60, ["damage-control"])
    assert breaker.hooks == {"slow-hook": {"failure_threshold": 9, "probe_lease_seconds": 600}}
    assert config.logging.level == "DEBUG"
    assert config.get_log_file_path() == Path.home() / "log/cb.log"
    assert config.get_state_file_path() == Path.home() / "state/hooks.json"
    assert breaker.policy() == policy_for(Path.home() / ".claude" / "hook_state.json")
    assert breaker.policy().of("slow-hook").failure_threshold == 9


def test_variables_of_the_environment_come_before_the_file(settings: Path) -> None:
    environment = {
        "GUARDRAILS_CIRCUIT_BREAKER_ENABLED": "no",
        "GUARDRAILS_CIRCUIT_BREAKER_COOLDOWN_SECONDS": "7",
        "GUARDRAILS_CIRCUIT_BREAKER_EXCLUDE": "a, b,,",
        "GUARDRAILS_LOGGING_LEVEL": "Error",
        "GUARDRAILS_LOGGING_FILE": "/var/log/cb.log",
        "GUARDRAILS_STATE_FILE": "/srv/hooks.json",
        "GUARDRAILS_OF_ANOTHER_PROGRAM": "x",
    }
    config = load_config(written(settings, FULL), environment)
    breaker = config.circuit_breaker
    assert (breaker.enabled, breaker.cooldown_seconds, breaker.exclude) == (False, 7, ["a", "b"])
    assert breaker.failure_threshold == 5
    assert config.logging.level == "ERROR"
    assert str(config.get_log_file_path()) == "/var/log/cb.log"
    assert str(config.get_state_file_path()) == "/srv/hooks.json"


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        (
            "circuit_breaker: {failure_treshold: 3}",
            "circuit_breaker.failure_treshold: there is no such key. Did you mean failure_threshold?",
        ),
        ("circut_breaker: {}", "circut_breaker: there is no such key. Did you mean circuit_breaker?"),
        ("q9: 1", "q9: there is no such key. The keys are state_file, circuit_breaker, logging."),
        (
            "circuit_breaker: {failure_threshold: 0}",
            "circuit_breaker.failure_threshold: it must be a whole number from 1 to 100, and is 0.",
        ),
        ("circuit_breaker: {failure_threshold: -1}", "from 1 to 100, and is -1."),
        ("circuit_breaker: {failure_threshold: three}", "from 1 to 100, and is 'three'."),
        ("circuit_breaker: {success_threshold: 1000000000}", "from 1 to 100, and is 1000000000."),
        ("circuit_breaker: {cooldown_seconds: 86401}", "from 0 to 86400, and is 86401."),
        ("circuit_breaker: {backoff: .nan}", "circuit_breaker.backoff: it must be a number from 1 to 100, and is nan."),
        ("circuit_breaker: {enabled: perhaps}", "circuit_breaker.enabled: it must be true or false, and is 'perhaps'."),
        ("circuit_breaker: {exclude: damage}", "circuit_breaker.exclude: it must be a list of texts"),
        ("circuit_breaker: [1]", "circuit_breaker: it must be a mapping of keys and values, and is a list."),
        ("circuit_breaker: {hooks: {h: {threshold: 3}}}", "circuit_breaker.hooks.h.threshold: there is no such key."),
        ("circuit_breaker: {hooks: {h: {max_probes: 0}}}", "circuit_breaker.hooks.h.max_probes: it must be"),
        ("logging: {level: LOUD}", "logging.level: it must be one of DEBUG, INFO, WARNING, ERROR, CRITICAL"),
        ("logging: {format: '%(nonsense'}", "logging.format: it is no format of the logging module"),
        ("state_file: 3", "state_file: it must be a text, and is 3."),
        ("- 1", "it must be a mapping of keys and values, and is a list."),
        ("a: [1", "not YAML at line "),
        ("a: !!int ''", "not YAML"),
        (b"a: \xff", "not YAML"),
        ('"\\e[2Jx": 1', "␛[2Jx: there is no such key"),
    ],
)
def test_what_is_wrong_is_told_with_the_file_the_key_and_what_would_be_right(
    text: str | bytes, wrong: str, settings: Path
) -> None:
    with pytest.raises(ConfigError) as caught:
        load_config(written(settings, text))
    assert str(caught.value).startswith(f"{settings}: ")
    assert wrong in str(caught.value)
    assert isinstance(caught.value, ValueError)


@pytest.mark.parametrize(
    ("environment", "wrong"),
    [
        (
            {"GUARDRAILS_CIRCUIT_BREAKER_COOLDOWN": "3"},
            "GUARDRAILS_CIRCUIT_BREAKER_COOLDOWN: there is no such key. Did you mean cooldown_seconds?",
        ),
        (
            {"GUARDRAILS_CIRCUIT_BREAKER_MAX_PROBES": "many"},
            "GUARDRAILS_CIRCUIT_BREAKER_MAX_PROBES: it must be a whole number from 1 to 100, and is 'many'.",
        ),
    ],
)
def test_what_is_wrong_with_a_variable_is_told_with_its_name(
    environment: Mapping[str, str], wrong: str, settings: Path
) -> None:
    with pytest.raises(ConfigError) as caught:
        load_config(settings, environment)
    assert str(caught.value) == wrong


def test_numbers_as_texts_are_taken_as_the_numbers_they_are(settings: Path) -> None:
    config = load_config(written(settings, 'circuit_breaker: {failure_threshold: "3", backoff: "1.5", enabled: "on"}'))
    assert (config.circuit_breaker.failure_threshold, config.circuit_breaker.backoff) == (3, 1.5)
    assert config.circuit_breaker.enabled is True
