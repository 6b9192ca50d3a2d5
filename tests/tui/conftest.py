"""What the tests of the dashboard share: times in UTC, and the demo at a fixed moment."""

import os
import time
from collections.abc import Iterator

import pytest
from textual import _wait

from tests.still import demo_feed, utc
from tests.tui.dash import Still


@pytest.fixture(autouse=True)
def _utc() -> Iterator[None]:
    """Show times of day in UTC."""
    before = os.environ.get("TZ")
    utc()
    yield
    if before is None:
        del os.environ["TZ"]
    else:
        os.environ["TZ"] = before
    time.tzset()


@pytest.fixture(autouse=True)
def _no_preferences(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nothing of the developer's terminal decide on colours."""
    for variable in ("NO_COLOR", "COLORTERM", "TEXTUAL_THEME"):
        monkeypatch.delenv(variable, raising=False)


@pytest.fixture
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look more often whether an app has become idle: that is most of what tests that type wait for."""
    monkeypatch.setattr(_wait, "SLEEP_GRANULARITY", 0.005)
    monkeypatch.setattr(_wait, "SLEEP_IDLE", 0.000_5)


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Still:
    """Return what the demo's tools have written by a fixed moment: it costs a second, so it is made once."""
    feed, now = demo_feed(tmp_path_factory.mktemp("demo"))
    return Still(feed.picture, now, feed.recall)
