"""Opening what compares two moments of a source, and what tells when a value changed."""

from functools import partial
from typing import TYPE_CHECKING

from statewatch.documents.values import JSON
from statewatch.tui.acting import BlameAsked
from statewatch.tui.models.comparison import revisions_of
from statewatch.tui.models.since import comparison
from statewatch.tui.screens.blame import BlameScreen
from statewatch.tui.screens.diff import DiffScreen
from statewatch.tui.travelling import NOT_KEPT
from statewatch.tui.views.base import View
from statewatch.watch.picture import ChangeLine

if TYPE_CHECKING:
    from statewatch.tui.app import StatewatchApp


def compare(app: "StatewatchApp", event: View.Diffed) -> None:
    """Show what changed last in a source or in one change of it; in the past, what differs between then and now."""
    if app.here is not None:
        app.travelling.diff(event.source)
        return
    picture = app.picture if app.since is None else app.since.added_to(app.picture)
    found = revisions_of(picture, event.source, event.means, partial(_recalled, app, event.source))
    if not found.comparisons:
        app.tell("No change of it has been seen since the start.")
        return
    if not found.exact:
        app.tell("No change of it has been seen since the start; this is the last one of its file.")
    app.push_screen(DiffScreen(found.comparisons, found.start, app.clock))


def compare_since(app: "StatewatchApp", line: ChangeLine) -> None:
    """Show what differs in a source between the last look and now."""
    if app.since is not None:
        app.push_screen(DiffScreen((comparison(app.since, line, partial(_recalled, app)),), 0, app.clock))


def blame(app: "StatewatchApp", event: BlameAsked) -> None:
    """Show when a value changed, from what to what."""
    if app.archive is None:
        app.explain("Not known", NOT_KEPT)
        return
    until = None if app.here is None else app.here.at
    source = app.picture.source(event.source)
    kind = "" if source is None else source.kind
    app.push_screen(BlameScreen(app.archive, event.source, event.label, event.path, app.clock, until, kind))


def _recalled(app: "StatewatchApp", source: str, digest: str) -> JSON:
    """Return the document of a revision: from what was seen, else from the history."""
    document = app.feed.recall(digest)
    return app.archive.recall(source, digest) if document is None and app.archive is not None else document
