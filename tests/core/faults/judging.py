"""What must be true of a world after an operation on it, whatever happened to that on the way."""

import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from statewatch.core import audit
from statewatch.core.actions import perform
from statewatch.core.errors import LockedError, StatewatchError
from statewatch.core.lock import locked
from statewatch.core.standing import role
from statewatch.core.undo import all_standings, undo_action
from tests.core.faults.operations import ALIKE, OPERATIONS, Operation, View, World, setting
from tests.core.faults.telling import Told
from tests.core.faults.tracing import Fault, faults, traced

_CLEAN = re.compile(r"(.*/)?(\.[^/]*\.statewatch-lock|\.statewatch-index\.json|[^./][^/]*)")
"""How the files may be named that stay for good."""


@dataclass(frozen=True)
class Case:
    """An operation, its world, a copy of that to begin with each time, and the views before and after."""

    name: str
    world: World
    begun: Path
    old: View
    new: View
    records: tuple[str, ...]

    @property
    def operation(self) -> Operation:
        """Return the operation."""
        return OPERATIONS[self.world.engine, self.name.partition(":")[2]]

    def faults(self, calls: Sequence[tuple[str, str]], *, thorough: bool) -> Iterator[Fault]:
        """Yield what is to happen to its system calls."""
        sparing = tuple(self.name.split(":")) in ALIKE
        for fault in faults(calls, self.world.root, thorough=thorough, sparing=sparing):
            if fault.call == "fcntl" and self.world.engine == "sqlite":
                continue  # SQLite answers for its own locks
            if fault.how == "ENOSYS" and "against" in self.name:
                continue  # where two files cannot be exchanged nobody sees what was displaced
            yield fault

    def begin(self) -> None:
        """Put the world back to where it was."""
        shutil.rmtree(self.world.root)
        shutil.copytree(self.begun, self.world.root)

    def judge(self, told: Told, *, lasting: bool = False) -> None:
        """Look at what is there now, then go on: undo, do it again, do something else.

        Where the failure was a *lasting* one, what had been done of several steps may not be taken back.
        """
        operation = self.operation
        with self.world.entered():
            view = self.world.view()
            assert told.how != "crash", told.text
            steps = operation.midway(self.old, self.new)
            if told.how == "done":
                assert view == self.new, f"it said that it was done: {view}"
            elif told.how in ("killed", "UnknownOutcomeError"):
                assert view in (self.old, self.new, *steps), f"a mix: {view}"
            else:
                allowed = [self.old, *operation.failed(self.old, self.new), *(steps if lasting else [])]
                assert view in allowed, f"it said: {told}, and there is: {view}"
                self._is_told_well(told)
            self._locks_are_free()
            self._audit_tells(view)
            if told.how in ("done", "killed") or _contents(self.world.root) != _contents(self.begun):
                self._goes_on(view)
                self._is_tidy()

    def _is_told_well(self, told: Told) -> None:
        assert "\n" not in told.text, told.text
        assert str(self.world.root) in told.text, f"it does not say where: {told}"

    def _locks_are_free(self) -> None:
        for path in (self.world.path, audit.log_file()):
            try:
                with locked(path, "look", timeout=0):
                    pass
            except LockedError as error:
                raise AssertionError("the lock is not free") from error

    def _audit_tells(self, view: View) -> None:
        standings = list(all_standings())
        known = [each.record.id for each in standings]
        assert set(self.records) <= set(known), "the audit log has lost a record"
        assert len(set(known)) == len(known)
        added = [each for each in standings if each.record.id not in self.records]
        assert "in progress" not in {each.record.outcome for each in added}
        operation = self.operation
        acts = [each for each in added if role(each.record) != "keeping"]
        failed = [] if operation.stepwise else operation.failed(self.old, self.new)
        changed = _documents(view) not in map(_documents, [self.old, *failed])
        if operation.audited:
            assert [each.in_force for each in acts if each.in_force] == [True] * changed, added
        else:
            assert acts == []
        self._audit_tells_of_checkpoints(view, [each.record for each in added if each not in acts])

    def _audit_tells_of_checkpoints(self, view: View, records: list[audit.Record]) -> None:
        if _checkpoints(view) != _checkpoints(self.old):
            assert {"done", "interrupted"} & {record.outcome for record in records}, f"no record of it: {records}"
        else:  # what was done, if anything, was taken back
            done = [record.action.partition(" ")[0] for record in records if record.outcome == "done"]
            assert done in ([], ["delete", "create"]), records

    def _goes_on(self, view: View) -> None:
        """Undo it where it was done; do it again where it was not. Then write something else."""
        operation = self.operation
        self.world.settle()
        if view == self.new and operation.audited:
            newest = next(each for each in all_standings() if each.in_force and role(each.record) != "keeping")
            if role(newest.record) == "action" and (undone := operation.undone(self.old, self.new)) != self.new:
                perform(undo_action(newest.record), settle_for=0)
                assert _documents(self.world.view()) == _documents(undone)
        elif view != self.new:
            operation.act(self.world)
            again = self.world.view()
            done = _documents(again) == _documents(self.new) or again == view in operation.midway(self.old, self.new)
            assert done, "it cannot be done again"
        self.world.settle()
        store = self.world.store()
        perform(setting(store, "afterwards", 1), settle_for=0)
        for each in self.world.stores():
            if each.path.exists() or each.checkpoints():
                each.save("afterwards", 2)
                each.checkpoint("afterwards")
                each.delete_checkpoint("afterwards")

        operation.promised(self.world)

    def _is_tidy(self) -> None:
        litter = {name for name in self.world.files() if not _CLEAN.fullmatch(name)}
        assert litter == set(), f"litter: {litter}"


