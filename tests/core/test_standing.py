"""What is in force by the audit log: undo and redo walk back and forth as two stacks for each source would."""

import dataclasses
import itertools
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from statewatch.core.audit import Outcome, Record
from statewatch.core.standing import OVERWRITTEN, Standing, next_redo, next_undo, plain_name, role, standings
from tests.core.logs import record

SOURCES = ("/a", "/b", "sqlite:/c?namespace=d")


def undo(identity: str, of: Record, **fields: Any) -> Record:
    verb = "redo" if role(of) == "undo" else "undo"
    fields = {"action": f"{verb} {plain_name(of)}", "undoes": of.id, **fields}
    return record(identity, of.source, **fields)


def overwritten(identity: str, which: Record) -> Record:
    name = which.action + OVERWRITTEN
    return dataclasses.replace(
        which, id=identity, action=name, before=which.after, after=which.before, inverse=[], undoes=which.id
    )


def never(asked: Record) -> bool:
    raise AssertionError(f"{asked.id}: the log alone tells")


def stand(*oldest_first: Record) -> dict[str, Standing]:
    return {each.record.id: each for each in standings(reversed(oldest_first), never)}


def test_every_record_has_its_role() -> None:
    action = record("a")
    back = undo("u", action)
    again = undo("r", back)
    assert [role(each) for each in (action, back, again, undo("v", again))] == ["action", "undo", "redo", "undo"]
    assert [role(overwritten("n", each)) for each in (action, back, again)] == ["note"] * 3
    assert {plain_name(each) for each in (action, back, again, undo("v", again))} == {"reset"}
    assert role(record("x", action="undo the damage")) == "action", "what it is called is up to whoever does it"
    assert role(undo("u", action, inverse=[])) == "undo", "it may have put back a layout, and no value"


def test_what_was_undone_says_by_what_and_what_was_redone_is_in_force() -> None:
    action = record("a")
    back = undo("u", action)
    found = stand(action, back)
    assert (found["a"].in_force, found["a"].by, found["a"].top) == (False, back, back)
    again = undo("r", back)
    found = stand(action, back, again)
    assert (found["a"].in_force, found["a"].top, found["a"].is_top) == (True, again, False)
    assert (found["u"].in_force, found["u"].by, found["u"].top) == (False, again, again)
    assert found["r"].is_top


def test_what_was_overwritten_is_not_in_force_and_what_it_had_undone_is() -> None:
    action = record("a")
    back = undo("u", action)
    note = overwritten("n", back)
    found = stand(action, back, note)
    assert found["a"].is_top
    assert (found["u"].in_force, found["u"].by, found["u"].top) == (False, note, None)
    assert not found["n"].in_force
    assert next_redo(standings([note, back, action], never)) is None


def test_a_void_record_never_was() -> None:
    action = record("a")
    back = undo("u", action, outcome="void")
    found = stand(action, back)
    assert found["a"].is_top
    assert (found["u"].in_force, found["u"].by, found["u"].top) == (False, None, None)


@pytest.mark.parametrize("outcome", ["interrupted", "in progress"])
@pytest.mark.parametrize("happened", [True, False])
def test_the_next_action_tells_whether_an_interrupted_one_had_happened(outcome: Outcome, *, happened: bool) -> None:
    first = record("a", outcome=outcome)
    second = record("b", before=first.after if happened else first.before)
    assert stand(first, second)["a"].in_force == happened


@pytest.mark.parametrize("happened", [True, False])
def test_where_nothing_followed_the_source_is_asked(*, happened: bool) -> None:
    asked = []

    def look(which: Record) -> bool:
        asked.append(which.id)
        return happened

    first = record("a", outcome="interrupted")
    elsewhere = record("b", "/b", before=first.after)
    moved_on = record("c", "/b", outcome="interrupted")
    found = {each.record.id: each.in_force for each in standings([moved_on, elsewhere, first], look)}
    assert asked == ["c", "a"]
    assert found == {"a": happened, "b": True, "c": happened}


def test_no_more_is_read_than_it_takes() -> None:
    def log() -> Iterable[Record]:
        yield record("b")
        raise AssertionError("read too far")

    assert next_undo(standings(log(), never)) is not None
    assert next_redo(standings(log(), never), ["/a"]) is None


