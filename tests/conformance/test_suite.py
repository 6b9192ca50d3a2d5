"""The suite itself: every clause runs, and stores that break a promise do not pass the clause about it."""
# ruff: noqa: ARG002 - they have to take what they do not look at

import json
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import pytest

from statewatch.conformance import suite
from statewatch.conformance.crew import Crew
from statewatch.conformance.place import Clauses, Place
from statewatch.core.stores.base import Store
from statewatch.core.stores.file import FileStore
from statewatch.core.stores.memory import MemoryStore
from statewatch.core.stores.model import Checkpoint, Revision
from statewatch.core.stores.transaction import Found, Raise, Transaction, overlaid
from statewatch.documents.values import JSON
from tests.conformance.test_memory import MemoryPlace

T = TypeVar("T")
SUITES: list[type[Clauses]] = [
    suite.StoreConformance,
    suite.SharedConformance,
    suite.LockingConformance,
    suite.OptimisticConformance,
    suite.AddressConformance,
    suite.ServerConformance,
]


@pytest.mark.parametrize("conformance", SUITES, ids=lambda conformance: conformance.__name__)
def test_no_clause_hides_another(conformance: type[Clauses]) -> None:
    """Of two tests or fixtures with the same name in the groups of a suite only one would run."""
    groups = [group for group in conformance.__mro__ if group.__module__.startswith("statewatch.conformance")]
    names = Counter(name for group in groups for name in vars(group) if not name.startswith("_"))
    del names["place"]  # this one is there to be overridden
    assert [name for name, count in names.items() if count > 1] == []


def test_every_group_of_clauses_is_in_a_suite() -> None:
    def below(group: type[Clauses]) -> Iterator[type[Clauses]]:
        for each in group.__subclasses__():
            yield each
            yield from below(each)

    used = {group for conformance in SUITES for group in conformance.__mro__}
    assert {group.__name__ for group in below(Clauses) if group.__name__.endswith("Clauses")} <= {
        group.__name__ for group in used
    }


class Shares(MemoryStore):
    """Hands out what it holds."""

    def _load(self, key: str) -> Found:
        return self._document.get(key, Raise.RAISE)


class RoundsFloats(MemoryStore):
    """Keeps numbers as a database would that has one type for them."""

    def _load(self, key: str) -> Found:
        value = super()._load(key)
        return int(value) if isinstance(value, float) and value.is_integer() else value


class FoldsCase(MemoryStore):
    """Compares keys as some databases do."""

    def _load(self, key: str) -> Found:
        return super()._load(next((known for known in self._document if known.lower() == key.lower()), key))


class DoesNotRollBack(MemoryStore):
    """Writes what a body had saved before it failed."""

    def transact(self, body: Callable[[Transaction], T], operation: str = "write") -> T:
        with self._writing:
            transaction = Transaction(_Held(self._document))
            try:
                return body(transaction)
            finally:
                self._document = overlaid(self._document, transaction.writes)


class WritesAlways(MemoryStore):
    """Makes a new version whatever happened."""

    def transact(self, body: Callable[[Transaction], T], operation: str = "write") -> T:
        result = super().transact(body, operation)
        self._document = dict(self._document)
        return result


class TakesNoLock(MemoryStore):
    """Lets others in between reading and writing."""

    def transact(self, body: Callable[[Transaction], T], operation: str = "write") -> T:
        transaction = Transaction(_Held(self._document))
        result = body(transaction)
        time.sleep(0.001)
        self._document = overlaid(self._document, transaction.writes)
        return result


class WritesOneByOne(MemoryStore):
    """Shows the first of several keys before the last is written."""

    def transact(self, body: Callable[[Transaction], T], operation: str = "write") -> T:
        with self._writing:
            transaction = Transaction(_Held(self._document))
            result = body(transaction)
            for key, value in transaction.writes.items():
                self._document = overlaid(self._document, {key: value})
                time.sleep(0.0005)
            return result


class AllowsNesting(MemoryStore):
    """Runs a transaction inside another."""

    def transact(self, body: Callable[[Transaction], T], operation: str = "write") -> T:
        with self._writing:
            inside, self._inside = self._inside, False
            try:
                return super().transact(body, operation)
            finally:
                self._inside = inside


class DoesNotCompare(MemoryStore):
    """Swaps without comparing."""

    def compare_and_swap(self, expected: str, body: Callable[[Transaction], T], operation: str = "swap") -> T:
        return self.transact(body, operation)


class IsDeaf(MemoryStore):
    """Never hears of a change."""

    def wait(self, since: str, timeout: float) -> bool:
        return threading.Event().wait(min(timeout, 0.2))


class CriesWolf(MemoryStore):
    """Tells of changes that were none."""

    def wait(self, since: str, timeout: float) -> bool:
        return True


class KeepsNoMoment(MemoryStore):
    """Has checkpoints that follow the namespace."""

    def read_checkpoint(self, name: str) -> Revision:
        super().read_checkpoint(name)
        return self.snapshot()


class ForgetsNotes(MemoryStore):
    """Keeps the content of a checkpoint, and not what was said about it."""

    def checkpoints(self) -> list[Checkpoint]:
        return [replace(checkpoint, note="") for checkpoint in super().checkpoints()]


