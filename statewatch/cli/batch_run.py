"""`batch run`: a command for every item of a batch."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from statewatch.cli import output
from statewatch.cli.batch_choice import chosen
from statewatch.cli.errors import MistakeError
from statewatch.core.errors import NotFoundError
from statewatch.documents.text import harmless
from statewatch.kinds.batch import FAILED, PENDING, BatchView
from statewatch.kinds.batch_reading import title_of
from statewatch.kinds.times import duration

if TYPE_CHECKING:
    from statewatch.core.batch_work import BatchWork
    from statewatch.managers.batch_run import Result

_MOST = 1_000


class _Seconds(click.ParamType):  # type: ignore[type-arg]
    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Take a number of seconds, or a duration such as `90s` or `1h 30m`."""
        try:
            seconds = float(value) if str(value).replace(".", "", 1).isdigit() else float(duration(str(value)))
        except ValueError as error:
            self.fail(str(error), param, ctx)
        return seconds


@click.command(short_help="Run a command for every item.", context_settings={"ignore_unknown_options": False})
@click.argument("which", metavar="ID|PATH")
@click.option("--resume", is_flag=True, help="Go on with a batch that has been begun.")
@click.option("--parallel", "-P", type=click.IntRange(1, _MOST), default=1, metavar="N", help="So many at once.")
@click.option("--retries", type=click.IntRange(0, 1_000), default=0, metavar="N", help="Try a failing one again.")
@click.option("--timeout", type=_Seconds(), metavar="DURATION", help="End one that takes longer: it has failed.")
@click.option("--backoff", type=_Seconds(), default=1.0, metavar="DURATION", help="Pause before another try; doubled.")
@click.option("--retry-failed", is_flag=True, help="With --resume: do again what failed.")
@click.option("--retry-interrupted", is_flag=True, help="With --resume: do again what a killed run was at work on.")
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
@click.argument("words", nargs=-1, required=True, metavar="-- COMMAND [{item}]...")
def run(which: str, words: tuple[str, ...], *, resume: bool, as_json: bool, **options: Any) -> int:
    """Run a command for every item of a batch, and record how each ends.

    {item} in the command is the text of the item and {index} its number; where neither stands, the item is the last
    argument. No shell is in between: for one write `-- sh -c 'convert "$1" ...' sh {item}`. Commands read nothing; what
    they write is passed on, and the end of their errors is recorded. They also find STATEWATCH_ITEM,
    STATEWATCH_ITEM_INDEX, STATEWATCH_TRY and STATEWATCH_BATCH in their environment.

    The state is in the file at once, where the dashboard and `batch show` see it; `batch pause` holds the run. Several
    runs may share a batch: no item is taken twice. Ctrl-C ends the commands; after that, or a crash, --resume goes on
    with the next item that has not ended, and what was at work is marked as interrupted, not done again unasked.

    \b
    Examples:
      statewatch batch run pictures -P 8 -- convert {item} {item}.webp
      statewatch batch run nightly --resume --retries 3 --backoff 5s --timeout 10m -- ./build.sh {item}
      statewatch batch run nightly --resume --retry-interrupted -- ./build.sh {item}

    \b
    Exit codes: 0 all items are done or left out; 1 some failed or are left, or there is no such batch; 2 it has been
    begun and --resume is missing; 3 the file cannot be read; 4 refused, or another batch was put in its place;
    6 locked; 130 interrupted (143: told to end, 129: the terminal went away).
    """
    from statewatch.cli.batch_progress import Progress  # noqa: PLC0415 - each command loads what it uses
    from statewatch.core.batch_work import BatchWork  # noqa: PLC0415
    from statewatch.managers.batch_run import BatchRun, Manner  # noqa: PLC0415

    again = {name: options.pop(name) for name in ("retry_failed", "retry_interrupted")}
    source, view, _ = chosen(which)
    work = BatchWork(Path(source.key), view.batch_id, timeout=30)
    _refuse_nonsense(work, view, words, resume=resume, again=any(again.values()))
    if resume:
        _prepare(work, **again)
    _, view, _ = chosen(source.key)
    progress = Progress(view.total, view.processed)
    command = words if any("{item}" in word or "{index}" in word for word in words) else (*words, "{item}")
    runner = BatchRun(work, command, Manner(**options), progress, take_output=progress.takes_output)
    try:
        result = runner.run()
    finally:
        progress.close()
    return _told(source.key, result, as_json=as_json)


