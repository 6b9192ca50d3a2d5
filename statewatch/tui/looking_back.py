"""At the start: finding out what changed since somebody looked last, while the screen already shows what is there."""

import asyncio
from typing import TYPE_CHECKING

from statewatch.core.errors import StatewatchError

if TYPE_CHECKING:
    from statewatch.tui.app import StatewatchApp


async def look_back(app: "StatewatchApp") -> None:
    """Show on the Overview what changed since the last look; nothing where nothing did, or nothing is known."""
    archive = app.archive
    if archive is None:
        return
    try:
        since = await asyncio.to_thread(archive.changes_since_last_look, app.picture)
    except StatewatchError:
        return  # who records, or travels, will tell what is wrong with the history
    if since is not None and app.is_running:
        app.since = since
        await app.main.looked_back()
