"""Travelling in time on the dashboard: the keys' effects, playing, bookmarks, and the two actions that work there."""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from statewatch.core.address import Address
from statewatch.core.errors import NotFoundError, StatewatchError
from statewatch.documents.text import harmless
from statewatch.documents.values import JSON
from statewatch.tui import travel
from statewatch.tui.archive import Archive
from statewatch.tui.models import travel as told
from statewatch.tui.travel import Journey
from statewatch.tui.widgets.table_model import Cell

if TYPE_CHECKING:
    from textual.timer import Timer

    from statewatch.tui.app import StatewatchApp
    from statewatch.watch.history.model import Entry

FRAME = 0.1
"""Seconds between two pictures while playing."""

_FRESH = 2.0
"""Seconds for which the list of what was recorded is not asked for again."""

_LONGEST_NAME = 80
_MOVES: Final[Mapping[str, Callable[[Journey, int], Journey]]] = {
    "home": lambda here, _by: travel.at_the_beginning(here),
    "step": travel.stepped,
    "minute": lambda here, by: travel.shifted(here, by * 60.0),
    "hour": lambda here, by: travel.shifted(here, by * 3_600.0),
    "bookmark": travel.to_bookmark,
}
_LOOKS: Final[Mapping[str, Callable[[Journey, int], Journey]]] = {
    "speed": travel.faster,
    "wide": lambda here, _by: travel.widened(here),
}

NOT_KEPT = (
    "No history is kept here, so there is no past to view: statewatch was started with --no-history. "
    "Start it without that, or with --history PATH."
)
_NOTHING = (
    "Nothing has been recorded of these sources yet. The dashboard records every change from its start on; "
    "`statewatch record` does so without a dashboard."
)


