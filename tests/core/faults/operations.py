"""All that the core can do to state, each as an operation on a small world of its own, and how to look at that."""

import json
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeAlias
from unittest import mock

from statewatch.core import actions, rewriting, rotating, swap
from statewatch.core.actions import Action
from statewatch.core.circuits import circuit_action
from statewatch.core.copies import copies_of
from statewatch.core.errors import SourceError
from statewatch.core.migration import migrate
from statewatch.core.restoring import recover_action, restore, restore_action
from statewatch.core.stores.base import Checkpoint, Store
from statewatch.core.stores.file import FileStore
from statewatch.core.stores.sqlite import SqliteStore
from statewatch.core.stores.transaction import Transaction
from statewatch.core.undo import last_action, last_undo, redo_action, undo_action
from statewatch.documents.values import JSON
from statewatch.kinds.base import Change
from tests.core.files import date_back, document

VALUES: dict[str, JSON] = {"a": 1, "b": {"deep": [1, 2]}, "c": "text", "d": None}
TIMEOUT = 2.0
ELSEWHERE = 1_000.0
"""When a checkpoint was made that was made elsewhere."""

View: TypeAlias = dict[str, Any]
"""What a user sees in a world: the document of each store, and its checkpoints with all that is said about them."""


@dataclass(frozen=True)
class World:
    """A directory with state of one engine in it: `keyed`, `plain` (a hook state) or `sqlite`."""

    root: Path
    engine: str

    @property
    def own(self) -> Path:
        """Return where statewatch keeps its own state in this world."""
        return self.root / "own"

    @property
    def path(self) -> Path:
        """Return the file of the state."""
        names = {"keyed": "ns/state.json", "plain": "hook_state.json", "sqlite": "ns/state.db"}
        return self.root / "data" / names[self.engine]

    def store(self) -> FileStore | SqliteStore:
        """Open the state."""
        return self.open("ns")

    def open(self, namespace: str, engine: str | None = None) -> FileStore | SqliteStore:
        """Open a namespace beside it."""
        engine = engine or self.engine
        if engine == "plain":
            return FileStore(self.path, TIMEOUT)
        place = self.root / "data"
        return (FileStore.keyed if engine == "keyed" else SqliteStore)(place, namespace, TIMEOUT)

    def stores(self) -> list[FileStore | SqliteStore]:
        """Return all namespaces that an operation may touch."""
        others = [] if self.engine == "plain" else [self.open("other", engine) for engine in {self.engine, "keyed"}]
        return [self.store(), *others]

    @contextmanager
    def entered(self) -> Iterator["World"]:
        """Keep our own state in this world while the block runs."""
        with mock.patch.dict(os.environ, {"STATEWATCH_STATE_DIR": str(self.own)}):
            yield self

    def furnish(self) -> None:
        """Make the state, with two checkpoints of earlier versions and one action in the audit log."""
        store = self.store()
        if self.engine == "plain":
            self.path.parent.mkdir()
            self.path.write_text("{}")
        values: dict[str, JSON] = document(3) if self.engine == "plain" else VALUES
        store.transact(lambda transaction: transaction.save_all(values), "furnish")
        store.checkpoint("first", note="the first", by="me")
        store.save("late", ["added"])
        store.checkpoint("second", note="the second", by="me", pinned=True)
        self.settle()
        actions.perform(setting(store, "earlier", True), settle_for=0)
        store.close()
        self.settle()

    def settle(self) -> None:
        """Make the files look as if nobody were at work on them."""
        for place in (self.root / "data").rglob("state.*"):
            if place.suffix in (".json", ".db"):
                date_back(place)
        if self.engine == "plain":
            date_back(self.path)

    def view(self) -> View:
        """Look at everything in it."""
        seen: View = {}
        for store in self.stores():
            is_missing = isinstance(store, FileStore) and not store.path.exists()
            try:
                there: Any = None if is_missing else store.snapshot().document
            except SourceError as error:
                there = str(error)
            with store:
                seen[store.url] = there, sorted(_seen(store, checkpoint) for checkpoint in store.checkpoints())
        return seen

    def files(self) -> set[str]:
        """Return the names of all files in it."""
        return {str(path.relative_to(self.root)) for path in self.root.rglob("*") if not path.is_dir()}


def _seen(store: Store, made: Checkpoint) -> tuple[str, str, str]:
    name = re.sub(r"auto_\d{8}_\d{6}", "auto", made.name)
    at = made.created_at if made.created_at == ELSEWHERE else 0
    return name, repr(replace(made, name=name, created_at=at)), store.kept(made.name).digest


