"""Makes view models in a thread of its own, so that neither the watcher nor the screen ever waits for one."""

import threading
import traceback
from collections.abc import Callable
from pathlib import Path

from statewatch.documents.text import harmless
from statewatch.tui.models.build import Ask, Model, build


class Presenter:
    """Builds the model for the newest ask and hands it over; asks that were overtaken are dropped."""

    def __init__(self, deliver: Callable[[Model], None], fail: Callable[[str, str], None]) -> None:
        """Call *deliver* with each model, *fail* with a view and why there is none of it: from a thread of its own."""
        self._deliver = deliver
        self._fail = fail
        self._wake = threading.Condition()
        self._ask: Ask | None = None
        self._ended = False
        self._busy = False
        self._thread = threading.Thread(target=self._run, name="presenter", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End, after the model in the making."""
        with self._wake:
            self._ended = True
            self._wake.notify_all()
        if self._thread.is_alive():
            self._thread.join(timeout=2)

    def ask(self, ask: Ask) -> None:
        """Want the model for *ask*, in place of any that is still waiting."""
        with self._wake:
            self._ask = ask
            self._wake.notify_all()

    def wait(self, timeout: float = 5.0) -> None:
        """Wait until there is nothing to do: for whoever must see the result of what was asked, as tests must."""
        with self._wake:
            self._wake.wait_for(lambda: self._ended or (self._ask is None and not self._busy), timeout)

    def _run(self) -> None:
        while (ask := self._next()) is not None:
            try:
                model = build(ask)
            except Exception as error:  # noqa: BLE001 - whatever is wrong with one view, the others must live on
                self._fail(ask.view, _described(error))
            else:
                self._deliver(model)

    def _next(self) -> Ask | None:
        with self._wake:
            self._busy = False
            self._wake.notify_all()
            self._wake.wait_for(lambda: self._ended or self._ask is not None)
            ask, self._ask = self._ask, None
            self._busy = True
            return None if self._ended else ask


def _described(error: Exception) -> str:
    """Return what went wrong and where, for whoever reports it."""
    place = traceback.extract_tb(error.__traceback__)[-1]
    return harmless(f"{type(error).__name__}: {error} ({Path(place.filename).name}:{place.lineno})", 300)
