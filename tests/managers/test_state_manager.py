"""StateManager, as the programs use it that keep their state with it."""

import asyncio
import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import statewatch
from statewatch import AsyncStateManager, Chain, StateException, StateManager
from statewatch.core.actions import perform
from statewatch.core.errors import LockedError, RefusedError, UnavailableError, UnknownOutcomeError
from statewatch.core.lock import locked
from statewatch.core.stores.memory import MemoryStore
from statewatch.core.stores.transaction import Transaction
from statewatch.core.undo import last_action, undo_action
from statewatch.documents.values import JSON
from statewatch.managers import retrying as retrying_module
from statewatch.managers.retrying import retrying

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def owners(document: dict[str, JSON]) -> dict[str, JSON]:
    return {**document, "owner": "nobody"}


CHAIN = Chain(current="2.0.0").step("1.0.0", "1.1.0", owners).step("1.1.0", "2.0.0", lambda document: document)


def test_state_is_where_the_layout_has_it_and_looks_as_its_tools_write_it(project: Path) -> None:
    manager = StateManager(backend="json", namespace="wf-1")
    manager.save("phase", {"name": "plan", "done": False})
    written = json.loads((project / ".claude/state/wf-1/state.json").read_text())
    assert written["phase"]["value"] == {"name": "plan", "done": False}
    assert set(written["phase"]) == {"value", "timestamp"}
    assert manager.load("phase") == {"name": "plan", "done": False}


def test_a_missing_key_raises_unless_there_is_a_default_and_none_is_one() -> None:
    manager = StateManager()
    manager.save("retries", 3)
    with pytest.raises(StateException, match=r"no key 'retrys'\. Did you mean 'retries'"):
        manager.load("retrys")
    assert manager.load("retrys", None) is None
    assert manager.load("retrys", default=0) == 0


def test_what_was_loaded_is_private() -> None:
    manager = StateManager()
    manager.save("items", [1, 2])
    items = manager.load("items")
    assert isinstance(items, list)
    items.append(3)
    assert manager.load("items") == [1, 2]


def test_deleting_and_listing() -> None:
    manager = StateManager()
    manager.save("a", 1)
    manager.save("b", 2)
    manager.delete("a")
    assert manager.list_keys() == ["b"]
    with pytest.raises(StateException, match="no key 'a'"):
        manager.delete("a")


def test_several_keys_are_written_together_or_not_at_all() -> None:
    manager = StateManager()
    manager.save("from", 10)
    manager.save("to", 0)

    def move(transaction: Transaction) -> None:
        transaction.save("from", 0)
        raise RuntimeError("the program fails here")

    with pytest.raises(RuntimeError):
        manager.transact(move)
    assert (manager.load("from"), manager.load("to")) == (10, 0)


def test_a_restored_checkpoint_is_everything_as_it_was_and_can_be_undone() -> None:
    manager = StateManager(namespace="wf")
    manager.save("phase", "plan")
    name = manager.checkpoint("before-deploy")
    manager.save("phase", "deploy")
    manager.save("host", "web-1")
    manager.restore_checkpoint(name)
    assert manager.snapshot().document == {"phase": "plan"}
    assert manager.list_checkpoints()[0] == "before-deploy"
    assert len(manager.list_checkpoints()) == 2  # and one of what the restore replaced
    perform(undo_action(last_action()), settle_for=0)
    assert manager.snapshot().document == {"phase": "deploy", "host": "web-1"}


def test_a_part_of_a_checkpoint_is_restored_and_the_rest_stays() -> None:
    manager = StateManager()
    manager.save("hooks", {"a": 1, "b": 1})
    manager.checkpoint("good")
    manager.save("hooks", {"a": 2, "b": 2})
    manager.restore_checkpoint("good", only=["/hooks/b"])
    assert manager.load("hooks") == {"a": 2, "b": 1}
    with pytest.raises(StateException, match="cannot be restored"):
        manager.restore_checkpoint("good", only=["/hooks/c"])
    with pytest.raises(StateException, match="a pointer starts with"):
        manager.restore_checkpoint("good", only=["hooks"])


def test_checkpoints_without_a_name_are_named_after_the_moment_and_never_collide() -> None:
    manager = StateManager()
    manager.save("n", 1)
    names = {manager.checkpoint() for _ in range(3)}
    assert len(names) == 3
    assert all(name.startswith("auto_20") for name in names)


