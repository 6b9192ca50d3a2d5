"""What views share from which things are done to rows: one door for all of it, with the guard in front."""

from collections.abc import Callable

from statewatch.tui.registry import command
from statewatch.tui.views.base import View


class AskingView(View, inherit_bindings=False):
    """A view with commands called `VIEW.verb`; their own keys come first in the bar."""

    def verbs(self) -> dict[str, Callable[[], None]]:
        """Return what the view does for each verb."""
        return {}

    def action_ask(self, verb: str) -> None:
        """Do what a verb says, unless nothing may be written now: that is said before anything is asked."""
        if refusal := self.dashboard.refusal(command(f"{self.NAME}.{verb}")):
            self.warn(refusal)
        else:
            self.verbs()[verb]()

    def warn(self, text: str) -> None:
        """Say why something is not done; the text is harmless already."""
        self.notify(text, severity="warning", markup=False)
