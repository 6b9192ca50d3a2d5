"""The registry is the only source of keys: laws over it, and over every class that has bindings."""

import importlib
import inspect
import pkgutil
import tomllib
from itertools import chain
from pathlib import Path

import pytest
from textual.binding import Binding
from textual.dom import DOMNode

import statewatch.tui
from statewatch.tui import themes
from statewatch.tui.registry import COMMANDS, Command, Scope, bindings, command, in_scope
from statewatch.tui.views.base import DashTable
from statewatch.tui.widgets.table import Table

CHAINS: tuple[tuple[Scope, ...], ...] = (
    ("table", "view", "overview", "app"),
    ("table", "view", "hooks", "app"),
    ("table", "view", "batches", "app"),
    ("table", "view", "workflows", "app"),
    ("pane", "view", "workflows", "app"),
    ("table", "view", "state", "app"),
    ("table", "blame", "app"),
    ("travel", "app"),
    ("table", "events", "app"),
    ("pane", "view", "hooks", "app"),
    ("table", "view", "checkpoints", "app"),
    ("pane", "view", "checkpoints", "app"),
    ("form",),
    ("picks", "diff", "app"),
    ("pane", "diff", "app"),
    ("pane", "text", "app"),
    ("confirm",),
    ("prompt",),
    ("table", "choice"),
    ("filter", "app"),
)
"""The scopes that work together, from the focus outwards."""

COVERED = {"q"}
"""Keys that mean something nearer by on purpose: going back comes before leaving."""


def keys(scope: Scope) -> list[str]:
    return [key for each in in_scope(scope) for key in each.keys.split(",")]


def classes() -> list[type[DOMNode]]:
    """Return every widget, screen and app of the dashboard."""
    names = [found.name for found in pkgutil.walk_packages(statewatch.tui.__path__, "statewatch.tui.")]
    members = chain.from_iterable(vars(importlib.import_module(name)).values() for name in names)
    found = {
        each
        for each in members
        if inspect.isclass(each) and issubclass(each, DOMNode) and each.__module__.startswith("statewatch.tui")
    }
    return sorted(found, key=lambda each: each.__qualname__)


def test_ids_are_unique() -> None:
    ids = [each.id for each in COMMANDS]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("scopes", CHAINS, ids="-".join)
def test_no_key_means_two_things_where_one_is(scopes: tuple[Scope, ...]) -> None:
    found = [key for scope in scopes for key in keys(scope)]
    assert {key for key in found if found.count(key) > 1} <= COVERED


def test_every_scope_is_part_of_a_chain() -> None:
    assert {scope for each in COMMANDS for scope in each.scopes} == set(chain.from_iterable(CHAINS))


@pytest.mark.parametrize("cls", classes(), ids=lambda cls: cls.__name__)
def test_every_binding_of_every_class_comes_from_the_registry(cls: type[DOMNode]) -> None:
    for binding in vars(cls).get("BINDINGS", []):
        assert isinstance(binding, Binding)
        known = command(binding.id or "")
        assert (binding.key, binding.action) == (known.keys, known.action)


@pytest.mark.parametrize("cls", classes(), ids=lambda cls: cls.__name__)
def test_no_class_catches_keys_behind_its_back(cls: type[DOMNode]) -> None:
    assert not [name for name in vars(cls) if name.startswith("key_") or name == "on_key"]


@pytest.mark.parametrize("each", COMMANDS, ids=lambda each: each.id)
def test_every_command_explains_itself(each: Command) -> None:
    assert each.help
    assert each.label
    assert len(each.help) < 70


def test_what_writes_can_be_found_in_the_palette() -> None:
    assert all(each.in_palette for each in COMMANDS if each.writes)


def test_keys_that_terminals_or_multiplexers_eat_are_not_used() -> None:
    used = {key for each in COMMANDS for key in each.keys.split(",")}
    assert not used & {"ctrl+j", "ctrl+i", "ctrl+q", "ctrl+e", "ctrl+k", "ctrl+b", "ctrl+m", "alt+enter", "f1"}


def test_all_that_a_table_can_do_has_a_key_in_the_dashboard_only() -> None:
    assert Table.BINDINGS == []
    assert len(DashTable.BINDINGS) == len(bindings("table")) == 10


class TestThemes:
    """The colours that come with it."""

    @pytest.mark.parametrize("path", sorted(themes.directory().glob("*.toml")), ids=lambda path: path.stem)
    def test_each_of_them_loads(self, path: Path) -> None:
        theme = themes.load(path)
        assert theme.primary.startswith("#")

    def test_all_are_shipped_and_the_usual_one_is_among_them(self) -> None:
        names = {theme.name for theme in themes.shipped()}
        assert names == {path.stem for path in themes.directory().glob("*.toml")}
        assert themes.DEFAULT in names

    @pytest.mark.parametrize("text", ["primary = ", "unknown = 1", 'dark = "#fff"', "\xff"])
    def test_one_that_is_not_a_theme_is_left_out(
        self, text: str, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        directory = tmp_path_factory.mktemp("themes")
        (directory / "odd.toml").write_bytes(text.encode("latin-1"))
        (directory / "good.toml").write_text('primary = "#123456"\n')
        monkeypatch.setattr(themes, "directory", lambda: directory)
        assert [theme.name for theme in themes.shipped()] == ["good"]

    def test_theme_files_say_what_they_are_for(self) -> None:
        for path in themes.directory().glob("*.toml"):
            assert path.read_text().startswith("#")
            assert tomllib.loads(path.read_text())