def test_damaged_state_is_recovered_only_with_what_was_chosen(project: Path) -> None:
    manager = StateManager(namespace="wf")
    manager.save("n", 1)
    manager.checkpoint("good")
    assert manager.recover() is None
    file = project / ".claude/state/wf/state.json"
    file.write_bytes(b'{"n": {"val')
    with pytest.raises(StateException, match="not JSON"):
        manager.load("n")
    with pytest.raises(StateException, match="good \\(checkpoint\\)"):
        manager.recover()
    assert file.read_bytes() == b'{"n": {"val'
    assert manager.recover("good") == "good"
    assert manager.load("n") == 1
    assert Path(last_action().copy).read_bytes() == b'{"n": {"val'


def test_a_namespace_moves_to_another_store_with_its_checkpoints() -> None:
    manager = StateManager(namespace="wf")
    for number in range(50):
        manager.save(f"k{number}", {"n": number})
    manager.checkpoint("start", note="for later")
    manager.save("k0", "changed")
    target = MemoryStore("wf")
    told: list[tuple[str, int, int]] = []
    moved = manager.migrate(target, progress=lambda *step: told.append(step))
    assert (moved.keys, moved.keys_written, moved.checkpoints_written) == (50, 50, 1)
    assert target.snapshot().document == manager.snapshot().document
    assert target.read_checkpoint("start").document == manager.store.read_checkpoint("start").document
    assert target.find_checkpoint("start").note == "for later"
    assert told[-1] == ("checkpoints", 1, 1)
    again = manager.migrate(target)
    assert (again.keys_written, again.checkpoints_written) == (0, 0)


def test_a_migration_onto_something_else_is_refused() -> None:
    manager = StateManager(namespace="wf")
    manager.save("a", 1)
    target = MemoryStore("wf")
    target.save("a", 2)
    target.save("z", 3)
    with pytest.raises(StateException, match="it holds something else already: 'a', 'z'"):
        manager.migrate(target)
    assert target.snapshot().document == {"a": 2, "z": 3}
    manager.migrate(target, overwrite=True)
    assert target.snapshot().document == {"a": 1}


def test_an_older_schema_is_seen_as_the_current_and_written_so_after_a_checkpoint() -> None:
    StateManager(namespace="wf").store.transact(lambda t: t.save_all({"version": "1.0.0", "n": 1}))
    manager = StateManager(namespace="wf", schema=CHAIN)
    assert manager.load("owner") == "nobody"
    assert manager.list_checkpoints() == []  # reading wrote nothing
    manager.save("n", 2)
    plain = StateManager(namespace="wf")
    assert plain.snapshot().document == {"version": "2.0.0", "n": 2, "owner": "nobody"}
    (checkpoint,) = plain.store.checkpoints()
    assert plain.store.read_checkpoint(checkpoint.name).document == {"version": "1.0.0", "n": 1}
    assert last_action().action == "upgrade"


def test_a_newer_schema_can_be_read_and_not_written() -> None:
    StateManager(namespace="wf").store.transact(lambda t: t.save_all({"version": "3.0.0", "n": 1}))
    manager = StateManager(namespace="wf", schema=CHAIN)
    assert manager.load("n") == 1
    with pytest.raises(RefusedError, match=r"3\.0\.0.*2\.0\.0"):
        manager.save("n", 2)
    assert manager.load("n") == 1


def test_a_gap_in_the_schema_is_named() -> None:
    StateManager(namespace="wf").store.transact(lambda t: t.save_all({"version": "0.9.0", "n": 1}))
    manager = StateManager(namespace="wf", schema=CHAIN)
    with pytest.raises(RefusedError, match=r"0\.9\.0"):
        manager.load("n")


def test_a_new_namespace_begins_at_the_current_schema() -> None:
    manager = StateManager(namespace="new", schema=CHAIN)
    manager.save("n", 1)
    assert manager.snapshot().document == {"version": "2.0.0", "n": 1}
    assert manager.list_checkpoints() == []


def test_what_can_pass_is_tried_again_with_growing_pauses_and_nothing_else_is() -> None:
    pauses: list[float] = []
    answers = iter([LockedError("busy"), UnavailableError("redis", "it is starting"), None])

    def flaky() -> str:
        if error := next(answers):
            raise error
        return "done"

    assert retrying(flaky, 3, pauses.append) == "done"
    assert len(pauses) == 2
    assert retrying_module.FIRST_PAUSE / 2 <= pauses[0] <= retrying_module.FIRST_PAUSE
    assert retrying_module.FIRST_PAUSE <= pauses[1] <= 2 * retrying_module.FIRST_PAUSE

    def lost() -> None:
        pauses.append(-1)
        raise UnknownOutcomeError("the connection was lost")

    with pytest.raises(UnknownOutcomeError):
        retrying(lost, 3, pauses.append)
    assert pauses.count(-1) == 1


