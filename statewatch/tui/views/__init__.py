"""The views: each shows finished rows and says what may be done with the chosen ones."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from statewatch.tui.views.base import View

_PLACES = {
    "overview": ("overview", "OverviewView"),
    "batches": ("batches", "BatchesView"),
    "workflows": ("workflows", "WorkflowsView"),
    "hooks": ("hooks", "HooksView"),
    "checkpoints": ("checkpoints", "CheckpointsView"),
    "state": ("state", "StateView"),
    "changes": ("simple", "ChangesView"),
}


def make_view(name: str) -> "View":
    """Make the view of that name. Its module is imported now and not before: most are not looked at."""
    module, cls = _PLACES[name]
    view: View = getattr(import_module(f"{__name__}.{module}"), cls)()
    return view
