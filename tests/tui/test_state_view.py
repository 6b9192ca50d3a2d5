"""The State view: every source as a tree that can be opened, searched and copied from, and blame."""

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from statewatch.kinds import namespace
from statewatch.tui.models import state_tree
from statewatch.tui.registry import COMMANDS
from statewatch.tui.screens.blame import BlameScreen
from statewatch.tui.screens.text import TextScreen
from statewatch.watch.picture import Revision, Source
from tests.tui.dash import HOSTILE, NOW, Keys, ask, pictured, shown, source, still, words
from tests.tui.recorded import Recorded, demo_recorded
from tests.tui.test_travelling import travelling

if TYPE_CHECKING:
    from statewatch.documents.values import JSON

pytestmark = pytest.mark.usefixtures("short_waits")

DOCUMENT: "JSON" = {
    "name": "tide",
    "limits": {"a/b": [1, 2, {"deep": True}], "none": None},
    "empty": {},
    "text": "x\ny",
}


@pytest.fixture(scope="module")
def past(tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    """Return some seconds of the demo, recorded."""
    return demo_recorded(tmp_path_factory.mktemp("recorded"), seconds=12)


def plain(document: "JSON" = DOCUMENT, key: str = "/p/state.json") -> Source:
    return source(document, key, "plain")


def versioned() -> Source:
    document: JSON = {"phase": {"value": "build", "timestamp": "2026-11-16T14:20:00", "version": 7}}
    return Source(
        "/p/kept.json",
        "kept.json",
        "file state",
        Revision("d", NOW, NOW, 9, document),
        namespace.VERSIONED.view(document),
    )


def lines(rows: tuple[Any, ...]) -> list[str]:
    """Return the first two columns of each row."""
    name, value = state_tree.SPEC.columns[:2]
    return [f"{words(name.cell(row, NOW))} = {words(value.cell(row, NOW))}" for row in rows]


class TestTree:
    """What is unfolded."""

    def test_closed_sources_are_one_line_each_and_those_that_cannot_be_read_come_first(self) -> None:
        rows = ask("state", pictured(plain(key="/p/b.json"), plain(key="/p/a.json"))).tables["state"]
        assert lines(rows) == ["▸ a.json = plain JSON", "▸ b.json = plain JSON"]

    def test_what_is_open_shows_its_places_in_the_order_of_the_document(self) -> None:
        opened = frozenset({"/p/state.json", "/p/state.json\0/limits", "/p/state.json\0/limits/a~1b"})
        rows = ask("state", pictured(plain()), opened=opened).tables["state"]
        assert lines(rows)[1:] == [
            '    name = "tide"',
            "  ▾ limits = an object of 2",
            "    ▾ a/b = a list of 3",
            "        0 = 1",
            "        1 = 2",
            "      ▸ 2 = an object of 1",
            "      none = null",
            "    empty = {}",
            '    text = "x\\ny"',
        ]

    def test_what_is_open_inside_of_something_closed_is_not_shown(self) -> None:
        opened = frozenset({"/p/state.json", "/p/state.json\0/limits/a~1b"})
        assert len(ask("state", pictured(plain()), opened=opened).tables["state"]) == 5

    def test_keys_have_the_version_and_the_time_that_the_file_gives_them(self) -> None:
        row: Any = ask("state", pictured(versioned()), opened=frozenset({"/p/kept.json"})).tables["state"][1]
        by_id = {column.id: column for column in state_tree.SPEC.columns}
        assert words(by_id["size"].cell(row, NOW)) == "v7"
        assert words(by_id["age"].cell(row, NOW)) == "3m"

    def test_a_long_list_is_cut_and_the_rest_counted(self) -> None:
        rows = ask("state", pictured(plain(list(range(5_000)))), opened=frozenset({"/p/state.json"})).tables["state"]
        assert len(rows) == 1 + state_tree.MOST_CHILDREN + 1
        assert "… 3,000 more" in lines(rows)[-1]

    def test_a_document_of_any_depth_can_be_opened_and_searched(self) -> None:
        deep: JSON = "bottom"
        pointers = [""]
        for _ in range(900):
            deep = {"a": deep}
            pointers.append(pointers[-1] + "/a")
        opened = frozenset({"/p/state.json", *(f"/p/state.json\0{each}" for each in pointers)})
        assert len(ask("state", pictured(plain(deep)), opened=opened).tables["state"]) == 901
        assert len(ask("state", pictured(plain(deep)), filter="bottom").tables["state"]) == 2

    def test_hostile_keys_and_values_are_harmless(self) -> None:
        document: JSON = {HOSTILE: HOSTILE}
        rows = ask("state", pictured(plain(document)), opened=frozenset({"/p/state.json"})).tables["state"]
        assert all(line.isprintable() for line in lines(rows))


class TestChangedWhen:
    """The last column."""

    @staticmethod
    def told(row: Any, now: float) -> str:
        return words(next(column for column in state_tree.SPEC.columns if column.id == "age").cell(row, now))

    async def test_places_tell_when_they_changed_as_the_history_knows(self, past: Recorded) -> None:
        key = past.key(".claude/batch_state.json")
        with past.history() as history:
            at = history.blame(key, ("current_index",), limit=1)[0].entry.seen_at
        async with travelling(past, "6") as (_, press):
            table = press.table("state")
            table.move_to(key)
            await press("l")
            await press.until(lambda: len(table.rows) > 10)
            rows = {getattr(row, "named", ""): row for row in table.rows}
            assert self.told(rows["current_index"], past.now) == f"{past.now - at:.0f}s"
            assert self.told(rows["batch_id"], past.now) == ""
            await press("t", "home")
            await press.until(
                lambda: self.told({getattr(r, "named", ""): r for r in table.rows}["current_index"], 0) == ""
            )

    def test_of_more_than_anybody_looks_at_the_history_is_not_asked(self) -> None:
        asked: list[object] = []
        found = ask(
            "state",
            pictured(plain(list(range(1_000)))),
            opened=frozenset({"/p/state.json"}),
            touched_at=lambda _source, path: asked.append(path),
        )
        assert len(found.tables["state"]) == 1_001
        assert len(asked) == state_tree.MOST_TOLD


class TestSearch:
    """The filter."""

    @pytest.mark.parametrize(
        ("text", "found"),
        [
            ("tide", ["name"]),
            ("deep", ["limits/a~1b/2/deep"]),
            ("key:none", ["limits/none"]),
            ("value:true", ["limits/a~1b/2/deep"]),
            ("/^ti/", ["name"]),
        ],
    )
    def test_it_finds_keys_and_values_anywhere(self, text: str, found: list[str]) -> None:
        model = ask("state", pictured(plain(), plain({"other": 1}, "/p/other.json")), filter=text)
        assert [line.split(" = ")[0].strip(" ▸▾") for line in lines(model.tables["state"])] == ["state.json", *found]
        assert model.hidden == 1

    def test_a_source_that_fits_itself_is_found_without_its_places(self) -> None:
        model = ask("state", pictured(plain(), plain({"other": 1}, "/p/other.json")), filter="file:other")
        assert lines(model.tables["state"]) == ["▸ other.json = plain JSON"]

    def test_large_documents_are_searched_in_no_time(self) -> None:
        large: JSON = {f"key-{index}": {"value": index, "name": f"item {index}"} for index in range(20_000)}
        begun = time.perf_counter()
        found = ask("state", pictured(plain(large)), filter="item 19999").tables["state"]
        assert [row.key for row in found[1:]] == ["/p/state.json\0/key-19999/name"]
        assert time.perf_counter() - begun < 5


class TestKeysOfTheView:
    """⏎ → ← y Y o i."""

    async def test_unfolding_folding_and_going_up(self) -> None:
        async with shown(still(plain())) as (_, press):
            await press("6", "enter")
            await press.reads("limits")
            await press("down", "down", "right")
            await press.reads("a/b")
            await press("down", "left")
            assert press.table("state").cursor_key == "/p/state.json\0/limits"
            await press("left")
            await press.until(lambda: "a/b" not in press.text)
            await press("left", "left")
            await press.until(lambda: "limits" not in press.text)

    async def test_what_is_private_is_neither_shown_nor_found_nor_copied(self) -> None:
        sealed: JSON = {"hmac": "s3cr3t", "nonce": "s3cr3t", "run_id": "r1", "mode": "full"}
        private = source(sealed, "/p/sentinel.json", "sentinel")
        copying = [each.keys for each in COMMANDS if each.id.startswith("state.copy")]
        assert copying
        async with shown(still(private)) as (app, press):
            await press("6", "right", "down")
            assert "not shown" in press.text
            assert "r1" in press.text
            await press("enter")
            assert "s3cr3t" not in press.text
            await press("escape", *copying)
            assert "s3cr3t" not in app.clipboard
        assert state_tree.search(pictured(private), "s3cr3t", None) == ((), 1)

    async def test_any_value_opens_whole(self) -> None:
        async with shown(still(plain({"long": "one\ntwo " + "word " * 200 + "end"}))) as (app, press):
            await press("6", "enter", "down", "enter")
            assert isinstance(app.screen, TextScreen)
            assert "state.json#/long" in press.text
            assert "end" in press.text

    @pytest.mark.parametrize(
        ("key", "copied"),
        [
            ("y", "/p/state.json#/limits"),
            ("Y", json.dumps({"a/b": [1, 2, {"deep": True}], "none": None}, indent=2)),
            ("ctrl+y", "statewatch show '/p/state.json#/limits'"),
        ],
    )
    async def test_address_value_and_command_are_copied(self, key: str, copied: str) -> None:
        async with shown(still(plain())) as (app, press):
            await press("6", "enter", "down", "down", key)
            assert app.clipboard == copied
            await press.until(lambda: any("Copied" in told for told in press.told))

    async def test_in_the_past_the_address_names_the_moment(self, past: Recorded) -> None:
        async with travelling(past, "6", "t", "home", "y") as (app, _):
            assert app.clipboard.endswith(".json@2026-11-16T14:23:00.000000Z")

    async def test_a_source_tells_about_itself_and_leads_to_its_view(self, past: Recorded) -> None:
        async with travelling(past, "6", "end", "i") as (app, press):
            assert isinstance(app.screen, TextScreen)
            assert "this version written" in press.text
            await press("escape", "o")
            assert app.main.view.NAME == "hooks"


class TestBlame:
    """b."""

    @staticmethod
    async def to(press: Keys, *names: str) -> None:
        """Open what leads to a place, and go there."""
        for name in names:
            table = press.table("state")
            row = next(row for row in table.rows if getattr(row, "named", row.source.label).endswith(name))
            table.move_to(row.key)
            await press("l")  # in the past → is a change on
            await press.settle()

    async def test_it_tells_when_a_value_changed_last_and_to_what_before(self, past: Recorded) -> None:
        key = past.key(".claude/batch_state.json")
        with past.history() as history:
            touches = history.blame(key, ("current_index",))
        assert touches
        async with travelling(past, "6") as (app, press):
            await self.to(press, ".claude/batch_state.json", "current_index")
            await press("b")
            assert isinstance(app.screen, BlameScreen)
            await press.reads(".claude/batch_state.json#/current_index")
            await press.reads("last changed 14:23:")
            assert f"{touches[0].before} → {touches[0].after}" in press.text
            await press("enter")
            assert isinstance(app.screen, TextScreen)
            assert "BEFORE" in press.text
            await press("escape", "escape")
            assert len(app.screen_stack) == 1

    async def test_in_the_past_it_knows_nothing_of_what_came_later(self, past: Recorded) -> None:
        async with travelling(past, "6", "t", "home") as (_, press):
            await self.to(press, ".claude/batch_state.json", "current_index")
            await press("b")
            await press.reads("It has not changed since recording began.")
            assert "until 14:23:00" in press.text

    async def test_what_never_changed_says_since_when_that_is_known(self, past: Recorded) -> None:
        async with travelling(past, "6") as (_, press):
            await self.to(press, ".claude/batch_state.json", "batch_id")
            await press("b")
            await press.reads("recorded since 14:23:00")

    async def test_without_a_history_it_says_why(self) -> None:
        async with shown(still(plain())) as (app, press):
            await press("6", "b")
            await press.reads("--no-history")
            await press("escape")
            assert app.screen is app.main

    async def test_hostile_values_are_harmless(self, tmp_path: Path) -> None:
        recorded = demo_recorded(tmp_path, seconds=2)
        key = recorded.key("hook_state.json")
        with recorded.history() as history:
            for number, text in enumerate(("before", HOSTILE)):
                document = json.dumps({"hooks": {}, "x": text}).encode("utf-8", "surrogatepass")
                history.record(key, document, at=recorded.now + number, seen_at=recorded.now + number + 0.5)
        async with travelling(recorded) as (app, press):
            app.push_screen(BlameScreen(recorded.archive(), key, "x", ("x",), app.clock))
            await press.settle()
            await press.reads("last changed")
            assert all(line.isprintable() for line in press.lines)
