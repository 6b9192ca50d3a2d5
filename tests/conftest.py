"""Every test has a home of its own, and Hypothesis looks for the same examples on every machine."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile(
    "statewatch",
    deadline=None,
    derandomize=True,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
settings.load_profile("statewatch")


@pytest.fixture(autouse=True)
def _home_of_its_own(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep tests, and the processes they start, away from the developer's home and settings."""
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("HOME", str(home))
    for variable, folder in (
        ("XDG_CONFIG_HOME", ".config"),
        ("XDG_DATA_HOME", ".local/share"),
        ("XDG_STATE_HOME", ".local/state"),
        ("XDG_CACHE_HOME", ".cache"),
    ):
        monkeypatch.setenv(variable, str(home / folder))
    monkeypatch.setenv("STATEWATCH_STATE_DIR", str(home / "statewatch"))
    for variable in os.environ:
        if variable.startswith("GUARDRAILS_"):
            monkeypatch.delenv(variable)


@pytest.fixture
def state_directory() -> Path:
    """Return where this test's audit log and safety copies go."""
    return Path(os.environ["STATEWATCH_STATE_DIR"])
