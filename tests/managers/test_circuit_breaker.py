"""CircuitBreaker, as a program uses it in front of its hooks."""

import logging
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from statewatch import (
    CircuitBreaker,
    CircuitBreakerDecision,
    CircuitBreakerResult,
    CircuitState,
    GuardrailsConfig,
    HookStateManager,
)

NOON = 1_794_830_400.0


class Clock:
    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def config(tmp_path: Path) -> GuardrailsConfig:
    config = GuardrailsConfig()
    config.logging.file = str(tmp_path / "logs" / "circuit_breaker.log")
    return config


@pytest.fixture
def manager(tmp_path: Path, clock: Clock) -> HookStateManager:
    return HookStateManager(tmp_path / "hook_state.json", clock=clock)


@pytest.fixture
def breaker(manager: HookStateManager, config: GuardrailsConfig) -> CircuitBreaker:
    return CircuitBreaker(manager, config)


def opened(breaker: CircuitBreaker, hook: str = "lint") -> CircuitBreaker:
    for _ in range(3):
        assert breaker.should_execute(hook).decision == CircuitBreakerDecision.EXECUTE
        breaker.record_failure(hook, "boom")
    return breaker


def test_a_hook_that_keeps_failing_is_skipped_tested_and_taken_back(breaker: CircuitBreaker, clock: Clock) -> None:
    opened(breaker)
    assert breaker.should_execute("lint") == CircuitBreakerResult(
        CircuitBreakerDecision.SKIP, CircuitState.OPEN, "Circuit open, hook disabled, tested in 5:00", False
    )
    clock.now += 300
    for _ in range(2):
        result = breaker.should_execute("lint")
        assert (result.decision, result.state, result.should_execute, result.is_testing) == (
            "execute_test",
            "half_open",
            True,
            True,
        )
        breaker.record_success("lint")
    assert breaker.should_execute("lint").message == "Circuit closed, executing normally"


def test_the_cool_down_of_the_configuration_of_now_holds_for_what_is_open_already(
    breaker: CircuitBreaker, clock: Clock
) -> None:
    opened(breaker)
    clock.now += 20
    assert not breaker.should_execute("lint").should_execute
    breaker.config.circuit_breaker.cooldown_seconds = 20
    assert breaker.should_execute("lint").is_testing


def test_a_hook_that_is_excluded_always_runs_and_is_counted(breaker: CircuitBreaker) -> None:
    breaker.config.circuit_breaker.exclude = ["lint"]
    for _ in range(5):
        assert breaker.should_execute("pre-lint.py").decision == "execute"
        breaker.record_failure("pre-lint.py", "boom")
    assert breaker.state_manager.get_hook_state("pre-lint.py").failure_count == 5


def test_a_hook_with_settings_of_its_own_is_judged_by_them(breaker: CircuitBreaker) -> None:
    breaker.config.circuit_breaker.hooks = {"slow": {"failure_threshold": 1, "cooldown_seconds": 7}}
    breaker.record_failure("slow", "boom")
    assert breaker.should_execute("slow").message.endswith("tested in 0:07")
    breaker.record_failure("other", "boom")
    assert breaker.should_execute("other").should_execute


def test_a_breaker_that_is_switched_off_runs_everything(breaker: CircuitBreaker) -> None:
    opened(breaker)
    breaker.config.circuit_breaker.enabled = False
    assert breaker.should_execute("lint").should_execute


def test_threads_that_share_a_breaker_test_as_often_as_is_allowed_and_give_their_leases_back(
    breaker: CircuitBreaker, clock: Clock
) -> None:
    breaker.config.circuit_breaker.max_probes = 2
    breaker.config.circuit_breaker.success_threshold = 10
    opened(breaker)
    clock.now += 300
    for _ in range(3):
        with ThreadPoolExecutor(8) as threads:
            results = list(threads.map(breaker.should_execute, ["lint"] * 8))
        assert sum(result.is_testing for result in results) == 2
        for _ in range(2):
            breaker.record_success("lint")


def test_what_it_does_is_in_the_log_a_line_each_and_harmless(breaker: CircuitBreaker, config: GuardrailsConfig) -> None:
    opened(breaker, "lint\x1b[2J")
    breaker.record_failure("lint\x1b[2J", "boom\n\x1b]0;evil\x07")
    CircuitBreaker(breaker.state_manager, config).should_execute("lint\x1b[2J")
    lines = config.get_log_file_path().read_text().splitlines()
    assert [line.split(" | ", 1)[1] for line in lines] == [
        "WARNING | lint␛[2J | Circuit opened after 3 failures. Hook disabled for 300s. Last error: boom",
        "INFO | lint␛[2J | Circuit open, hook disabled, tested in 5:00",
    ]


def test_a_logger_of_the_caller_gets_the_lines_with_the_hook(
    manager: HookStateManager, config: GuardrailsConfig, caplog: pytest.LogCaptureFixture
) -> None:
    logger = logging.getLogger("mine")
    breaker = CircuitBreaker(manager, config, logger)
    with caplog.at_level(logging.DEBUG, "mine"):
        breaker.should_execute("lint")
        breaker.record_success("lint")
    assert [(record.getMessage(), record.__dict__["hook_cmd"]) for record in caplog.records] == [
        ("Circuit closed, executing normally", "lint"),
        ("Success recorded (consecutive: 1)", "lint"),
    ]
    assert not config.get_log_file_path().parent.exists()


def test_a_log_that_cannot_be_written_stops_nothing(breaker: CircuitBreaker, config: GuardrailsConfig) -> None:
    config.get_log_file_path().parent.write_text("a file where the directory should be")
    assert opened(breaker).should_execute("lint").decision == "skip"
