"""The places in which a hook state can be."""

from pathlib import Path

import pytest

PLACES = ("file", "json", "sqlite", "redis", "postgres")


@pytest.fixture(params=PLACES)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Return the path or URL of a hook state that nobody has used yet."""
    if request.param == "file":
        return str(tmp_path / "claude" / "hook_state.json")
    if request.param in ("json", "sqlite"):
        return f"{request.param}:{tmp_path}/state?namespace=hooks"
    url = str(request.getfixturevalue(f"{request.param}_url"))
    return f"{url}{'&' if '?' in url else '?'}namespace=hooks"
