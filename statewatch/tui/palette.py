"""The palette: every action of the registry and every source."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from textual.command import DiscoveryHit, Hit, Hits, Provider
from textual.content import Content
from textual.screen import Screen

from statewatch.tui.models.build import VIEW_OF_KIND
from statewatch.tui.registry import COMMANDS, VIEWS, Command

if TYPE_CHECKING:
    from statewatch.tui.app import StatewatchApp

_VIEW_OF_SCOPE = {name: name for _, name, _ in VIEWS}


class Palette(Provider):
    """Finds actions by what they say they do, and sources by name."""

    async def discover(self) -> Hits:
        """Offer everything while nothing is typed."""
        for title, help_text, run in self._entries():
            yield DiscoveryHit(Content(title), run, text=title, help=help_text)

    async def search(self, query: str) -> Hits:
        """Offer what matches *query*."""
        matcher = self.matcher(query)
        for title, help_text, run in self._entries():
            if (score := matcher.match(title)) > 0:
                found = Content(title) if "[" in title else matcher.highlight(title)  # it takes brackets for markup
                yield Hit(score, found, run, text=title, help=help_text)

    @property
    def _dashboard(self) -> "StatewatchApp":
        return cast("StatewatchApp", self.app)

    def _entries(self) -> Iterator[tuple[str, str, Callable[[], Awaitable[None]]]]:
        for command in COMMANDS:
            if command.in_palette and self._reachable(command):
                yield command.label, command.help, partial(self._run, command)
        for source in self._dashboard.picture.sources:
            view = VIEW_OF_KIND.get(source.kind, "state")
            yield f"source {source.label}", f"Go to this {source.kind} source", partial(self._go, view, source.key)

    def _reachable(self, command: Command) -> bool:
        return bool({"app", "view", *_VIEW_OF_SCOPE}.intersection(command.scopes)) or self._active(command) is not None

    def _active(self, command: Command, screen: Screen[Any] | None = None) -> str | None:
        """Return the key of a command that works on the screen below the palette, or on another one."""
        bindings = (screen or self.screen).active_bindings.values()
        return next((each.binding.key for each in bindings if each.binding.id == command.id), None)

    async def _run(self, command: Command) -> None:
        """Press the key of the action, after going to the view in which it works."""
        if self._active(command) is None:
            here = self._dashboard.main.view.NAME
            await self._dashboard.action_go(_VIEW_OF_SCOPE.get(command.scopes[-1], here))
            await asyncio.to_thread(self._dashboard.presenter.wait, 1)  # until there are rows to act on
        self.app.call_later(self._press, command)

    def _press(self, command: Command) -> None:
        if (key := self._active(command, self.app.screen)) is not None:
            self.app.simulate_key(key)

    async def _go(self, view: str, key: str) -> None:
        await self._dashboard.action_go(view, key)
