"""What is kept beside a circuit: who tests it, in which mode it is, how often it opened; and what calls make of it."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statewatch.documents.values import JSON
from statewatch.kinds import circuit_calls, circuit_extras, circuits
from statewatch.kinds.base import RefusedError
from statewatch.kinds.breaker import blank, blank_state
from statewatch.kinds.circuit_calls import Run
from statewatch.kinds.circuit_extras import Decision, decide, entry_of, mode_of, with_entry, with_mode
from statewatch.kinds.hooks import KIND
from statewatch.kinds.policy import DEFAULTS, Policy
from statewatch.kinds.times import stamp
from tests.documents.strategies import values
from tests.kinds.test_breaker import NOON, OPENED

DUE = NOON + 300


class World:
    """A hook state and what is beside it, as calls leave it; and the events that they told."""

    def __init__(self, policy: Policy = DEFAULTS, document: JSON = None, extras: JSON = None) -> None:
        self.policy = policy
        self.document: Any = blank_state(NOON) if document is None else document
        self.extras: Any = {} if extras is None else extras
        self.events: list[dict[str, JSON]] = []
        self._tests = 0

    def ask(self, now: float, hook: str = "h", policy: Policy | None = None) -> Decision:
        self._tests += 1
        called = circuit_calls.ask(self.document, self.extras, hook, now, policy or self.policy, f"test-{self._tests}")
        self.document, self.extras = called.document, called.extras
        self.events += called.events
        return called.result

    def ran(self, now: float, error: str | None = None, probe: str | None = None, hook: str = "h") -> None:
        run = Run(hook, error, None, probe)
        called = circuit_calls.record(self.document, self.extras, [run], now, self.policy)
        self.document, self.extras = called.document, called.extras
        self.events += called.events

    def mode(self, mode: str | None, until: float | None = None) -> None:
        self.extras = circuits.set_mode(self.extras, ["h"], mode, until).document

    @property
    def state(self) -> str:
        return str(self.document["hooks"]["h"]["state"])

    @property
    def entry(self) -> Any:
        return entry_of(self.extras, "h")


def opened(policy: Policy = DEFAULTS) -> World:
    return World(policy, {"hooks": {"h": dict(OPENED)}, "global_stats": {"hooks_disabled": 1}})


def decisions(world: World, now: float, count: int) -> list[str]:
    return [world.ask(now).decision for _ in range(count)]


# --- tests of an open circuit


def test_of_eight_callers_at_once_exactly_one_tests_the_hook() -> None:
    world = opened()
    assert world.ask(DUE - 1) == Decision("skip", "open", "Circuit open, hook disabled, tested in 0:01", retry_in=1.0)
    assert world.document["hooks"]["h"] == OPENED
    asked = [world.ask(DUE) for _ in range(8)]
    assert [each.decision for each in asked] == ["execute_test"] + ["skip"] * 7
    assert asked[0].probe == "test-2"
    assert asked[0].should_execute
    assert asked[7].message == "Circuit half-open, another call is testing it"
    assert asked[7].retry_in == 60


def test_as_many_test_it_at_once_as_the_policy_says() -> None:
    world = opened(Policy(max_probes=3))
    assert decisions(world, DUE, 5) == ["execute_test"] * 3 + ["skip"] * 2
    assert world.ask(DUE).message == "Circuit half-open, 3 other calls are testing it"


def test_the_lease_of_one_who_died_passes_on_when_it_runs_out() -> None:
    world = opened(Policy(probe_lease=30))
    assert decisions(world, DUE, 2) == ["execute_test", "skip"]
    assert decisions(world, DUE + 29.9, 1) == ["skip"]
    assert decisions(world, DUE + 30, 2) == ["execute_test", "skip"]


def test_whoever_has_tested_gives_its_own_lease_back_and_the_next_may_test() -> None:
    world = opened(Policy(max_probes=2))
    first, second = world.ask(DUE), world.ask(DUE)
    world.ran(DUE + 1, probe=second.probe)
    assert [probe["id"] for probe in world.entry["probes"]] == [first.probe]
    world.ran(DUE + 2)  # one that does not say which it was gives back the oldest
    assert world.state == "closed"
    assert world.extras["circuits"] == {}
    assert world.ask(DUE + 3).decision == "execute"


def test_a_test_that_fails_opens_the_circuit_again_and_no_lease_survives_that() -> None:
    world = opened(Policy(max_probes=2))
    assert decisions(world, DUE, 2) == ["execute_test"] * 2
    world.ran(DUE + 1, "still broken")
    assert (world.state, world.entry) == ("open", {})
    assert decisions(world, DUE + 2, 1) == ["skip"]
    assert decisions(world, DUE + 302, 1) == ["execute_test"]


def test_a_lease_of_a_clock_that_ran_ahead_holds_nobody_up_for_longer_than_a_lease() -> None:
    world = opened()
    world.ask(DUE + 10 * 365 * 86_400)
    assert world.ask(DUE).decision == "skip"
    assert world.ask(DUE + 59).decision == "skip"
    assert world.ask(DUE + 61).decision == "execute_test"


def test_a_circuit_that_its_own_tool_has_half_opened_is_tested_by_one_of_us() -> None:
    world = World(document={"hooks": {"h": OPENED | {"state": "half_open"}}})
    assert decisions(world, DUE, 3) == ["execute_test", "skip", "skip"]
    assert world.document == {"hooks": {"h": OPENED | {"state": "half_open"}}}


# --- modes


def test_a_disabled_circuit_never_opens_but_is_counted() -> None:
    world = World()
    world.mode("disabled")
    for number in range(9):
        assert world.ask(NOON + number).decision == "execute"
        world.ran(NOON + number, "boom")
    assert (world.state, world.document["hooks"]["h"]["failure_count"]) == ("closed", 9)
    world.mode(None)
    world.ran(NOON + 10, "boom")
    assert world.state == "open"


def test_a_circuit_is_forced_open_for_ever_or_until_a_time() -> None:
    world = World()
    world.mode("forced_open")
    assert world.ask(NOON + 10**8).decision == "skip"
    assert world.ask(NOON).message == "Circuit forced open until that is taken back"
    world.mode("forced_open", NOON + 90)
    assert world.ask(NOON).message == "Circuit forced open for 1:30"
    assert world.ask(NOON + 89).decision == "skip"
    assert world.ask(NOON + 90).decision == "execute"
    assert world.extras["circuits"] == {}


def test_metrics_only_decides_nothing_but_shows_what_it_would_have_done() -> None:
    world = World(Policy(cooldown=60))
    world.mode("metrics_only")
    for number in range(3):
        world.ran(NOON + number, "boom")
    assert world.state == "open"
    decision = world.ask(NOON + 3)
    assert decision.should_execute
    assert decision.message == "Metrics only, executing all the same: Circuit open, hook disabled, tested in 0:59"
    world.ran(NOON + 70)
    assert world.ask(NOON + 71).decision == "execute_test"


def test_an_excluded_hook_and_a_breaker_that_is_switched_off_always_execute() -> None:
    world = opened()
    world.mode("forced_open")
    assert world.ask(NOON, policy=Policy(exclude=("h",))).message == "Hook excluded from circuit breaker"
    assert world.ask(NOON, policy=Policy(enabled=False)).decision == "execute"
    assert world.state == "open"


def test_a_state_that_nobody_knows_lets_the_hook_run_and_says_so() -> None:
    world = World(document={"hooks": {"h": blank() | {"state": "resting"}}})
    assert world.ask(NOON).message == "Unknown state 'resting', executing normally"


def test_a_word_that_is_no_mode_is_refused_when_set_and_unheeded_and_kept_when_read() -> None:
    with pytest.raises(RefusedError, match="the modes are disabled, forced_open, metrics_only"):
        with_mode({}, "off")
    world = World(extras={"version": 1, "circuits": {"h": {"mode": "resting", "note": "ask Ann"}}})
    assert world.ask(NOON).decision == "execute"
    assert world.entry == {"mode": "resting", "note": "ask Ann"}
    assert mode_of(world.entry, NOON) is None


# --- back-off


def test_with_a_back_off_each_opening_in_a_row_lasts_longer_until_it_recovers() -> None:
    world = World(Policy(failure_threshold=1, cooldown=60, backoff=2, success_threshold=1))
    now, waits = NOON, []
    for _ in range(4):
        world.ran(now, "boom")
        wait = world.ask(now).retry_in
        assert wait is not None
        waits.append(wait)
        now += wait
        assert world.ask(now).decision == "execute_test"
    assert waits == [60, 120, 240, 480]
    assert world.entry["openings"] == 4
    world.ran(now)
    assert (world.state, world.entry) == ("closed", {})
    world.ran(now, "boom")
    assert world.ask(now).retry_in == 60


# --- what is written


def test_a_success_of_a_closed_hook_touches_neither_what_is_beside_it_nor_the_history() -> None:
    world = World()
    extras = world.extras
    world.ran(NOON)
    assert world.extras is extras
    assert world.events == []
    assert world.ask(NOON).decision == "execute"
    world.mode("metrics_only")
    extras = world.extras
    world.ran(NOON)
    assert world.extras is extras


def test_the_history_tells_failures_with_their_whole_text_and_every_change_of_state() -> None:
    world = World(Policy(failure_threshold=2, success_threshold=1, error_length=100))
    world.ran(NOON, "x" * 50_000)
    world.ran(NOON + 1, "y" * 200_000)
    assert len(world.document["hooks"]["h"]["last_error"]) == 100
    world.ask(NOON + 301)
    world.ran(NOON + 302)
    assert [(event["event"], event.get("from"), event.get("to")) for event in world.events] == [
        ("failed", None, None),
        ("failed", None, None),
        ("opened", "closed", "open"),
        ("half_open", "open", "half_open"),
        ("probe", None, None),
        ("closed", "half_open", "closed"),
    ]
    assert world.events[0] == {"at": stamp(NOON), "hook": "h", "event": "failed", "error": "x" * 50_000}
    assert len(str(world.events[1]["error"])) == 100_000


def test_what_is_beside_a_hook_goes_with_a_reset_and_only_that() -> None:
    extras: JSON = {"version": 1, "circuits": {"h": {"openings": 3}, "g": {"mode": "disabled"}}, "by": "ann"}
    change = circuits.forget_extras(extras, ["h", "h", "unknown"])
    assert change.document == {"version": 1, "circuits": {"g": {"mode": "disabled"}}, "by": "ann"}
    assert change.targets == ("h",)


def test_extras_that_are_none_are_read_as_nothing_and_never_written_over() -> None:
    broken: list[JSON] = [[], {"circuits": []}, "x"]
    for odd in broken:
        assert entry_of(odd, "h") == {}
        with pytest.raises(RefusedError):
            with_entry(odd, "h", {"openings": 1})
    assert with_entry(None, "h", {}) == {"version": 1, "circuits": {}}


def test_a_batch_in_which_a_hook_comes_twice_counts_as_its_runs_one_by_one() -> None:
    policy = Policy(failure_threshold=1, backoff=2)
    runs = [Run("a", "x"), Run("b"), Run("a", "y"), Run("a")]
    called = circuit_calls.record(blank_state(NOON), {}, runs, NOON, policy)
    assert entry_of(called.extras, "a") == {"openings": 1}
    assert [step.outcome.hook for step in called.result] == ["a", "b", "a", "a"]
    assert set(called.hooks) == {"a", "b"}
    assert circuit_calls.record({}, {}, [], NOON, policy).result == ()


# --- laws


entries = st.fixed_dictionaries(
    {},
    optional={
        "mode": st.one_of(st.sampled_from(circuit_extras.MODES), values),
        "until": st.one_of(st.none(), st.floats(0, 4e9).map(stamp), values),
        "openings": st.one_of(st.integers(-3, 10**9), values),
        "probes": st.one_of(st.lists(st.one_of(values, st.builds(dict))), values),
        "note": values,
    },
)
records: st.SearchStrategy[Any] = st.one_of(
    st.just(OPENED), st.just(OPENED | {"state": "half_open"}), st.just(blank()), st.just({})
)


@given(records, entries, st.integers(1, 3), st.floats(1, 4e9))
def test_whatever_stands_there_a_decision_is_made_and_no_more_than_the_allowed_test_at_once(
    record: Any, entry: dict[str, JSON], probes: int, now: float
) -> None:
    policy = Policy(max_probes=probes, cooldown=0)
    tests, note = 0, entry.get("note")
    for number in range(6):
        asked = decide("h", record, entry, policy, now, f"mine-{number}")
        record, entry = asked.record, dict(asked.entry)
        assert asked.decision.decision in circuit_extras.DECISIONS
        assert asked.decision.should_execute == (asked.decision.decision != "skip")
        assert (asked.decision.probe is not None) == (asked.decision.decision == "execute_test")
        tests += asked.decision.probe is not None
    assert tests <= probes
    assert entry.get("note") == note


@given(st.lists(st.tuples(st.sampled_from(["ask", "ok", "fail", "mode"]), st.integers(-90, 400)), max_size=30))
def test_any_sequence_of_calls_keeps_the_hook_state_sound_for_the_tool_that_owns_it(
    log: list[tuple[str, int]],
) -> None:
    world = World(Policy(backoff=2, max_probes=2))
    now = NOON
    for number, (what, later) in enumerate(log):
        now += later
        if what == "ask":
            world.ask(now)
        elif what == "mode":
            world.mode([*circuit_extras.MODES, None][number % 4], now + 60 if number % 3 else None)
        else:
            world.ran(now, None if what == "ok" else "boom")
    assert KIND.faults(world.document) == []
    assert KIND.matches(world.document)
    entry = entry_of(world.extras, "h")
    assert set(entry) <= {"mode", "until", "openings", "probes"}
    assert len(entry.get("probes", ())) <= 2  # type: ignore[arg-type]
