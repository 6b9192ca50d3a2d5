"""Clauses about processes: what other programs on the same store do is neither lost nor seen by halves."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from statewatch.conformance import work
from statewatch.conformance.crew import Crew, together
from statewatch.conformance.place import PATIENCE, Clauses, Place, held, number, one_more, save_all
from statewatch.core.stores.base import Store

PROCESSES = 8


class CrewClauses(Clauses):
    """The base of the clauses that need processes."""

    @pytest.fixture
    def crew(self, place: Place) -> Iterator[Crew]:
        """Return the processes of this test."""
        with Crew(place.opener) as crew:
            yield crew


class UpdateByProcessClauses(CrewClauses):
    """No lost update."""

    def test_no_increment_of_one_key_by_processes_is_lost(self, store: Store, crew: Crew) -> None:
        together(crew.members(PROCESSES), work.increment, 200)
        assert store.load("count") == PROCESSES * 200

    def test_no_increment_of_own_keys_by_processes_is_lost(self, store: Store, crew: Crew) -> None:
        together(crew.members(PROCESSES), work.increment_own, 200, numbered=True)
        assert held(store) == {f"count of {me}": 200 for me in range(PROCESSES)}

    def test_no_increment_is_lost_when_threads_and_processes_mix(self, store: Store, crew: Crew) -> None:
        members = crew.members(3)
        for member in members:
            member.begin(work.increment_in_threads, 3, 15)
        with ThreadPoolExecutor(3) as pool:
            mine = [pool.submit(store.update, "count", one_more, 0) for _ in range(45)]
            for done in mine:
                done.result()
        for member in members:
            member.result()
        assert store.load("count") == 45 + 3 * 3 * 15

    def test_a_namespace_is_begun_by_many_at_once(self, place: Place, crew: Crew) -> None:
        members = crew.members(PROCESSES)
        for burst in range(25):
            together(members, work.begin_namespaces, burst, numbered=True)
            with place.open(f"burst{burst}") as store:
                assert held(store) == {"count": PROCESSES} | {f"from {me}": me for me in range(PROCESSES)}

    def test_every_append_of_processes_to_a_list_is_in_it_once_and_in_order(self, store: Store, crew: Crew) -> None:
        together(crew.members(PROCESSES), work.append, 15, numbered=True)
        entries = store.load("list")
        assert isinstance(entries, list)
        assert len(entries) == PROCESSES * 15
        for me in range(PROCESSES):
            mine = [entry for entry in entries if isinstance(entry, list) and entry[0] == me]
            assert mine == [[me, turn] for turn in range(15)]

    def test_no_increment_by_processes_that_swap_is_lost(self, store: Store, crew: Crew) -> None:
        together(crew.members(4), work.increment_by_swapping, 10)
        assert store.load("count") == 40

    def test_transfers_in_opposite_directions_keep_the_sum_at_every_moment(self, store: Store, crew: Crew) -> None:
        save_all(store, {"a": 100, "b": 100})
        reader, *others = crew.members(5)
        reader.begin(work.sums_until_told)
        together(others, work.transfer, 25, numbered=True)
        store.save("stop", value=True)
        assert reader.result() == {200}
        assert held(store) == {"a": 100, "b": 100, "stop": True}

    def test_a_key_is_created_by_one_process(self, store: Store, crew: Crew) -> None:
        members = crew.members(PROCESSES)
        for turn in range(5):
            won = together(members, work.create, f"owner {turn}", numbered=True)
            assert won.count(True) == 1
            assert store.load(f"owner {turn}") == won.index(True)

    def test_a_revision_is_swapped_by_one_process(self, store: Store, crew: Crew) -> None:
        members = crew.members(PROCESSES)
        for turn in range(5):
            store.save("turn", turn)
            digest = store.snapshot().digest
            won = together(members, work.swap_once, digest, numbered=True)
            assert won.count(True) == 1
            assert store.load("winner") == [won.index(True), digest]

    def test_a_slow_writer_gets_its_turn_among_fast_ones(self, store: Store, crew: Crew) -> None:
        slow, *fast = crew.members(5)
        for member in fast:
            member.begin(work.increment_until_told)
        slow.do(work.increment_slowly, 5, 0.03)
        store.save("stop", value=True)
        others = sum(member.result() for member in fast)
        assert store.load("count") == 5 + others

    def test_children_of_a_process_may_use_its_store(self, store: Store, crew: Crew) -> None:
        crew.member().do(work.fork_and_use, 15)
        assert store.load("count") == 1 + 3 * 15 + 15 + 1

    def test_a_child_that_ends_does_not_end_the_transaction_it_was_born_in(self, store: Store, crew: Crew) -> None:
        member = crew.member()
        store.save("key", "before")
        member.begin(work.fork_inside)
        assert member.hear() == "child has ended"
        assert store.load("key") == "before"
        member.go_on()
        assert member.result() == ["committed"]
        assert store.load("key") == "from the parent"


class SeenByProcessClauses(CrewClauses):
    """What one process does the others see."""

    def test_what_one_has_written_the_other_sees_at_once(self, store: Store, crew: Crew) -> None:
        member = crew.member()
        for turn in range(40):
            if turn % 2:
                store.save("turn", turn)
                assert member.do(work.load, "turn") == turn
            else:
                member.do(work.save, "turn", turn)
                assert store.load("turn") == turn
                assert held(store) == {"turn": turn}

    def test_what_one_has_deleted_is_gone_for_the_other_at_once(self, store: Store, crew: Crew) -> None:
        member = crew.member()
        for turn in range(5):
            store.save("key", turn)
            assert member.do(work.load, "key") == turn
            member.do(work.delete, "key")
            assert store.load("key", "gone") == "gone"
            assert member.do(work.read_all) == {}

    def test_what_was_written_outlives_the_process(self, store: Store, crew: Crew) -> None:
        member = crew.member()
        member.do(work.save, "key", {"a": [1, None]})
        member.do(work.checkpoint, "release")
        member.kill()
        assert held(store) == {"key": {"a": [1, None]}}
        assert store.read_checkpoint("release").document == {"key": {"a": [1, None]}}

    def test_a_change_by_another_process_wakes_who_waits(self, store: Store, crew: Crew) -> None:
        member = crew.member()
        with ThreadPoolExecutor(1) as pool:
            for turn in range(3):
                waiting = pool.submit(store.wait, store.snapshot().digest, PATIENCE)
                member.do(work.save, "turn", turn)
                assert waiting.result() is True

    def test_a_change_here_wakes_another_process(self, store: Store, crew: Crew) -> None:
        members = crew.members(3)
        for member in members:
            member.begin(work.wait, store.snapshot().digest)
        for member in members:
            assert member.hear() == "waiting"
        store.save("key", 1)
        assert [member.result() for member in members] == [True] * 3

    def test_a_watcher_in_another_process_comes_to_the_last(self, store: Store, crew: Crew) -> None:
        members = crew.members(2)
        for member in members:
            member.begin(work.watch, store.snapshot().digest, 60)
        for turn in range(1, 61):
            store.save("turn", turn)
        for member in members:
            seen = member.result()
            assert seen == sorted(set(seen))
            assert seen[-1] == 60

    def test_checkpoints_are_seen_by_others_at_once(self, store: Store, crew: Crew) -> None:
        member = crew.member()
        store.save("key", 1)
        assert member.do(work.list_checkpoints) == []
        store.checkpoint("ours")
        assert member.do(work.list_checkpoints) == ["ours"]
        member.do(work.checkpoint, "theirs", "a note")
        assert [made.name for made in store.checkpoints()] == ["ours", "theirs"]
        assert store.find_checkpoint("theirs").note == "a note"
        store.delete_checkpoint("theirs")
        assert member.do(work.list_checkpoints) == ["ours"]

    def test_checkpoints_made_at_once_by_processes_are_all_there(self, store: Store, crew: Crew) -> None:
        store.save("key", 1)
        made = together(crew.members(6), work.checkpoints, 3, numbered=True)
        wanted = [name for names in made for name in names]
        assert len(set(wanted)) == 6 * 3 * 2
        assert sorted(checkpoint.name for checkpoint in store.checkpoints()) == sorted(wanted)
        assert all(store.verify_checkpoint(name) for name in wanted)

    def test_a_name_of_a_checkpoint_is_taken_by_one_process(self, store: Store, crew: Crew) -> None:
        members = crew.members(6)
        for turn in range(3):
            made = together(members, work.checkpoint, f"release {turn}")
            assert sorted(filter(None, made)) == [f"release {turn}"]
        assert [checkpoint.name for checkpoint in store.checkpoints()] == ["release 0", "release 1", "release 2"]

    def test_a_checkpoint_holds_one_moment_of_what_others_write(self, store: Store, crew: Crew) -> None:
        writers = crew.members(2)
        save_all(store, {"a": 50, "b": 50})
        for me, member in enumerate(writers):
            member.begin(work.transfer, me, 60)
        for turn in range(15):
            store.checkpoint(f"at {turn}")
        for member in writers:
            member.result()
        for turn in range(15):
            document = store.read_checkpoint(f"at {turn}").document
            assert isinstance(document, dict)
            assert number(document["a"]) + number(document["b"]) == 100