def setting(store: Store, key: str, value: JSON) -> Action:
    """Return the action that sets one key, as an operator does."""

    def transform(there: JSON, now: float) -> Change:
        assert isinstance(there, dict)
        return Change("set", (key,), {**there, key: value}, (((key,),),))

    return Action(store, transform, "set", "because", "cli")


def _nothing_more(world: World) -> None:
    """Prepare nothing more."""


def _none(old: View, new: View) -> list[View]:
    return []


def _old(old: View, new: View) -> View:
    return old


Views: TypeAlias = Callable[[View, View], list[View]]
"""From the views before and after an operation to some others."""


@dataclass(frozen=True)
class Operation:
    """Something that the core does. `prepare` adds to the furnished world what it needs.

    `midway` are the views, besides the old and the new one, that a process which was killed may leave: whole steps of
    what is done in steps; `failed` those that one may leave which tells of an error. What is `audited` has a record,
    and an undo of it leads to `undone`; one that is `stepwise` has it also where it failed. `promised` must hold
    besides, when all is over.
    """

    act: Callable[[World], object]
    prepare: Callable[[World], object] = _nothing_more
    midway: Views = _none
    failed: Views = _none
    audited: bool = False
    stepwise: bool = False
    undone: Callable[[View, View], View] = _old
    promised: Callable[[World], None] = _nothing_more


def _new(old: View, new: View) -> View:
    return new


def _transact(world: World) -> None:
    def body(transaction: Transaction) -> None:
        transaction.save("late", 2)
        transaction.save("new", {"x": [1.5]})
        transaction.delete("earlier")

    world.store().transact(body, "several")


def _swap(world: World) -> None:
    store = world.store()
    store.compare_and_swap(store.snapshot().digest, lambda transaction: transaction.save("late", "swapped"))


def _elsewhere(world: World) -> Checkpoint:
    return Checkpoint("moved", ELSEWHERE, "from elsewhere", "somebody", pinned=True)


def _reset(world: World) -> None:
    actions.perform(circuit_action("reset", world.path, ["h1"]), settle_for=0, clock=_clock)


def _clock() -> float:
    return 1_900_000_000.0


def _undo(world: World) -> None:
    actions.perform(undo_action(last_action([world.store().source])), settle_for=0, clock=_clock)


def _redo(world: World) -> None:
    actions.perform(redo_action(last_undo([world.store().source])), settle_for=0, clock=_clock)


def _restore(world: World, only: tuple[tuple[str, ...], ...] = ()) -> None:
    restore(restore_action(world.store(), "first", only), settle_for=0, clock=_clock)


def _safety_first(old: View, new: View) -> list[View]:
    """A restore makes a checkpoint of what is there before it writes."""
    return [{url: (old[url][0], new[url][1]) for url in old}]


def _damage(world: World) -> None:
    world.path.write_bytes(b'{"a": {"value"')


def _recover(world: World) -> None:
    restore(recover_action(world.store(), "second"), settle_for=0, clock=_clock)


def _migrate(world: World) -> None:
    migrate(world.store(), world.open("other", "keyed"))


def _moved_so_far(old: View, new: View) -> list[View]:
    """The keys go over in one transaction here, then the checkpoints, one by one, oldest first."""
    target = next(url for url in old if old[url] != new[url])
    there, checkpoints = new[target]
    return [{**old, target: (there, checkpoints[:number])} for number in range(len(checkpoints))]


def _moved_or_not_checked(old: View, new: View) -> list[View]:
    """What has been moved stays, so that it need not be moved again; what could not be compared is told too."""
    return [*_moved_so_far(old, new), new]


def _rotate(world: World) -> None:
    with mock.patch.object(rotating, "LIMIT", 100):
        actions.perform(setting(world.store(), "rotated", True), settle_for=0, clock=_clock)


def _act_against_another(world: World) -> None:
    """Act while another program, which has its version ready, puts it there right before the exchange."""
    waiting = world.path.with_name("theirs")

    def late(temporary: str, target: str, *, or_replace: bool = True) -> bool:
        if waiting.exists():
            waiting.rename(target)
        return swap.swap(temporary, target, or_replace=or_replace)

    with mock.patch.object(rewriting, "swap", late):
        actions.perform(setting(world.store(), "new", 1), settle_for=0, clock=_clock)


