"""The least that a Textual program can be: what the dashboard is compared with."""

from textual.app import App, ComposeResult
from textual.widgets import Static


class Bare(App[None]):
    """Says hello."""

    def compose(self) -> ComposeResult:
        """Make the one widget."""
        yield Static("hello")


if __name__ == "__main__":
    Bare().run()
