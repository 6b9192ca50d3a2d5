"""`statewatch hook` and `statewatch-hook`: run the command of a hook behind its circuit, and record how it went.

The command runs exactly once unless its circuit is open, whatever happens to the hook state. It is started as early as
can be: what only recording needs is loaded while it runs. Everything here is loaded in front of every hook.
"""

from __future__ import annotations

import os
import sys
import time

from statewatch.cli import wrapper_options
from statewatch.cli.running import Ended, run, signals_held, signals_released
from statewatch.cli.wrapper_options import Options, UsageError

TYPE_CHECKING = False  # as type checkers take it; `typing` alone costs 3 ms
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path
    from signal import Signals
    from typing import NoReturn, TypeVar

    from statewatch.core.recording import Circuits
    from statewatch.kinds.circuit_extras import Decision
    from statewatch.kinds.policy import Policy

    T = TypeVar("T")

_USAGE = 64  # not 2, which tells a hook runner to block what the agent is about to do
_SHOWN = 300
_PATIENCE = 2.0
"""Seconds to wait for a server in front of a hook."""


def main(arguments: Sequence[str]) -> int:
    """Run the wrapper with these arguments; return the exit code."""
    try:
        options = wrapper_options.parsed(arguments)
    except UsageError as error:
        _say(f"{error}\n{wrapper_options.USAGE}")
        return _USAGE
    if options.wants:
        from statewatch import __version__  # noqa: PLC0415

        text = wrapper_options.HELP if options.wants == "help" else f"statewatch-hook {__version__}\n"
        _write(1, text)
        return 0
    held = signals_held()
    try:
        return _Guarded(options, held).run()
    finally:
        signals_released(held)


def console() -> NoReturn:
    """Run the wrapper: the console script. What is left to tidy up at the end is left to the system."""
    os._exit(main(sys.argv[1:]))


class _Guarded:
    """One run of a command behind its circuit."""

    def __init__(self, options: Options, held: set[Signals]) -> None:
        self._options = options
        self._held = held
        self._key = ""
        self._complaints = list(options.complaints)
        self._circuits: Circuits | None = None
        self._policy: Policy | None = None
        self._source: Path | str = ""
        self._is_away = False  # then it is not tried again: whoever runs the hook waits

    def run(self) -> int:
        """Decide, run, record; return the exit code."""
        decision = self._attempt(self._decided, "cannot tell whether its circuit is open, so it runs")
        if decision is not None and not decision.should_execute:
            code = self._skipped(decision)
        else:
            ended = run(self._options.words, self._options.timeout, self._held, self._load)
            if ended.code in (126, 127) and ended.error.startswith("cannot run"):
                _say(ended.error)
            if self._policy is not None:
                probe = None if decision is None else decision.probe
                self._attempt(lambda: self._record(ended, probe), "it ran, but how it went is not recorded")
            code = ended.code
        for complaint in dict.fromkeys(self._complaints):
            _say(complaint)
        return code

    def _attempt(self, step: Callable[[], T], consequence: str) -> T | None:
        """Return what *step* does, None where it fails: the command is to run once, whatever that is."""
        try:
            return step()
        except Exception as error:  # noqa: BLE001 - a bug of ours must not keep a guard from running either
            from statewatch.core.errors import StatewatchError, UnavailableError  # noqa: PLC0415

            self._is_away = isinstance(error, UnavailableError)
            what = str(error) if isinstance(error, StatewatchError) else f"{type(error).__name__}: {error}"
            self._complaints.append(f"{self._key}: {consequence}: {what}")
            return None

    def _decided(self) -> Decision | None:
        options = self._options
        self._key = _name(options)
        self._source, policy = _place(options.state)
        self._policy = _own(policy.of(self._key), options)
        if not isinstance(self._source, str):
            from statewatch.core.hook_glance import decided  # noqa: PLC0415

            decision = decided(self._source, self._key, self._policy, time.time())
            if decision is not None:
                return decision
        return self._all().ask(self._key, self._policy)

    def _load(self) -> None:
        """Load what counting takes, while the command runs."""

        def load() -> None:
            import statewatch.core.hook_count  # noqa: F401, PLC0415

        self._attempt(load, "how it went may not be recorded")

    def _record(self, ended: Ended, probe: str | None) -> None:
        from statewatch.kinds.circuit_calls import Run  # noqa: PLC0415

        policy = self._policy
        if policy is None or not policy.enabled or self._is_away:
            return
        is_well = ended.code in self._options.success_codes and not ended.is_late
        told = Run(self._key, None if is_well else ended.error, policy, probe)
        if self._circuits is None and not isinstance(self._source, str):
            from statewatch.core.hook_count import counted  # noqa: PLC0415

            if counted(self._source, told, policy, time.time):
                return
        self._all().record([told])

    def _all(self) -> Circuits:
        """Return the circuits with all that can be done to them: loading that takes as long as Python itself."""
        if self._circuits is None:
            from statewatch.core.lock import TIMEOUT  # noqa: PLC0415
            from statewatch.core.recording import Circuits  # noqa: PLC0415

            self._circuits = Circuits(self._source, timeout=_PATIENCE if isinstance(self._source, str) else TIMEOUT)
        return self._circuits

    def _words_for_a_shell(self) -> str:
        """Return what names the hook to other commands: it may be pasted, and must be one word then."""
        from shlex import quote  # noqa: PLC0415

        state = self._options.state
        words = [] if state is None else ["--state-file", quote(_shown_state(state))]
        return " ".join([*words, *(["--"] if self._key.startswith("-") else []), quote(self._key)])

    def _skipped(self, decision: Decision) -> int:
        from statewatch.documents.text import harmless  # noqa: PLC0415

        name = harmless(self._key, _SHOWN)
        message = f"statewatch: the hook {name} was not run: {decision.message}. "
        if name == self._key:
            rest = self._words_for_a_shell()
            message += f"`statewatch hooks show {rest}` tells why, `statewatch hooks reset {rest}` lets it run."
        else:  # it cannot be typed as it is shown
            message += "`statewatch hooks list` shows it."
        if self._options.skip_output == "text":
            _write(1, message + "\n")
        elif self._options.skip_output == "json":
            import json  # noqa: PLC0415

            _write(1, json.dumps({"continue": True, "systemMessage": message}) + "\n")
        return self._options.skip_exit_code


