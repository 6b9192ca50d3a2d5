"""Whatever a system call answers, and wherever a process is killed: nothing is lost, and nothing is claimed falsely."""

import pytest

from tests.core.faults.judging import examine
from tests.core.faults.operations import OPERATIONS

GROUPS = [
    ("keys", ("save", "delete", "transact", "swap", "init", "create", "create with a checkpoint")),
    ("new checkpoints", ("checkpoint", "put checkpoint", "migrate")),
    ("checkpoints", ("replace checkpoint", "rename checkpoint", "pin", "delete checkpoint")),
    ("actions", ("act", "undo", "redo", "reset", "rotate", "act against another")),
    ("restore", ("restore", "restore a part", "recover")),
]
TOGETHER = [
    (engine, group, [f"{engine}:{name}" for name in names if (engine, name) in OPERATIONS])
    for engine in ("keyed", "plain", "sqlite")
    for group, names in GROUPS
]


def test_all_operations_are_examined() -> None:
    assert {name for _, _, names in TOGETHER for name in names} == {f"{engine}:{name}" for engine, name in OPERATIONS}


@pytest.mark.parametrize(
    "names", [pytest.param(names, id=f"{engine} {group}") for engine, group, names in TOGETHER if names]
)
def test_a_fault_at_any_system_call_leaves_the_old_or_the_new(names: list[str]) -> None:
    """It says `done` only when it is, else what is wrong and where; the lock is free, the log true, no litter there."""
    runs, wrong = examine(names)
    assert runs > 10
    assert wrong == []