def _their_version(world: World) -> None:
    theirs = json.loads(world.path.read_bytes())
    world.path.with_name("theirs").write_text(json.dumps({**theirs, "late": ["changed by another"]}))


def _theirs(old: View, new: View) -> View:
    return {url: ({**there, "late": new[url][0]["late"]}, checkpoints) for url, (there, checkpoints) in old.items()}


def _ours(old: View, new: View) -> View:
    return {url: ({**there, "late": old[url][0]["late"]}, checkpoints) for url, (there, checkpoints) in new.items()}


def _theirs_is_kept(world: World) -> None:
    """Whatever became of ours: what another program wrote is there, or among the copies."""
    waiting = world.path.with_name("theirs")
    if not waiting.exists():
        kept = [json.loads(copy.read_bytes()) for copy in copies_of(world.store().source)]
        there = json.loads(world.path.read_bytes())
        assert "changed by another" in str(there) or any("changed by another" in str(copy) for copy in kept)


_EVERYWHERE: dict[str, Operation] = {
    "save": Operation(lambda world: world.store().save("new", {"a": [1, 2.5, "x"]})),
    "delete": Operation(lambda world: world.store().delete("late")),
    "transact": Operation(_transact),
    "swap": Operation(_swap),
    "checkpoint": Operation(lambda world: world.store().checkpoint(note="by itself", by="me")),
    "replace checkpoint": Operation(
        lambda world: world.store().checkpoint("first", note="anew", by="you", pinned=True, replacing=True)
    ),
    "rename checkpoint": Operation(lambda world: world.store().edit_checkpoint("first", new_name="third", note="now")),
    "pin": Operation(lambda world: world.store().edit_checkpoint("first", pinned=True)),
    "delete checkpoint": Operation(lambda world: world.store().delete_checkpoint("first")),
    "put checkpoint": Operation(lambda world: world.store().put_checkpoint(_elsewhere(world), {"z": 1})),
    "act": Operation(
        lambda world: actions.perform(setting(world.store(), "new", 1), settle_for=0, clock=_clock), audited=True
    ),
    "undo": Operation(_undo, audited=True),
    "redo": Operation(_redo, prepare=_undo, audited=True),
    "restore": Operation(_restore, midway=_safety_first, audited=True),
    "restore a part": Operation(lambda world: _restore(world, (("late",),)), midway=_safety_first, audited=True),
    "migrate": Operation(
        _migrate,
        midway=_moved_so_far,
        failed=_moved_or_not_checked,
        audited=True,
        stepwise=True,
        undone=lambda old, new: {url: (old[url][0] or {}, checkpoints) for url, (_, checkpoints) in new.items()},
    ),
}
_OF_FILES: dict[str, Operation] = {
    "reset": Operation(_reset, audited=True),
    "recover": Operation(_recover, prepare=_damage, audited=True, undone=_new),
    "rotate": Operation(_rotate, audited=True),
    "act against another": Operation(
        _act_against_another,
        prepare=_their_version,
        midway=lambda old, new: [_theirs(old, new), _ours(old, new)],
        failed=lambda old, new: [_theirs(old, new)],
        audited=True,
        undone=_theirs,
        promised=_theirs_is_kept,
    ),
}
_NEW: dict[str, Operation] = {
    "init": Operation(lambda world: world.open("other").create()),
    "create": Operation(lambda world: world.open("other").save("a", 1)),
    "create with a checkpoint": Operation(lambda world: world.open("other").checkpoint("empty", by="me")),
}

OPERATIONS: dict[tuple[str, str], Operation] = {
    **{("keyed", name): each for name, each in {**_EVERYWHERE, **_NEW}.items()},
    **{("plain", name): _EVERYWHERE[name] for name in ("save", "checkpoint", "undo", "redo", "restore")},
    **{("plain", name): each for name, each in _OF_FILES.items()},
    **{("sqlite", name): each for name, each in {**_EVERYWHERE, **_NEW}.items() if name != "init"},
}

ALIKE = {
    *((engine, name) for engine in ("keyed", "sqlite") for name in ("delete", "transact", "swap", "put checkpoint")),
    *((engine, name) for engine in ("keyed", "sqlite") for name in ("redo", "restore a part", "pin")),
    *(("plain", name) for name in ("save", "checkpoint", "undo", "redo", "restore")),
    *(("sqlite", name) for name in ("checkpoint", "rename checkpoint", "delete checkpoint", "undo")),
}
"""Those that make the same system calls, for the same reasons, as another one."""