def _contents(root: Path) -> dict[str, bytes]:
    """Return what is in a world, but for what locks and the audit log say."""
    files = (path for path in root.rglob("*") if not path.name.endswith("-lock") and path.suffix != ".jsonl")
    return {str(path.relative_to(root)): path.read_bytes() for path in files if path.is_file()}


def _documents(view: View) -> list[object]:
    return [there for there, _ in view.values()]


def _checkpoints(view: View) -> list[object]:
    return [checkpoints for _, checkpoints in view.values()]


@contextmanager
def case(name: str, directory: Path) -> Iterator[Case]:
    """Prepare a case in *directory*."""
    engine, _, what = name.partition(":")
    operation = OPERATIONS[engine, what]
    root = directory / name.replace(":", "-").replace(" ", "-")
    with World(root, engine).entered() as world:
        root.mkdir()
        world.furnish()
        operation.prepare(world)
        world.settle()
        records = tuple(record.id for record in audit.records())
        old = world.view()
        begun = directory / f"{root.name}-begun"
        shutil.copytree(root, begun)
        operation.act(world)
        new = world.view()
    assert old != new
    found = Case(name, world, begun, old, new, records)
    found.begin()
    yield found


def examine(names: Sequence[str], *, thorough: bool = False) -> tuple[int, list[str]]:
    """Do operations with a fault at each of their system calls; return how many runs that were, and what was wrong.

    Several are done at once where the fault is the same, since most of the time goes into tracing. For *thorough* see
    `faults`.
    """
    wrong: list[str] = []
    runs = 0
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=_in_memory())))
        nursery = stack.enter_context(traced(names))
        plan: dict[Fault, list[Case]] = {}
        for name in names:
            found = stack.enter_context(case(name, directory))
            for fault in found.faults(nursery.calls((name, found.world.root), directory / "log"), thorough=thorough):
                plan.setdefault(fault, []).append(found)
        for fault, cases in plan.items():
            for each in cases:
                each.begin()
            jobs = [(each.name, each.world.root) for each in cases]
            all_told = nursery.run(jobs, *fault.options, log=directory / "log")
            runs += len(jobs)
            for each, told in zip(cases, all_told, strict=True):
                try:
                    assert (told.how == "killed") == (fault.how == "KILL"), told
                    each.judge(told, lasting=fault.lasting)
                except (AssertionError, StatewatchError, OSError) as error:
                    wrong.append(f"{each.name}, {fault}, {told.how}: {error!r}")
            if (directory / "log").read_text().count("INJECTED") < len(jobs) and fault.how != "KILL":
                wrong.append(f"{fault} has not happened to all of {names}")
    return runs, wrong


def _in_memory() -> str | None:
    """Return a directory where nothing waits for a disk, if there is one."""
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
