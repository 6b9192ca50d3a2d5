"""Which run in phases a command means: by its id or the beginning of that, or by file."""

import os
from collections.abc import Collection

from statewatch.cli.arguments import file_of, picture_of
from statewatch.cli.errors import MistakeError
from statewatch.core.errors import NotFoundError, SourceError
from statewatch.kinds.workflow import WorkflowView
from statewatch.watch.picture import Source

_MOST_NAMED = 5


def chosen(which: str, kinds: Collection[str] = ()) -> tuple[Source, WorkflowView, float]:
    """Return the run that is meant, of some *kinds* or of any, and when it was looked at.

    Raises NotFoundError where there is none, MistakeError where there are several, SourceError for a file that cannot
    be read.
    """
    path = file_of(which)
    is_path = os.path.lexists(path) or "/" in path or path.endswith(".json")
    picture = picture_of((path,) if is_path else ())
    known = [(each, each.view) for each in picture.sources if isinstance(each.view, WorkflowView)]
    found = [each for each in known if not kinds or each[0].kind in kinds]
    if is_path:
        broken = next((each for each in picture.sources if each.problem is not None), None)
        if not found and broken is not None and broken.problem is not None:
            raise SourceError(broken.key, broken.problem.reason)
        if not known and picture.sources:
            raise NotFoundError(f"{path}: it is of the kind {picture.sources[0].kind}, not a run in phases")
    else:
        found = [each for each in found if each[1].workflow_id == path] or [
            each for each in found if each[1].workflow_id.startswith(path)
        ]
    if not found:
        raise NotFoundError(_none(which, kinds, [view.workflow_id for _, view in known]))
    if len(found) > 1:
        names = "; ".join(f"{source.kind} {view.workflow_id} in {source.key}" for source, view in found[:_MOST_NAMED])
        raise MistakeError(f"{which!r} may be any of {len(found)} runs, name one by its file: {names}")
    return (*found[0], picture.at)


def _none(which: str, kinds: Collection[str], ids: list[str]) -> str:
    import difflib  # noqa: PLC0415 - only for a message

    if which in ids:
        return f"{which!r} is a run, but this can be done to a {' or a '.join(kinds)} only"
    near = difflib.get_close_matches(which, ids, n=3, cutoff=0.4) or ids[:_MOST_NAMED]
    return f"there is no run {which!r}" + (f"; there is {', '.join(near)}" if near else " and no other one")
