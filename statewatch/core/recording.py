"""The circuits of a hook state, wherever it is kept: who may run, how it went, and what became of it.

One class for a file and for every store. It decides nothing itself: `kinds.circuit_calls` does, and this carries it
out under the lock of the hook state, so that callers in many processes (Redis, PostgreSQL: hosts) share one breaker.
"""

import itertools
import os
import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import ParamSpec, TypeVar

from statewatch.core.circuit_places import Place, place_of
from statewatch.core.errors import SourceError
from statewatch.core.lock import TIMEOUT
from statewatch.core.stores.base import Store
from statewatch.documents.values import JSON
from statewatch.kinds import circuit_calls
from statewatch.kinds.breaker import Record, Step, hooks_in, record_in
from statewatch.kinds.circuit_calls import Called, Event, Run
from statewatch.kinds.circuit_extras import Decision, entry_of, mode_of
from statewatch.kinds.policy import DEFAULTS, Policy
from statewatch.kinds.words import RefusedError as Refusal

P = ParamSpec("P")
T = TypeVar("T")

__all__ = ["Circuits", "Decision", "Run", "Step"]


class Circuits:
    """The circuits of one hook state: a file, or a namespace of a store; nothing is read before it is asked for.

    *policy* is that of calls which bring none. What methods return and what `document` shows is shared, and must not be
    changed. They raise SourceError (it cannot be read, or is no hook state), LockedError, RefusedError (it may not be
    written) and what else the store raises.
    """

    def __init__(
        self,
        source: Store | Path | str,
        policy: Policy = DEFAULTS,
        clock: Callable[[], float] = time.time,
        timeout: float = TIMEOUT,
    ) -> None:
        self.policy = policy
        self._clock = clock
        self._place: Place = place_of(source, timeout)
        self._tests = itertools.count(1)

    @property
    def store(self) -> Store:
        """Return the store that holds the hook state."""
        return self._place.store

    @property
    def source(self) -> str:
        """Return the name of the hook state: the path of a file, or the URL of a store."""
        return self._place.store.source

    @property
    def file(self) -> Path | None:
        """Return the file of the hook state, None where it is in a store of another kind."""
        return self._place.file

    def create(self, blank: JSON) -> None:
        """Make the file, holding *blank*, and its directory where there is none; a store makes its own when used."""
        self._place.create(blank)

    # --- reading

    def document(self) -> JSON:
        """Return the hook state as it is now: an empty object where there is none yet."""
        return self._place.document()

    def hooks(self) -> dict[str, JSON]:
        """Return the records of all hooks by name."""
        return self._told(hooks_in, self._place.hooks())

    def hook(self, hook: str) -> Record | None:
        """Return the record of one hook, None where it has none."""
        return self._told(record_in, self.hooks(), hook)

    def extras(self) -> JSON:
        """Return what is kept beside the records; `kinds.circuit_extras` says what that is."""
        return self._place.extras()

    def mode(self, hook: str) -> str | None:
        """Return the mode that holds for a hook now: `disabled`, `forced_open`, `metrics_only`, or None."""
        return mode_of(entry_of(self.extras(), hook), self._clock())

    def history(self, hook: str | None = None) -> Iterator[Event]:
        """Yield what happened to a hook, or to all of them, newest first, as far as it is kept."""
        told = self._place.events(hook)
        return told if hook is None else (each for each in told if each.get("hook") == hook)

    # --- calls

    def ask(self, hook: str, policy: Policy | None = None) -> Decision:
        """Decide whether *hook* may run.

        An open circuit becomes half open when its cool-down is over; who is to test it is given a lease, and only so
        many as the policy says. Where nothing changes, as for every closed circuit, no lock is taken in a file.
        """
        chosen = self.policy if policy is None else policy
        probe = f"{os.getpid()}-{next(self._tests)}-{secrets.token_hex(4)}"

        def plan(document: JSON, extras: JSON, _opened: int | None) -> Called[Decision]:
            return circuit_calls.ask(document, extras, hook, self._clock(), chosen, probe)

        seen = self._told(self._place.glance, plan)
        return seen if seen is not None else self._told(self._place.call, plan, "begin a test of a circuit", True)

    def record(self, runs: Sequence[Run]) -> tuple[Step, ...]:
        """Record how hooks ran, all of it or nothing, in their order; return what each did to its record."""

        def plan(document: JSON, extras: JSON, opened: int | None) -> Called[tuple[Step, ...]]:
            return circuit_calls.record(document, extras, runs, self._clock(), self.policy, opened)

        return self._told(self._place.call, plan, "record how hooks ran", False)

    def half_open(self, hook: str) -> bool:
        """Let an open circuit be tested at once; tell whether it was open."""

        def plan(document: JSON, extras: JSON, _opened: int | None) -> Called[bool]:
            return circuit_calls.half_open(document, extras, hook, self._clock())

        return self._told(self._place.call, plan, "half-open a circuit", True)

    def set_mode(
        self, hooks: Sequence[str], mode: str | None, until: float | None = None, *, why: str = "", via: str = "library"
    ) -> tuple[str, ...]:
        """Give hooks a mode, until an instant or for ever; None takes it away. Return the hooks that it changed.

        Hooks need not have run yet. It is an action: audited, with a safety copy, and it can be undone. Raises
        RefusedError for a word that is no mode.
        """
        from statewatch.core.actions import perform  # noqa: PLC0415 - few of those who record also set modes
        from statewatch.core.circuits import extras_in, mode_action  # noqa: PLC0415

        plan = perform(mode_action(self.store, hooks, mode, until, why=why, via=via), settle_for=0).plan
        before, after = extras_in(plan.store, plan.before), extras_in(plan.store, plan.after)
        return tuple(hook for hook in dict.fromkeys(hooks) if entry_of(before, hook) != entry_of(after, hook))

    def reset(self, hooks: Sequence[str] | None = None, *, why: str = "", via: str = "library") -> tuple[str, ...]:
        """Take the records of *hooks* away, or when None all of them, and begin the statistics anew then.

        Return the names of those that had one. Modes and back-off go too. It is an action: audited, with a safety copy,
        and it can be undone.
        """
        from statewatch.core.actions import perform  # noqa: PLC0415 - few of those who record also reset
        from statewatch.core.circuits import forget_actions  # noqa: PLC0415

        there = self.hooks()
        chosen = [hook for hook in (there if hooks is None else dict.fromkeys(hooks)) if hook in there]
        if not chosen and (hooks is not None or not self.document()):
            return ()
        for action in forget_actions(self.store, None if hooks is None else chosen, why=why, via=via):
            perform(action, settle_for=0)
        return tuple(hook for hook in chosen if isinstance(there[hook], dict))

    def close(self) -> None:
        """Let go of connections."""
        self._place.store.close()

    def _told(self, call: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
        """Return what *call* does. Raises SourceError where the document is no hook state."""
        try:
            return call(*arguments, **named)
        except Refusal as error:
            raise SourceError(self.source, str(error)) from None
