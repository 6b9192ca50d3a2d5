"""The thread that makes models: the newest ask wins, and one that fails takes nobody with it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from statewatch.tui import presenter as module
from statewatch.tui.models.build import Ask, Model
from statewatch.tui.models.build import build as really_build
from statewatch.tui.presenter import Presenter
from statewatch.watch.picture import Picture
from tests.tui.dash import NOW


class Heard:
    """What a presenter delivered."""

    def __init__(self) -> None:
        self.models: list[Model] = []
        self.failures: list[tuple[str, str]] = []

    @contextmanager
    def presenter(self) -> Iterator[Presenter]:
        made = Presenter(self.models.append, lambda view, reason: self.failures.append((view, reason)))
        made.start()
        try:
            yield made
        finally:
            made.stop()


def ask(view: str, text: str = "") -> Ask:
    return Ask(view, Picture(NOW), NOW, text)


def test_it_delivers() -> None:
    heard = Heard()
    with heard.presenter() as presenter:
        presenter.ask(ask("hooks"))
        presenter.wait()
    assert [model.view for model in heard.models] == ["hooks"]


def test_asks_that_were_overtaken_are_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    begun, go = threading.Event(), threading.Event()

    def slow(asked: Ask) -> Model:
        begun.set()
        go.wait(5)
        return really_build(asked)

    monkeypatch.setattr(module, "build", slow)
    heard = Heard()
    with heard.presenter() as presenter:
        presenter.ask(ask("overview"))
        begun.wait(5)
        for view in ("hooks", "state", "changes"):
            presenter.ask(ask(view))
        go.set()
        presenter.wait()
    assert [model.view for model in heard.models] == ["overview", "changes"]


def test_one_that_fails_is_told_with_its_reason_and_place_and_the_next_one_is_made(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fails(asked: Ask) -> Model:
        if asked.filter:
            raise KeyError("\x1b[2Jodd")
        return really_build(asked)

    monkeypatch.setattr(module, "build", fails)
    heard = Heard()
    with heard.presenter() as presenter:
        presenter.ask(ask("hooks", "x"))
        presenter.wait()
        presenter.ask(ask("hooks"))
        presenter.wait()
    ((view, reason),) = heard.failures
    assert view == "hooks"
    assert reason.startswith("KeyError: ")
    assert "test_presenter.py:" in reason
    assert "\x1b" not in reason
    assert len(heard.models) == 1


def test_it_can_be_stopped_before_it_was_started() -> None:
    Presenter(lambda _model: None, lambda _view, _reason: None).stop()
