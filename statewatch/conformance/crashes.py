"""Clauses about crashes: a process that is killed leaves the old state or the new one, and stands in nobody's way."""

import os
import random
import signal

from statewatch.conformance import work
from statewatch.conformance.crew import Crew, Member
from statewatch.conformance.place import Place, held, number, save_all
from statewatch.conformance.processes import CrewClauses
from statewatch.core.stores.base import Store

ROUNDS = 12


class CrashClauses(CrewClauses):
    """Processes end by SIGKILL, at moments of all kinds."""

    def test_a_writer_killed_inside_a_transaction_changes_nothing(self, store: Store, crew: Crew) -> None:
        store.save("key", 1)
        member = crew.member()
        member.begin(work.hold)
        member.hear()
        member.kill()
        assert held(store) == {"key": 1}

    def test_a_writer_killed_inside_a_transaction_is_in_nobodys_way(
        self, store: Store, place: Place, crew: Crew
    ) -> None:
        for turn in range(3):
            member = crew.member()
            member.begin(work.hold)
            member.hear()
            member.kill()
            place.open(timeout=10).save("turn", turn)  # a LockedError if it had to be waited for
        assert held(store) == {"turn": 2}

    def test_those_who_wait_for_a_writer_that_is_killed_get_their_turn(self, store: Store, crew: Crew) -> None:
        holder, *others = crew.members(4)
        for member in others:
            member.do(work.ready)
        holder.begin(work.hold)
        holder.hear()
        for member in others:
            member.begin(work.increment, 3)
        holder.kill()
        for member in others:
            member.result()
        assert held(store) == {"count": 9}

    def test_a_writer_killed_while_it_waits_is_in_nobodys_way(self, store: Store, crew: Crew) -> None:
        holder, waiter, after = crew.members(3)
        waiter.do(work.ready)
        holder.begin(work.hold)
        holder.hear()
        waiter.begin(work.save, "waiter", 1)
        after.begin(work.save, "after", 1)
        waiter.kill()
        holder.go_on()
        holder.result()
        after.result()
        store.save("last", 1)
        assert set(store.keys()) - {"waiter"} == {"held", "also", "after", "last"}

    def test_a_writer_killed_at_any_moment_leaves_all_of_a_change_or_nothing(self, store: Store, crew: Crew) -> None:
        for _ in range(ROUNDS):
            member = crew.member()
            member.begin(work.count_up)
            confirmed = _killed_at_random(member)
            document = held(store)
            assert isinstance(document, dict)
            assert len(set(map(number, document.values()))) == 1, document
            assert len(document) == 42
            assert confirmed <= number(document["left"]) <= confirmed + 1

    def test_what_was_confirmed_is_never_taken_back(self, store: Store, crew: Crew) -> None:
        best = 0
        for _ in range(ROUNDS // 2):
            members = crew.members(2)
            for member in members:
                member.begin(work.increment_own, os.getpid(), 1)
            for member in members:
                member.result()
            best += 2
            for member in members:
                member.begin(work.increment_own, os.getpid(), 1)
                member.kill()
            count = number(store.load(f"count of {os.getpid()}"))
            assert best <= count <= best + 2
            best = count

    def test_killed_writers_do_not_disturb_the_others(self, store: Store, crew: Crew) -> None:
        members = crew.members(3)
        for member in members:
            member.begin(work.increment, 60)
        for _ in range(4):
            victim = crew.member()
            victim.begin(work.count_up)
            _killed_at_random(victim)
        for member in members:
            member.result()
        assert store.load("count") == 180

    def test_a_writer_killed_at_any_moment_leaves_no_litter(self, store: Store, place: Place, crew: Crew) -> None:
        save_all(store, {"left": 0, "right": 0, "last": 0, **{f"many {index}": 0 for index in range(40)}})
        before = set(place.traces())
        for _ in range(ROUNDS):
            member = crew.member()
            member.begin(work.count_up)
            _killed_at_random(member)
        place.open().save("last", 1)
        assert set(place.traces()) - before == set()

    def test_checkpoints_are_whole_whenever_their_maker_is_killed(self, store: Store, place: Place, crew: Crew) -> None:
        store.save("key", {"a": [1]})
        confirmed: set[str] = set()
        for turn in range(ROUNDS):
            member = crew.member()
            member.begin(work.keep_and_drop, turn)
            confirmed |= {name for name in _heard_until_killed(member) if isinstance(name, str)}
        fresh = place.open()
        found = {made.name: made for made in fresh.checkpoints()}
        assert confirmed <= set(found)
        for name, made in found.items():
            assert fresh.verify_checkpoint(name), name
            assert fresh.read_checkpoint(name).document == {"key": {"a": [1]}}
            assert made.note in (name, "draft", "") or name == "the latest"
        assert all(found[name].pinned for name in confirmed)
        assert held(fresh) == {"key": {"a": [1]}}

    def test_after_kills_checkpoints_can_be_made_edited_and_deleted(
        self, store: Store, place: Place, crew: Crew
    ) -> None:
        for turn in range(ROUNDS // 2):
            member = crew.member()
            member.begin(work.keep_and_drop, turn)
            _heard_until_killed(member)
        fresh = place.open()
        for made in fresh.checkpoints():
            fresh.edit_checkpoint(made.name, pinned=False)
            fresh.delete_checkpoint(made.name)
        assert fresh.checkpoints() == []
        fresh.checkpoint("the latest")
        assert [made.name for made in store.checkpoints()] == ["the latest"]

    def test_a_writer_that_is_ended_politely_leaves_as_little(self, store: Store, place: Place, crew: Crew) -> None:
        member = crew.member()
        member.begin(work.hold)
        member.hear()
        os.kill(member.pid, signal.SIGTERM)
        member.kill()
        place.open(timeout=10).save("after", 1)
        assert held(store) == {"after": 1}


def _killed_at_random(member: Member) -> int:
    """Kill a member that counts after some of what it says; return the last number that it confirmed."""
    return max(said for said in _heard_until_killed(member) if isinstance(said, int))


def _heard_until_killed(member: Member) -> list[object]:
    heard: list[object] = [member.hear() for _ in range(random.SystemRandom().randint(1, 3))]
    _spend(random.SystemRandom().uniform(0, 0.004))
    return heard + member.kill()


def _spend(seconds: float) -> None:
    """Let some time pass, too short for a sleep to hit."""
    import time  # noqa: PLC0415

    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        pass
