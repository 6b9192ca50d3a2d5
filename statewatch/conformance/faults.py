"""Clauses about servers that stop and connections that break: done once, or not, or said to be unknown; never twice."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from statewatch.conformance import work
from statewatch.conformance.crew import Crew
from statewatch.conformance.place import PATIENCE, Clauses, ServerPlace, held, number, one_more, save_all
from statewatch.conformance.processes import CrewClauses
from statewatch.conformance.waiting import coming
from statewatch.core.errors import StatewatchError, UnavailableError, UnknownOutcomeError
from statewatch.core.stores.base import Store
from statewatch.core.stores.transaction import Transaction

PROMPT = 10.0
"""Seconds beyond its timeout in which a call must have given up: wide, for a busy machine."""


class OutageClauses(CrewClauses):
    """The server is stopped, killed and started."""

    def test_a_server_that_is_down_is_an_error_that_says_so_in_time(self, place: ServerPlace) -> None:
        store = place.open(timeout=0.5)
        place.server.stop()
        try:
            for use in (lambda: store.load("key", None), lambda: store.save("key", 1), store.keys, store.checkpoints):
                begun = time.monotonic()
                with pytest.raises(UnavailableError, match=r"127\.0\.0\.1"):
                    use()
                assert time.monotonic() - begun < PROMPT
        finally:
            place.server.start()
        assert store.keys() == []

    def test_a_server_that_comes_back_is_used_again(self, place: ServerPlace) -> None:
        store = place.open(timeout=2)
        store.save("key", {"a": [1]})
        store.checkpoint("release")
        place.server.stop()
        try:
            with pytest.raises(UnavailableError):
                store.load("key")
        finally:
            place.server.start()
        assert store.load("key") == {"a": [1]}
        assert store.read_checkpoint("release").document == {"key": {"a": [1]}}
        store.save("key", 2)
        assert held(place.open()) == {"key": 2}

    def test_a_restart_between_two_calls_is_not_noticed(self, place: ServerPlace) -> None:
        store = place.open()
        store.save("count", 1)
        for restart in (place.server.stop, place.server.kill):
            restart()
            place.server.start()
            assert store.update("count", one_more) == store.load("count")
        assert store.load("count") == 3

    def test_who_calls_while_it_restarts_waits_for_it(self, place: ServerPlace) -> None:
        store = place.open()
        store.save("count", 1)
        place.server.stop()
        with ThreadPoolExecutor(2) as pool:
            reading = pool.submit(store.load, "count")
            writing = pool.submit(store.update, "other", one_more, 0)
            place.server.start()
            assert (reading.result(), writing.result()) == (1, 1)

    def test_a_server_killed_inside_a_transaction_is_done_once_or_not(self, place: ServerPlace) -> None:
        store = place.open()
        store.save("count", 1)
        runs = []

        def body(transaction: Transaction) -> None:
            count = number(transaction.load("count"))
            runs.append(count)
            if len(runs) == 1:
                place.server.kill()
                place.server.start()
            transaction.save("count", count + 1)

        store.transact(body)
        assert store.load("count") == 2

    def test_what_was_confirmed_outlives_a_kill_of_the_server(self, place: ServerPlace) -> None:
        store = place.open()
        for turn in range(20):
            store.save("turn", turn)
        store.checkpoint("release")
        place.server.kill()
        place.server.start()
        assert store.load("turn") == 19
        assert store.verify_checkpoint("release")

    def test_a_watcher_outlives_a_restart(self, place: ServerPlace) -> None:
        store, writer = place.open(), place.open()
        revisions = store.watch(store.snapshot().digest, poll=0.2)
        writer.save("turn", 1)
        assert coming(revisions).document == {"turn": 1}
        place.server.stop()
        place.server.start()
        with ThreadPoolExecutor(1) as pool:
            found = pool.submit(coming, revisions)
            writer.save("turn", 2)
            assert found.result().document == {"turn": 2}

    def test_processes_at_work_survive_a_restart(self, place: ServerPlace, crew: Crew) -> None:
        members = crew.members(3)
        for member in members:
            member.do(work.ready)
            member.begin(work.increment_surely, 60)
        members[0].hear()
        place.server.kill()
        place.server.start()
        sure, unsure = map(sum, zip(*(member.result() for member in members), strict=True))
        assert sure <= number(place.open().load("count")) <= sure + unsure

    def test_no_message_gives_the_password_away(self, place: ServerPlace) -> None:
        store = place.with_password("hunter2", 0.5)
        said = [store.url, repr(store)]
        try:
            store.load("key")
        except StatewatchError as error:  # the key is missing, or the server knows no such password
            said.append(str(error))
        place.server.stop()
        try:
            with pytest.raises(UnavailableError) as caught:
                store.save("key", 1)
        finally:
            place.server.start()
        said.append(str(caught.value))
        assert [text for text in said if "hunter2" in text] == []


class LostConnectionClauses(Clauses):
    """The connection breaks while the server goes on."""

    def test_a_connection_that_broke_between_two_calls_is_not_noticed(self, place: ServerPlace) -> None:
        store = place.open()
        for turn in range(5):
            place.proxy.cut()
            store.save("turn", turn)
            place.proxy.cut()
            assert store.load("turn") == turn
            place.proxy.cut()
            assert held(store) == {"turn": turn}
        place.proxy.cut()
        assert store.checkpoints() == []
        place.proxy.cut()
        store.checkpoint("release")

    def test_a_connection_that_breaks_inside_a_transaction_is_made_anew(self, place: ServerPlace) -> None:
        store = place.open()
        store.save("count", 1)
        runs = []

        def body(transaction: Transaction) -> None:
            runs.append(1)
            count = number(transaction.load("count"))
            if len(runs) == 1:
                place.proxy.cut()
            transaction.save("count", count + 1)

        store.transact(body)
        assert store.load("count") == 2

    def test_a_commit_that_never_arrived_is_made_once(self, place: ServerPlace) -> None:
        store = place.open()
        store.save("count", 0)
        for turn in range(1, 4):
            place.proxy.lose_request(place.commit)
            assert _tried(store) in (turn, None)
            place.proxy.heal()
            if store.load("count") != turn:
                store.save("count", turn)

    def test_a_commit_that_never_arrived_and_cannot_be_repeated_changes_nothing(self, place: ServerPlace) -> None:
        store = place.open(timeout=2)
        store.save("count", 0)
        place.proxy.lose_request(place.commit, then_refuse=True)
        with pytest.raises((UnavailableError, UnknownOutcomeError)):
            store.update("count", one_more)
        place.proxy.heal()
        assert store.load("count") == 0

    def test_a_commit_whose_reply_was_lost_is_found_out_about_or_said_to_be_unknown(self, place: ServerPlace) -> None:
        store = place.open()
        store.save("count", 0)
        for turn in range(1, 4):
            place.proxy.lose_reply(place.commit)
            assert _tried(store) in (turn, None)
            place.proxy.heal()
            assert store.load("count") == turn

    def test_a_commit_that_cannot_be_found_out_about_is_said_to_be_unknown(self, place: ServerPlace) -> None:
        store = place.open(timeout=2)
        store.save("count", 0)
        place.proxy.lose_reply(place.commit, then_refuse=True)
        with pytest.raises(UnknownOutcomeError):
            store.update("count", one_more)
        place.proxy.heal()
        assert store.load("count") == 1

    def test_a_checkpoint_whose_reply_was_lost_is_there_once(self, place: ServerPlace) -> None:
        store = place.open()
        store.save("key", 1)
        for turn in range(6):
            place.proxy.lose_reply(b"", nth=turn + 1)
            try:
                store.checkpoint(f"release {turn}")
            except (UnknownOutcomeError, UnavailableError):
                place.proxy.heal()
                if f"release {turn}" not in [made.name for made in store.checkpoints()]:
                    store.checkpoint(f"release {turn}")
            place.proxy.heal()
        assert [made.name for made in store.checkpoints()] == [f"release {turn}" for turn in range(6)]
        assert all(store.verify_checkpoint(made.name) for made in store.checkpoints())

    def test_whatever_request_is_lost_nothing_is_done_twice(self, place: ServerPlace) -> None:
        self.nothing_is_done_twice(place, "lose_request")

    def test_whatever_reply_is_lost_nothing_is_done_twice(self, place: ServerPlace) -> None:
        self.nothing_is_done_twice(place, "lose_reply")

    def nothing_is_done_twice(self, place: ServerPlace, lose: str) -> None:
        for nth in range(1, 9):
            store = place.open(f"n{nth}", timeout=PATIENCE)
            store.save("count", 0)
            sure = 0
            for _ in range(3):
                getattr(place.proxy, lose)(b"", nth=nth)
                done = _tried(store)
                place.proxy.heal()
                found = number(store.load("count"))
                assert found == done if done is not None else found in (sure, sure + 1)
                sure = found

    def test_reading_goes_on_whatever_is_lost(self, place: ServerPlace) -> None:
        store = place.open()
        save_all(store, {"key": [1], "other": 2})
        store.checkpoint("release")
        for lose in (place.proxy.lose_request, place.proxy.lose_reply):
            for nth in (1, 2, 3):
                lose(b"", nth=nth)
                assert store.load("key") == [1]
                assert sorted(store.keys()) == ["key", "other"]
                assert held(store) in ({"key": [1], "other": 2}, {"other": 2, "key": [1]})
                assert [made.name for made in store.checkpoints()] == ["release"]
                assert store.read_checkpoint("release").document == {"key": [1], "other": 2}
        place.proxy.heal()

    def test_threads_at_work_survive_cuts(self, place: ServerPlace) -> None:
        store = place.open()
        store.save("count", 0)
        tried: list[int | None] = []

        def increment() -> None:
            for _ in range(30):
                tried.append(_tried(store))

        with ThreadPoolExecutor(3) as pool:
            working = [pool.submit(increment) for _ in range(3)]
            for reached in range(3, 81, 3):
                while len(tried) < reached and not all(one.done() for one in working):
                    time.sleep(0.0005)
                place.proxy.cut()
            for one in working:
                one.result()
        sure = len(tried) - tried.count(None)
        assert sure <= number(store.load("count")) <= len(tried) == 90

    def test_who_waits_is_woken_after_a_cut(self, place: ServerPlace) -> None:
        store, writer = place.open(), place.open()
        digest = store.snapshot().digest
        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(store.wait, digest, PATIENCE)
            place.proxy.cut()
            writer.save("key", 1)
            assert waiting.result() is True


def _tried(store: Store) -> int | None:
    """Add one to the number; return the new one, None when the store does not know whether it was done."""
    try:
        return number(store.update("count", one_more))
    except UnknownOutcomeError:
        return None