def _refuse_nonsense(work: "BatchWork", view: BatchView, words: tuple[str, ...], *, resume: bool, again: bool) -> None:
    import shutil  # noqa: PLC0415

    if again and not resume:
        raise click.UsageError("--retry-failed and --retry-interrupted go with --resume.")
    if "{item}" not in words[0] and shutil.which(words[0]) is None:
        raise NotFoundError(f"there is no command {words[0]!r}, so nothing was run")
    if not resume and (view.processed or work.file.at_work()):
        raise MistakeError(
            f"{view.batch_id} has been begun ({view.processed} of {view.total} items have ended). Go on with --resume."
        )


def _prepare(work: "BatchWork", *, retry_failed: bool, retry_interrupted: bool) -> None:
    """Mark what a killed run left, let items be done again where that was asked for, and take a pause back."""
    from statewatch.documents.values import JSON  # noqa: PLC0415
    from statewatch.kinds import batch_changes, batch_marks, batch_order  # noqa: PLC0415
    from statewatch.kinds.words import mapping, word  # noqa: PLC0415

    for index in work.step((), 0).interrupted:
        title = title_of(work.titles()[index], index)
        if not retry_interrupted:
            output.note(f"interrupted: {index} {harmless(title, 80)}: it may have been done or not")

    def change(document: JSON, now: float) -> JSON:
        chosen_items: tuple[int, ...] = ()
        if retry_failed or retry_interrupted:
            chosen_items = batch_changes.failed_items(document, interrupted_only=not retry_failed)
        for index in chosen_items:
            document = batch_marks.cleared(document, index, now)
        is_paused = word(mapping(document).get("status")) == "paused"
        return batch_marks.resumed(document, now) if is_paused and batch_order.standing(document).left else document

    work.apply(change, "resume a batch")


def _told(path: str, result: "Result", *, as_json: bool) -> int:
    from dataclasses import asdict  # noqa: PLC0415

    from statewatch.kinds.batch_summary import summary_of  # noqa: PLC0415

    _, view, _ = chosen(path)
    if as_json:
        output.json_out({**asdict(summary_of(view)), "run": {"done": result.done, "failed": result.failed}})
    else:
        left, failed = view.count(PENDING), view.count(FAILED)
        counts = [f"{view.total - left - failed} of {view.total} done"]
        counts += [f"{failed} failed"] if failed else []
        counts += [f"{len(view.interrupted)} of them interrupted"] if view.interrupted else []
        counts += [f"{left} left"] if left else []
        output.say(f"{harmless(view.batch_id, 200)}: {', '.join(counts)}.")
        _advise(view, result)
    if result.stopped_by is not None:
        return 128 + result.stopped_by
    return 1 if view.count(PENDING) or view.count(FAILED) else 0


def _advise(view: BatchView, result: "Result") -> None:
    waiting, elsewhere = result.last.waiting, result.last.elsewhere
    name = output.quoted(view.batch_id)
    if waiting:
        output.note(f"{output.count(len(waiting), 'item')} wait for others that are not done: retry or mark those.")
    if elsewhere:
        output.note(f"Others are at work on {output.count(len(elsewhere), 'item')}.")
    if view.count(FAILED):
        output.note(
            f"See why with: statewatch batch summary {name}; let them be done again: batch retry {name} --failed"
        )
    if view.count(PENDING) and not waiting:
        output.note(f"Go on with: statewatch batch run {name} --resume -- COMMAND {{item}}")