class Travelling:
    """The journey of a dashboard, while there is one."""

    def __init__(self, app: "StatewatchApp") -> None:
        """Travel in *app*."""
        self._app = app
        self._timer: Timer | None = None
        self._played = 0.0
        self._asked = 0.0
        self._beginning = False

    @property
    def here(self) -> Journey | None:
        """Where the operator is, None in the present."""
        return self._app.here

    async def begin(self, at: float | None = None) -> None:
        """Stop the clock, at the instant *at* or now."""
        if self.here is not None or self._beginning:
            return
        self._beginning = True
        try:
            entries = await self._entries()
        finally:
            self._beginning = False
        if entries is None:
            return
        journey = travel.begun(entries, self._app.clock())
        if journey is None:
            self._app.explain("No past to view", _NOTHING)
            return
        self._show(journey if at is None else travel.moved_to(journey, at))
        self._app.main.entered_or_left_past()

    def leave(self) -> None:
        """Go back to now."""
        if self.here is None:
            return
        self._stop()
        self._app.here = None
        if self._archive is not None:
            self._archive.forget()
        self._app.main.entered_or_left_past()

    def press(self, verb: str, by: int) -> None:
        """Do what a key asks for; *by* says how far and in which direction."""
        here = self.here
        if here is None:
            return
        if verb in _MOVES:
            self._go(_MOVES[verb](here, by), _at_the_end(verb, by))
        elif verb in _LOOKS:
            self._show(_LOOKS[verb](here, by))
        elif verb == "source":
            self._step_source(here, by)
        elif verb == "play":
            self._play(travel.started(here))
        else:
            self.leave()

    def point(self, x: int, width: int) -> None:
        """Go to the moment at column *x* of the scrubber, which is as wide as that."""
        at = told.pointed(self.here, x, width) if self.here is not None else None
        if self.here is not None and at is not None:
            self._stop()
            self._show(travel.moved_to(self.here, at))

    def shown(self, now: float, width: int) -> tuple[Cell, str]:
        """Return the scrubber, and what the top line says of the moment."""
        assert self.here is not None
        return told.scrubber(self.here, width), told.viewing(self.here, now)

    def come_back(self) -> None:
        """Take up what was recorded meanwhile, now and then."""
        here = self.here
        if here is not None and time.monotonic() - self._asked > _FRESH:
            self._app.run_worker(self._refreshed(), group="travel", exclusive=True)

    async def bookmark(self) -> None:
        """Give what was seen last a name, or take the name away that it has."""
        entry = self._entry_here()
        if entry is None:
            return
        from statewatch.tui.acting import Typed  # noqa: PLC0415 - only when one is made
        from statewatch.tui.screens.prompt import PromptScreen  # noqa: PLC0415

        question = f"Bookmark {self._when(entry)}: the change of {self._label(entry.source)}. Its name?"
        hint = f"instead of {harmless(entry.bookmark, 40)}; empty takes it away" if entry.bookmark else "a short name"
        check = partial(_name_fault, had=entry.bookmark)
        name = await self._app.push_screen_wait(PromptScreen(Typed(question, hint, check)))
        if name is not None and self._archive is not None and await self._done(partial(self._name, entry, name)):
            said = f"Bookmarked as {harmless(name, 60)}: it is kept for good." if name else "Bookmark taken away."
            self._app.tell(said)
            await self._refreshed()

    def _name(self, entry: "Entry", name: str) -> None:
        assert self._archive is not None
        if name:
            self._archive.bookmark(entry, name)
        elif entry.bookmark:
            self._archive.unbookmark(entry.bookmark)

    async def restore(self, source: str | None) -> None:
        """Bring the chosen source back to what it was at this moment, after asking."""
        entry = self._revision(source)
        archive = self._archive
        if entry is None or archive is None:
            return
        from statewatch.core.stores.urls import open_store  # noqa: PLC0415 - only who acts pays for it
        from statewatch.watch.kept import store_of  # noqa: PLC0415

        live = self._app.picture.source(entry.source)
        store = open_store(Path(entry.source)) if live is None else store_of(live)
        make = partial(archive.restore_action, entry, store, f"@{self._when(entry)}")
        await self._app.operations.perform("travel.restore", lambda: [make()], safe=True)

    def diff(self, source: str | None) -> None:
        """Show what differs between this moment and now in the chosen source."""
        entry = self._revision(source)
        archive = self._archive
        if entry is None or archive is None:
            return
        from statewatch.tui.models.comparison import Comparison, Side  # noqa: PLC0415 - only who compares pays for it
        from statewatch.tui.screens.diff import DiffScreen  # noqa: PLC0415

        live = self._app.picture.source(entry.source)
        kind = "plain" if live is None else live.kind
        when = f"@{self._when(entry)}"
        address = str(Address(entry.source, told.address_time(entry.seen_at)))
        before = Side(when, partial(archive.document, entry), entry.seen_at, address)
        after = Side("now", partial(self._document_now, entry.source), is_now=True)
        comparison = Comparison(entry.source, self._label(entry.source), kind, before, after)
        self._app.push_screen(DiffScreen((comparison,), 0, self._app.clock))

    def _document_now(self, key: str) -> JSON:
        source = self._app.picture.source(key)
        if source is None or source.revision is None or (source.problem is not None and source.problem.gone):
            raise NotFoundError(f"{self._label(key)}: it is not there now; R brings it back as it was then")
        return source.revision.document

    # --- how

    @property
    def _archive(self) -> Archive | None:
        return self._app.archive

    def _revision(self, source: str | None) -> "Entry | None":
        """Return the revision of a source at this moment; say why where there is none."""
        if self.here is None:
            return None
        if source is None:
            self._app.tell("Choose what it is about first: there is no source here.", "warning")
            return None
        entry = self.here.log.revision(source, self.here.at)
        if entry is None:
            self._app.tell(f"{self._label(source)} had not been recorded yet at this moment.", "warning")
        return entry

    def _entry_here(self) -> "Entry | None":
        """Return the revision that made this moment what it is."""
        if self.here is None:
            return None
        place = self.here.place()
        return self.here.log.seen_at(self.here.log.instants[place - 1])[-1] if place else None

    def _step_source(self, here: Journey, by: int) -> None:
        source = self._app.main.view.source_key()
        if source is None:
            self._app.tell("Choose what it is about first: there is no source here.", "warning")
        else:
            self._go(travel.stepped(here, by, source), _last_change(by, f"change of {self._label(source)}"))

    def _go(self, there: Journey, otherwise: str) -> None:
        self._stop()
        here = self.here
        if here is not None and there.at == here.at:
            self._app.tell(otherwise)
        self._show(replace(there, playing=False))

    def _show(self, here: Journey) -> None:
        self._app.here = here
        self._app.main.travelled()

    def _play(self, here: Journey) -> None:
        self._stop()
        self._show(here)
        if here.playing:
            self._played = time.monotonic()
            self._timer = self._app.set_interval(FRAME, self._frame)

    def _frame(self) -> None:
        now = time.monotonic()
        seconds, self._played = now - self._played, now
        if self.here is not None and self._app.main.is_in_sight:  # what nobody sees need not pass
            here = travel.played(self.here, seconds)
            if not here.playing:
                self._stop()
            self._show(here)

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.stop()
            self._timer = None

    async def _refreshed(self) -> None:
        entries = await self._entries()
        if entries and self.here is not None:
            self._show(travel.brought_up(self.here, entries, self._app.clock()))

    async def _entries(self) -> "tuple[Entry, ...] | None":
        """Return what was recorded, None where that cannot be had, which is told."""
        self._asked = time.monotonic()
        archive = self._archive
        if archive is None:
            self._app.explain("No past to view", NOT_KEPT)
            return None
        try:
            return await asyncio.to_thread(archive.entries)
        except StatewatchError as error:
            missing = getattr(error, "missing", False)
            self._app.explain("No past to view", _NOTHING if missing else str(error))
            return None

    async def _done(self, what: Callable[[], None]) -> bool:
        try:
            await asyncio.to_thread(what)
        except StatewatchError as error:
            self._app.explain("Not done", str(error))
            return False
        return True

    def _when(self, entry: "Entry") -> str:
        return told.moment(entry.seen_at, self._app.clock())

    def _label(self, source: str) -> str:
        known = self._app.picture.source(source)
        return known.label if known is not None else harmless(source)


def _at_the_end(verb: str, by: int) -> str:
    """Return what to say where there is no way to go."""
    if verb == "bookmark":
        return f"There is no bookmark {'after' if by > 0 else 'before'} this moment; B makes one."
    if verb == "step":
        return _last_change(by, "change")
    return "This is when the clock was stopped; end goes back to now." if by > 0 else "The history begins here."


def _last_change(by: int, what: str) -> str:
    return f"This is the {'newest' if by > 0 else 'oldest'} {what} that was recorded."


def _name_fault(name: str, had: str) -> str:
    if not name and not had:
        return "A bookmark needs a name."
    if len(name) > _LONGEST_NAME or name != harmless(name):
        return f"At most {_LONGEST_NAME} characters that can be seen."
    return ""
