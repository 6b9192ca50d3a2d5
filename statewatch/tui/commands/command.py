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
    "text",
    "confirm",
    "filter",
]


@dataclass(frozen=True, slots=True)
class Command:
    """One action. `id` names it for key maps; `writes` puts it behind the read-only guard; `shown` in the key bar.

    One with `priority` works in front of questions and text inputs too.
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