class VerifiesAnything(MemoryStore):
    """Does not look at what it vouches for."""

    def verify_checkpoint(self, name: str) -> bool:
        return bool(self.find_checkpoint(name))


class TakesAnyName(MemoryStore):
    """Does not look at names of checkpoints."""

    def _check_new_name(self, name: str, existing: Any, *, replacing: bool) -> None:
        pass


class _Held:
    """What a transaction of these stores reads."""

    def __init__(self, document: dict[str, JSON]) -> None:
        self._document = document

    def load(self, key: str) -> Found:
        return self._document.get(key, Raise.RAISE)

    def keys(self) -> list[str]:
        return list(self._document)

    def document(self) -> dict[str, JSON]:
        return self._document


@pytest.mark.parametrize(
    ("kind", "clause", "arguments"),
    [
        (Shares, "test_changing_what_was_loaded_changes_nothing", {}),
        (RoundsFloats, "test_a_value_comes_back_exactly", {}),
        (FoldsCase, "test_keys_that_differ_only_in_case_are_two", {}),
        (DoesNotRollBack, "test_nothing_is_there_when_the_body_raises", {"error": KeyboardInterrupt()}),
        (WritesAlways, "test_saving_what_is_there_writes_nothing", {}),
        (TakesNoLock, "test_no_increment_of_one_key_by_threads_is_lost", {}),
        (WritesOneByOne, "test_a_reader_never_sees_half_of_a_change", {}),
        (AllowsNesting, "test_a_transaction_inside_a_transaction_is_refused", {}),
        (DoesNotCompare, "test_a_swap_refuses_after_any_other_change", {}),
        (IsDeaf, "test_a_wait_is_woken_by_a_change", {"who": "the same object"}),
        (CriesWolf, "test_a_checkpoint_wakes_nobody", {}),
        (KeepsNoMoment, "test_a_checkpoint_holds_the_namespace_as_it_was", {}),
        (ForgetsNotes, "test_a_checkpoint_is_listed_with_what_is_known_about_it", {}),
        (VerifiesAnything, "test_a_damaged_checkpoint_is_found_out", {}),
        (TakesAnyName, "test_what_cannot_name_a_checkpoint_is_refused_and_leaves_nothing", {}),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else "",
)
def test_a_store_that_breaks_a_promise_is_found_out(
    kind: type[MemoryStore], clause: str, arguments: dict[str, object]
) -> None:
    keeps(MemoryPlace(), clause, arguments)
    with breaks():
        keeps(MemoryPlace(kind), clause, arguments)


def keeps(place: Place, clause: str, arguments: dict[str, object]) -> None:
    """Run a clause of every store, with the fixtures that it asks for."""
    method = getattr(suite.StoreConformance(), clause)
    store = place.open()
    fixtures = {"store": store, "place": place, "stores": [store] * 8}
    wanted = method.__code__.co_varnames[1 : method.__code__.co_argcount]
    method(**arguments, **{name: fixtures[name] for name in wanted if name not in arguments})


@contextmanager
def breaks() -> Iterator[None]:
    """Demand that a clause fails, as an assertion or as one of pytest's failures."""
    with pytest.raises((AssertionError, pytest.fail.Exception)):
        yield


class NaiveFile(FileStore):
    """Reads, changes and replaces a file, as most programs do."""

    def transact(self, body: Callable[[Transaction], T], operation: str = "write") -> T:
        document = self.snapshot().document
        assert isinstance(document, dict)
        transaction = Transaction(_Held(document))
        result = body(transaction)
        self.path.parent.mkdir(exist_ok=True)
        temporary = self.path.with_suffix(f".{time.perf_counter_ns()}")
        temporary.write_text(json.dumps(overlaid(document, transaction.writes)))
        temporary.replace(self.path)
        return result


def naive_file(directory: Path, namespace: str, timeout: float) -> Store:
    return NaiveFile(directory / f"{namespace}.json", timeout)


def test_a_store_whose_processes_do_not_exclude_each_other_is_found_out(tmp_path: Path) -> None:
    place = Place(partial(naive_file, tmp_path))
    with Crew(place.opener) as crew, breaks():
        suite.SharedConformance().test_no_increment_of_one_key_by_processes_is_lost(place.open(), crew)


ELSEWHERE = """
from functools import cache

import pytest

from statewatch.conformance.place import Place
from statewatch.conformance.suite import StoreConformance
from statewatch.core.stores.memory import MemoryStore


class MyPlace(Place):
    def traces(self):
        return {}


class TestMyStore(StoreConformance):
    @pytest.fixture
    def place(self):
        return MyPlace(cache(lambda namespace, timeout: MemoryStore(namespace)))


class ForgetfulStore(MemoryStore):
    def keys(self):
        return []


class TestForgetfulStore(StoreConformance):
    @pytest.fixture
    def place(self):
        return MyPlace(cache(lambda namespace, timeout: ForgetfulStore(namespace)))
"""


def test_an_engine_elsewhere_joins_in_with_a_place(tmp_path: Path) -> None:
    (tmp_path / "test_mine.py").write_text(ELSEWHERE)
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-k", "test_a_deleted_key", "test_mine.py"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "1 failed, 3 passed" in done.stdout, done.stdout + done.stderr
    assert "assert [] == ['two']" in done.stdout, "an assertion in the suite does not show what it compared"