def _name(options: Options) -> str:
    """Return the name of the circuit: in a document, which is UTF-8, whatever bytes were typed."""
    if options.key is not None:
        return os.fsencode(options.key).decode("utf-8", "replace")
    from statewatch.kinds.hook_names import hook_name  # noqa: PLC0415

    return hook_name([os.fsencode(word).decode("utf-8", "replace") for word in options.words])


def _place(state: str | None) -> tuple[Path | str, Policy]:
    """Return where the hook state is, a path or the URL of a store, and the policy that holds there."""
    from pathlib import Path  # noqa: PLC0415

    from statewatch.core.policy import hook_state_file, policy_for  # noqa: PLC0415

    if state is not None and ":" in state:
        from statewatch.core.stores.urls import is_store_url  # noqa: PLC0415

        if is_store_url(state):
            return state, policy_for(state)
    file = hook_state_file(Path.home()) if state is None else Path(os.path.expanduser(state))  # noqa: PTH111 - any bytes
    return file.absolute(), policy_for(file)


def _shown_state(state: str) -> str:
    from statewatch.core.stores.urls import is_store_url, without_password  # noqa: PLC0415

    return without_password(state) if is_store_url(state) else os.fsencode(state).decode("utf-8", "replace")


def _own(policy: Policy, options: Options) -> Policy:
    """Return the policy with what the command line says."""
    given = {
        "failure_threshold": options.failure_threshold,
        "success_threshold": options.success_threshold,
        "cooldown": options.cooldown,
    }
    fields = {name: value for name, value in given.items() if value is not None}
    return policy._replace(overrides=(), **fields)  # type: ignore[arg-type]


def _say(text: str) -> None:
    """Tell people something, on lines that cannot act on a terminal."""
    from statewatch.documents.text import harmless_lines  # noqa: PLC0415

    for line in harmless_lines(text):
        _write(2, f"statewatch-hook: {line}\n" if not line.startswith("Usage") else line + "\n")


def _write(descriptor: int, text: str) -> None:
    data = text.encode("utf-8", "replace")
    try:
        while data:
            data = data[os.write(descriptor, data) :]
    except OSError:  # nobody is there to read it
        return