def test_a_lock_that_is_held_is_waited_for_and_then_its_holder_named(project: Path) -> None:
    manager = StateManager(namespace="wf", timeout=0.05, attempts=2)
    manager.save("n", 1)
    with (
        locked(project / ".claude/state/wf/state.json", "a long backup"),
        pytest.raises(StateException, match="backup"),
    ):
        manager.save("n", 2)
    manager.save("n", 3)
    assert manager.load("n") == 3


@pytest.mark.parametrize(
    ("backend", "message"),
    [
        ("mongodb", "there is no backend 'mongodb'"),
        ("json:x?nom=1", "no option of a json store"),
        ("mysql://host/base", "no store for 'mysql:' addresses"),
        ("sqlite::memory:", "memory:"),
    ],
)
def test_a_backend_that_is_none_is_refused_with_those_that_are(backend: str, message: str) -> None:
    with pytest.raises(StateException, match=message):
        StateManager(backend)


def test_a_file_of_somebody_else_is_a_namespace_too(project: Path) -> None:
    file = project / "progress.json"
    file.write_text('{"version": 3, "done": [1, 2]}\n')
    manager = StateManager("progress.json")
    manager.update("done", lambda done: [*done, 3] if isinstance(done, list) else [])
    assert file.read_text() == '{"version": 3, "done": [1, 2, 3]}\n'


async def test_the_asynchronous_twin_does_the_same_without_blocking() -> None:
    async with AsyncStateManager(namespace="wf") as manager:
        await manager.save("n", 0)
        await asyncio.gather(*(manager.update("n", lambda n: n + 1) for _ in range(20)))  # type: ignore[operator]
        assert await manager.load("n") == 20
        name = await manager.checkpoint(note="twenty")
        await manager.delete("n")
        assert await manager.list_keys() == []
        await manager.restore_checkpoint(name)
        assert await manager.load("n") == 20
        revisions = manager.watch()
        waiting = asyncio.ensure_future(anext(revisions))
        await asyncio.sleep(0)
        while not waiting.done():
            await manager.update("n", lambda n: n + 1)  # type: ignore[operator]
        assert isinstance(waiting.result().document, dict)


def test_both_have_the_same_methods() -> None:
    def public(kind: type) -> set[str]:
        return {name for name in vars(kind) if not name.startswith("_")}

    assert public(AsyncStateManager) == public(StateManager)


def test_importing_the_package_loads_nothing_else() -> None:
    script = "import sys; before = set(sys.modules); import statewatch; print(sorted(set(sys.modules) - before))"
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert loaded.strip() == "['statewatch']"


def test_every_public_name_is_there_in_both_places() -> None:
    from statewatch import managers

    for name in managers.__all__:
        assert getattr(statewatch, name) is getattr(managers, name)
    with pytest.raises(AttributeError):
        _ = statewatch.nonsense


@pytest.mark.parametrize("key", [1, None, b"a", ["a"], 1.5], ids=repr)
@pytest.mark.parametrize("backend", ["json", "sqlite", "memory"])
def test_what_is_no_text_is_no_key_and_that_is_said(backend: str, key: object) -> None:
    """Programs without types give what they have: they catch StateException, and learn what a key must be."""
    wrong: str = key  # type: ignore[assignment]
    with StateManager(backend=f"{backend}:state") as manager:
        manager.save("a", 1)
        calls: list[Callable[[], object]] = [
            lambda: manager.save(wrong, 1),
            lambda: manager.load(wrong),
            lambda: manager.load(wrong, 2),
            lambda: manager.delete(wrong),
            lambda: manager.update(wrong, lambda value: value, 0),
            lambda: manager.transact(lambda transaction: transaction.load(wrong, 0)),
        ]
        for call in calls:
            with pytest.raises(StateException, match="a key is a text"):
                call()
        assert manager.list_keys() == ["a"]
    with pytest.raises(StateException, match="a key is a text"):
        StateManager(schema=CHAIN).load(wrong)


def test_a_backend_or_a_namespace_that_is_no_text_is_refused() -> None:
    wrong: str = 5  # type: ignore[assignment]
    with pytest.raises(StateException, match="a backend is a text"):
        StateManager(wrong)
    with pytest.raises(StateException, match="a namespace is a text"):
        StateManager("json", wrong)


def test_a_schema_that_makes_no_sense_is_a_state_exception() -> None:
    with pytest.raises(StateException, match="not a version: 'x'"):
        Chain("x")
    with pytest.raises(StateException, match="two steps from 1"):
        CHAIN.step("1.0.0", "2.0.0", owners)
    assert isinstance(CHAIN.step("0.1", "1.0.0", owners), Chain)


def test_all_public_names_are_listed_before_they_are_loaded() -> None:
    program = "import statewatch; print(*dir(statewatch))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=20, check=True)
    assert set(statewatch.__all__) <= set(done.stdout.split())