class Log(RuleBasedStateMachine):
    """People act, undo and redo in some files; the log is read as it stands, the model keeps two stacks a file."""

    def __init__(self) -> None:
        super().__init__()
        self.log: list[Record] = []
        self.happened: dict[str, bool] = {}
        self.ids = map(str, itertools.count())
        self.done: dict[str, list[tuple[int, str]]] = defaultdict(list)  # when, and which action
        self.undone: dict[str, list[tuple[int, str]]] = defaultdict(list)
        self.stale: dict[str, list[tuple[int, str]]] = defaultdict(list)  # undone, and then something else was done

    @initialize()
    def begin(self) -> None:
        self.act("/a", "done")

    outcomes = st.sampled_from(["done"] * 6 + ["void", "overwritten", "happened", "never happened"])

    @rule(source=st.sampled_from(SOURCES), outcome=outcomes)
    def act(self, source: str, outcome: str) -> None:
        made = record(next(self.ids), source)
        if self.write(made, outcome):
            self.done[source].append((len(self.log), made.id))
            self.stale[source] += self.undone[source]
            self.undone[source] = []

    @precondition(lambda self: any(self.done.values()))
    @rule(data=st.data(), outcome=outcomes)
    def undo_last(self, data: st.DataObject, outcome: str) -> None:
        sources = data.draw(st.sampled_from([[each] for each in SOURCES if self.done[each]] + [[*SOURCES]]))
        found = next_undo(self.standings(), sources)
        assert found is not None
        self.move(found.record, self.done, self.undone, outcome)

    @precondition(lambda self: any(self.undone.values()))
    @rule(data=st.data(), outcome=outcomes)
    def redo_last(self, data: st.DataObject, outcome: str) -> None:
        sources = data.draw(st.sampled_from([[each] for each in SOURCES if self.undone[each]] + [[*SOURCES]]))
        found = next_redo(self.standings(), sources)
        assert found is not None
        self.move(found.record, self.undone, self.done, outcome)

    @precondition(lambda self: any(self.done.values()))
    @rule(data=st.data(), outcome=outcomes)
    def undo_a_chosen_one(self, data: st.DataObject, outcome: str) -> None:
        chosen = data.draw(st.sampled_from(sorted(each for stack in self.done.values() for _, each in stack)))
        top = self.found(chosen).top
        assert top is not None
        assert role(top) in {"action", "redo"}
        self.move(top, self.done, self.undone, outcome)

    @precondition(lambda self: any(self.undone.values()) or any(self.stale.values()))
    @rule(data=st.data(), outcome=outcomes)
    def redo_a_chosen_one(self, data: st.DataObject, outcome: str) -> None:
        stacks = (*self.undone.values(), *self.stale.values())
        chosen = data.draw(st.sampled_from(sorted(each for stack in stacks for _, each in stack)))
        top = self.found(chosen).top
        assert top is not None
        assert role(top) == "undo"
        is_stale = chosen in [each for _, each in self.stale[top.source]]
        self.move(top, self.stale if is_stale else self.undone, self.done, outcome)

    def move(
        self,
        which: Record,
        here: dict[str, list[tuple[int, str]]],
        there: dict[str, list[tuple[int, str]]],
        outcome: str,
    ) -> None:
        root = self.root(which)
        if self.write(undo(next(self.ids), which), outcome):
            here[which.source] = [each for each in here[which.source] if each[1] != root]
            there[which.source].append((len(self.log), root))

    def write(self, made: Record, outcome: str) -> bool:
        """Put a record into the log; tell whether what it says is so."""
        if outcome == "overwritten":
            self.log += [made, overwritten(next(self.ids), made)]
        elif outcome == "void":
            self.log.append(dataclasses.replace(made, outcome="void"))
        elif outcome == "done":
            self.log.append(made)
        else:
            self.happened[made.id] = outcome == "happened"
            self.log.append(dataclasses.replace(made, outcome="interrupted"))
        return outcome in {"done", "happened"}

    def standings(self) -> Iterable[Standing]:
        return standings(reversed(self.log), lambda which: self.happened[which.id])

    def found(self, identity: str) -> Standing:
        return next(each for each in self.standings() if each.record.id == identity)

    def root(self, which: Record) -> str:
        by_id = {each.id: each for each in self.log}
        while which.undoes is not None:
            which = by_id[which.undoes]
        return which.id

    @invariant()
    def the_next_ones_are_those_on_top_of_the_stacks(self) -> None:
        for sources in (*([each] for each in SOURCES), [*SOURCES], None):
            for following, stacks in ((next_undo, self.done), (next_redo, self.undone)):
                found = following(self.standings(), sources)
                tops = [stacks[source][-1] for source in sources or SOURCES if stacks[source]]
                assert (self.root(found.record) if found else None) == (max(tops)[1] if tops else None)
                assert found is None or found.is_top

    @invariant()
    def what_is_in_force_is_what_was_done_and_not_undone(self) -> None:
        in_force = {each.record.id for each in self.standings() if each.in_force and role(each.record) == "action"}
        assert in_force == {each for stack in self.done.values() for _, each in stack}


TestLog = Log.TestCase
