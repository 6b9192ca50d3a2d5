"""What an action of the dashboard is, to everything that is made from it."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

Scope: TypeAlias = Literal[
    "app",
    "view",
    "overview",
    "batches",
    "workflows",
    "hooks",
    "checkpoints",
    "state",
    "changes",
    "table",
    "pane",
    "diff",
    "picks",
    "text",
    "confirm",
    "prompt",
    "choice",
    "form",
    "events",
    "filter",
    "travel",
    "blame",
]


@dataclass(frozen=True, slots=True)
class Command:
    """One action. `id` names it for key maps; `writes` puts it behind the read-only guard; `shown` in the key bar.

    One with `priority` works in front of questions and text inputs too. While the past is viewed, what writes is off
    but for what is meant for that: `in_past`. What writes `asks` before it does.
    """

    id: str
    keys: str
    action: str
    label: str
    help: str
    scopes: tuple[Scope, ...]
    writes: bool = False
    shown: bool = False
    key_display: str | None = None
    in_palette: bool = True
    priority: bool = False
    in_past: bool = False
    asks: bool = True

    def refusal(self, *, read_only: bool, past: bool) -> str:
        """Return why it does nothing now, and what to do about it; an empty text where it works."""
        if self.writes and read_only:
            return "Read-only: started with --read-only, so nothing can be changed here."
        if self.writes and past and not self.in_past:
            return "You are viewing the past: esc goes back to now, R restores what is chosen to this moment."
        return ""
