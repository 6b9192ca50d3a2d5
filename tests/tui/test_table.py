"""What keys, the mouse and changes of the data do to a table on a screen."""

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import pytest
from rich.cells import cell_len
from textual import events, on
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.geometry import Region
from textual.message import Message
from textual.pilot import Pilot

from statewatch.tui.widgets.table import Table
from statewatch.tui.widgets.table_model import ACTIONS, Cell, Column


@dataclass(frozen=True, slots=True)
class Hook:
    name: str
    failures: int = 0
    retry_at: float = 0


def retry(row: Hook, now: float) -> Cell:
    return ((f"{row.retry_at - now:.0f} s", "info"),) if row.retry_at else ()


COLUMNS: tuple[Column[Hook], ...] = (
    Column("hook", "hook", lambda row, _: ((row.name, "strong" if row.failures else ""),), 12, minimum=8, flex=1),
    Column("failures", "failed", lambda row, _: ((str(row.failures), "bad"),), 8, align="right", priority=1),
    Column("retry", "retry in", retry, 10, align="right", ticks=True, sortable=False, priority=2),
)


class Keyed(Table[Hook]):
    """A table with keys, which counts what it paints."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(keys, action, description, id=name) for name, keys, action, description in ACTIONS
    ]
    refreshed: list[tuple[Region, ...]]

    def refresh(self, *regions: Region, repaint: bool = True, layout: bool = False, recompose: bool = False) -> "Keyed":
        if not hasattr(self, "refreshed"):
            self.refreshed = []
        self.refreshed.append(regions)
        super().refresh(*regions, repaint=repaint, layout=layout, recompose=recompose)
        return self


class Bench(App[None]):
    """One table, and a record of all it says."""

    def __init__(self, rows: Sequence[Hook] = (), columns: Sequence[Column[Hook]] = COLUMNS) -> None:
        super().__init__()
        self.rows = rows
        self.table = Keyed(columns, key=lambda row: row.name, empty="no hooks yet")
        self.said: list[Message] = []

    def compose(self) -> ComposeResult:
        yield Vertical(self.table)

    def on_mount(self) -> None:
        self.table.show(self.rows, 100)
        self.table.focus()

    @on(Table.Highlighted)
    @on(Table.Opened)
    @on(Table.SortAsked)
    @on(Table.Marked)
    def record(self, message: Message) -> None:
        self.said.append(message)

    def heard(self, kind: type[Message]) -> list[Message]:
        return [message for message in self.said if isinstance(message, kind)]


def hooks(count: int, first: int = 0) -> list[Hook]:
    return [Hook(f"hook-{number:03}") for number in range(first, first + count)]


def lines(table: Table[Hook]) -> list[str]:
    """Return what is on the table's part of the screen."""
    return [strip.text for strip in table.render_lines(table.size.region)]


def screen_line(table: Table[Hook], name: str) -> int:
    return next(number for number, line in enumerate(lines(table)) if name in line)


async def test_it_shows_a_header_and_rows_fitted_to_the_width() -> None:
    app = Bench([Hook("a", 3), Hook("b", 0, 160)])
    async with app.run_test(size=(40, 4)):
        assert lines(app.table) == [
            "  hook                failed    retry in",
            "› a                        3            ",
            "  b                        0        60 s",
            "                                        ",
        ]


async def test_an_empty_table_says_so() -> None:
    app = Bench()
    async with app.run_test(size=(40, 5)) as pilot:
        assert lines(app.table)[1].strip() == "no hooks yet"
        await pilot.press("down", "up", "pagedown", "home", "end", "space", "enter", "a")
        assert (app.table.cursor, app.table.cursor_key, app.table.cursor_row) == (None, None, None)
        assert app.table.chosen == ()
        assert app.said == []


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        (["down", "down", "up"], 1),
        (["up"], 0),
        (["end"], 99),
        (["end", "down"], 99),
        (["end", "home"], 0),
        (["pagedown"], 8),
        (["pagedown", "pagedown", "pageup"], 8),
    ],
)
async def test_keys_move_the_cursor_and_keep_it_in_view(keys: list[str], expected: int) -> None:
    app = Bench(hooks(100))
    async with app.run_test(size=(40, 10)) as pilot:
        await pilot.press(*keys)
        assert app.table.cursor == expected
        assert lines(app.table)[screen_line(app.table, f"hook-{expected:03}")].startswith("›")


async def test_a_page_further_the_cursor_is_on_the_same_line() -> None:
    app = Bench(hooks(100))
    async with app.run_test(size=(40, 10)) as pilot:
        await pilot.press("down", "down", "down", "pagedown")
        assert app.table.cursor == 11
        assert screen_line(app.table, "hook-011") == 4


async def test_the_cursor_is_told_once_a_row() -> None:
    app = Bench(hooks(3))
    async with app.run_test(size=(40, 10)) as pilot:
        await pilot.press("down", "down", "down")
        await pilot.pause()
        told = [message.row for message in app.said if isinstance(message, Table.Highlighted)]
        assert told == hooks(3)
        app.table.show(hooks(3), 101)
        await pilot.pause()
        assert len(app.said) == 3
        app.table.show([], 102)
        await pilot.pause()
        last = app.said[-1]
        assert isinstance(last, Table.Highlighted)
        assert last.row is None
        assert last.control is app.table


async def test_enter_and_a_double_click_open() -> None:
    app = Bench(hooks(10))
    async with app.run_test(size=(40, 10)) as pilot:
        await pilot.press("down", "enter")
        await pilot.double_click(app.table, offset=(5, 4))
        await pilot.pause()
        opened = [message.row.name for message in app.said if isinstance(message, Table.Opened)]
        assert opened == ["hook-001", "hook-003"]


async def test_a_double_click_does_not_open_a_row_that_slipped_under_the_pointer() -> None:
    app = Bench(hooks(10))
    async with app.run_test(size=(40, 15)) as pilot:
        await pilot.click(app.table, offset=(5, 4))
        app.table.show([Hook("new"), *hooks(10)], 101)
        await pilot.click(app.table, offset=(5, 4), times=1)
        await pilot.pause()
        assert app.heard(Table.Opened) == []


async def test_the_mouse_moves_the_cursor_marks_and_asks_for_sorting() -> None:
    app = Bench(hooks(5))
    async with app.run_test(size=(40, 10)) as pilot:
        await pilot.click(app.table, offset=(6, 3))
        assert app.table.cursor == 2
        await pilot.click(app.table, offset=(6, 9))
        assert app.table.cursor == 2
        await pilot.click(app.table, offset=(0, 2))
        assert app.table.cursor == 1
        assert app.table.marked == {"hook-001"}
        await pilot.click(app.table, offset=(4, 0))
        await pilot.click(app.table, offset=(39, 0))  # not sortable
        await pilot.click(app.table, offset=(0, 0))
        await pilot.pause()
        asked = [message.column_id for message in app.said if isinstance(message, Table.SortAsked)]
        assert asked == ["hook"]


async def test_the_wheel_scrolls_and_leaves_the_cursor() -> None:
    app = Bench(hooks(100))
    async with app.run_test(size=(40, 10)) as pilot:
        await wheel_down(pilot, app.table, 3)
        assert app.table.scroll_offset.y > 0
        assert app.table.cursor == 0
        shown = lines(app.table)[1:]
        app.table.show([*hooks(7, first=500), *hooks(100)], 101)
        await pilot.pause()
        assert lines(app.table)[1:] == shown
        await pilot.press("down")
        assert screen_line(app.table, "hook-001") >= 1


async def wheel_down(pilot: Pilot[None], table: Table[Hook], times: int) -> None:
    for _ in range(times):
        table.post_message(events.MouseScrollDown(table, 3, 3, 0, 0, 0, shift=False, meta=False, ctrl=False))
        await pilot.pause()


async def test_marks_and_what_an_action_is_about() -> None:
    app = Bench(hooks(4))
    async with app.run_test(size=(40, 10)) as pilot:
        assert [row.name for row in app.table.chosen] == ["hook-000"]
        await pilot.press("down", "down", "space", "up", "space")
        assert [row.name for row in app.table.chosen] == ["hook-001", "hook-002"]
        assert [line[:2] for line in lines(app.table)[1:5]] == ["  ", "✓›", "✓ ", "  "]
        await pilot.press("space")
        assert app.table.marked == {"hook-002"}
        await pilot.press("a")
        assert len(app.table.marked) == 4
        await pilot.press("A")
        await pilot.pause()
        told = [len(message.keys) for message in app.said if isinstance(message, Table.Marked)]
        assert told == [1, 2, 1, 4, 0]


async def test_cursor_marks_and_screen_line_stay_with_the_row() -> None:
    app = Bench(hooks(100, first=100))
    async with app.run_test(size=(40, 10)) as pilot:
        await pilot.press("pagedown", "pagedown", "down", "space")
        name = app.table.cursor_key
        assert name is not None
        where = screen_line(app.table, name)
        said = len(app.said)
        app.table.show([*hooks(30), *hooks(100, first=100)], 101)
        await pilot.pause()
        assert (app.table.cursor_key, screen_line(app.table, name)) == (name, where)
        app.table.show(list(reversed(hooks(100, first=100))), 102)
        await pilot.pause()
        assert (app.table.cursor_key, screen_line(app.table, name)) == (name, where)
        assert app.table.marked == {name}
        assert len(app.said) == said


async def test_when_its_row_vanishes_the_cursor_goes_to_the_next_and_the_mark_is_dropped() -> None:
    app = Bench(hooks(5))
    async with app.run_test(size=(40, 10)) as pilot:
        await pilot.press("down", "down", "space")
        app.table.show([row for row in hooks(5) if row.name != "hook-002"], 101)
        await pilot.pause()
        assert app.table.cursor_key == "hook-003"
        assert app.table.marked == frozenset()
        assert isinstance(app.said[-1], Table.Highlighted)
        assert app.table.chosen == (Hook("hook-003"),)


async def test_moving_to_a_key() -> None:
    app = Bench(hooks(100))
    async with app.run_test(size=(40, 10)):
        assert app.table.move_to("hook-070")
        assert screen_line(app.table, "hook-070") == 9
        assert not app.table.move_to("gone")
        assert app.table.cursor == 70


async def test_a_place_chosen_before_the_first_painting_is_in_view() -> None:
    app = Bench(hooks(100))
    app.table.show(app.rows, 100)
    app.table.move_to("hook-050")
    async with app.run_test(size=(40, 10)):
        assert screen_line(app.table, "hook-050") > 0


async def test_the_sort_arrow() -> None:
    app = Bench(hooks(3))
    async with app.run_test(size=(40, 10)):
        app.table.show_sort("failures", descending=True)
        assert "failed ▼" in lines(app.table)[0]
        app.table.show_sort("hook")
        assert "hook ▲" in lines(app.table)[0]
        app.table.show_sort(None)
        assert not {"▲", "▼"} & set(lines(app.table)[0])


async def test_one_changed_cell_repaints_one_cell() -> None:
    rows = hooks(1_000)
    app = Bench(rows)
    async with app.run_test(size=(60, 20)) as pilot:
        app.table.refreshed.clear()
        rows[4] = replace(rows[4], failures=3)
        app.table.show(rows, 101)
        ((name, failed),) = app.table.refreshed
        assert (name.y, failed.y) == (5, 5)  # the name became strong
        assert name.width + failed.width < 60
        await pilot.pause()
        assert " 3 " in lines(app.table)[5]
        app.table.refreshed.clear()
        rows[500] = replace(rows[500], failures=3)  # out of view
        app.table.show(rows, 102)
        assert app.table.refreshed == []


async def test_rows_arriving_above_the_view_repaint_nothing_in_view() -> None:
    app = Bench(hooks(100))
    async with app.run_test(size=(60, 20)) as pilot:
        await pilot.press("end")
        shown = lines(app.table)
        app.table.refreshed.clear()
        app.table.show([Hook("new"), *hooks(100)], 101)
        await pilot.pause()
        assert lines(app.table) == shown
        assert app.table.refreshed == []


async def test_a_tick_repaints_only_ticking_cells_that_differ() -> None:
    calls: list[str] = []

    def spy(row: Hook, now: float) -> Cell:
        calls.append(row.name)
        return ((row.name, ""),)

    columns = (Column("hook", "hook", spy, 12), COLUMNS[2])
    app = Bench([Hook("a"), Hook("b", retry_at=160), Hook("c")], columns)
    async with app.run_test(size=(40, 10)) as pilot:
        calls.clear()
        app.table.refreshed.clear()
        app.table.tick(100.1)
        assert app.table.refreshed == []
        app.table.tick(110)
        ((region,),) = app.table.refreshed
        assert (region.y, region.width) == (2, 10)
        await pilot.pause()
        assert "50 s" in lines(app.table)[2]
        assert calls == []


async def test_cells_are_asked_for_rows_in_view_only() -> None:
    asked: set[str] = set()

    def spy(row: Hook, now: float) -> Cell:
        asked.add(row.name)
        return ((row.name, ""),)

    app = Bench(hooks(100_000), [Column("hook", "hook", spy, 12)])
    async with app.run_test(size=(40, 10)):
        assert len(asked) == 9


async def until(pilot: Pilot[None], condition: Callable[[], bool]) -> None:
    """Let the app go on until *condition* holds."""
    deadline = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < deadline
        await pilot.pause()


async def test_a_hidden_table_paints_nothing_and_is_up_to_date_when_shown_again() -> None:
    app = Bench(hooks(50))
    async with app.run_test(size=(40, 10)) as pilot:
        await pilot.press("pagedown", "down")
        box = app.query_one(Vertical)
        app.table.blur()
        await pilot.pause()
        box.display = False
        await until(pilot, lambda: app.table._painted is None)  # the news of it comes with the next layout
        app.table.refreshed.clear()
        rows = [*hooks(20, first=200), *hooks(9), Hook("hook-009", 7), *hooks(40, first=10)]
        app.table.show(rows, 101)
        app.table.tick(102)
        assert app.table.refreshed == []
        box.display = True
        await pilot.pause()
        assert app.table.cursor_key == "hook-009"
        on_screen = [strip.text for strip in app.screen._compositor.render_strips()]
        assert "hook-008" in on_screen[1]
        assert "hook-009" in on_screen[2]
        assert " 7 " in on_screen[2]


async def test_a_table_can_be_as_high_as_its_rows() -> None:
    app = Bench(hooks(3))
    app.table.styles.height = "auto"
    async with app.run_test(size=(40, 10)) as pilot:
        assert app.table.size.height == 4
        app.table.show(hooks(5), 101)
        await pilot.pause()
        assert app.table.size.height == 6
        app.table.show([], 102)
        await pilot.pause()
        assert app.table.size.height == 2


@pytest.mark.parametrize("seed", range(3))
async def test_repainting_in_part_gives_the_same_picture_as_repainting_all(seed: int) -> None:
    chance = random.Random(seed)
    app = Bench(hooks(30))
    app.table.styles.border = ("round", "red")
    app.table.styles.padding = (0, 1)
    keys = ["up", "down", "pageup", "pagedown", "home", "end", "space", "A"]

    def picture() -> list[str]:
        return [repr(list(strip)) for strip in app.screen._compositor.render_strips()]

    async with app.run_test(size=(44, 14)) as pilot:
        for step in range(25):
            if chance.random() < 0.5:
                await pilot.press(chance.choice(keys))
            elif chance.random() < 0.3:
                app.table.tick(100 + step)
            else:
                rows = [Hook(f"h{number}", chance.randrange(2), chance.choice([0, 500])) for number in range(40)]
                app.table.show(chance.sample(rows, chance.choice([0, 5, 12, 30, 40])), 100 + step)
            await pilot.pause()
            in_part = picture()
            app.table._painted = None
            app.table.refresh()
            await pilot.pause()
            assert picture() == in_part


async def test_clicks_find_rows_inside_a_border() -> None:
    app = Bench(hooks(5))
    app.table.styles.border = ("round", "red")
    app.table.styles.padding = (0, 1)
    async with app.run_test(size=(44, 14)) as pilot:
        await pilot.click(app.table, offset=(6, 4))
        assert app.table.cursor == 2
        await pilot.click(app.table, offset=(0, 4))
        assert app.table.marked == frozenset()
        await pilot.click(app.table, offset=(2, 3))
        assert app.table.marked == {"hook-001"}


@pytest.mark.parametrize("text", ["\x1b[31mred", "a\nb", "\x9b2J", "\u202egnp", "\ud800", "[/x]", "[red]", "\x00" * 50])
async def test_hostile_text_reaches_no_terminal(text: str) -> None:
    app = Bench([Hook(text), Hook("b")])
    async with app.run_test(size=(40, 5)):
        shown = lines(app.table)
        assert all(line.isprintable() and cell_len(line) == 40 for line in shown)
        app.export_screenshot()


@pytest.mark.parametrize("size", [(1, 1), (2, 2), (3, 1), (5, 3), (20, 5), (200, 60)])
async def test_any_size_is_painted_exactly(size: tuple[int, int]) -> None:
    app = Bench([Hook("文件名🧪" * 9, 3, 160), *hooks(50)])
    async with app.run_test(size=size) as pilot:
        await pilot.press("down", "space", "end")
        widths = [cell_len(app.table.render_line(y).text) for y in range(size[1])]
        assert widths == [max(0, size[0] - app.table.scrollbar_size_vertical)] * size[1]


async def test_place_and_choice_survive_resizing() -> None:
    app = Bench(hooks(100))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("pagedown", "pagedown", *["down"] * 9, "space")
        name = app.table.cursor_key
        assert name is not None
        for size in ((20, 5), (1, 1), (0, 0), (80, 24)):
            await pilot.resize_terminal(*size)
            await pilot.pause()
            app.table.show(hooks(100), 101)
            assert (app.table.cursor_key, app.table.marked) == (name, frozenset({name}))
            if size[1] > 1:
                assert screen_line(app.table, name) >= 1


async def test_resizing_leaves_a_view_the_operator_scrolled_to() -> None:
    app = Bench(hooks(100))
    async with app.run_test(size=(80, 24)) as pilot:
        await wheel_down(pilot, app.table, 30)
        top = app.table.scroll_offset.y
        await pilot.resize_terminal(60, 12)
        await pilot.pause()
        assert app.table.scroll_offset.y == top


async def test_a_change_of_theme_changes_the_colours() -> None:
    app = Bench([Hook("a", 1), Hook("b", 1)])

    def styles() -> set[str]:
        return {str(segment.style) for strip in app.table.render_lines(app.table.size.region) for segment in strip}

    async with app.run_test(size=(40, 5)) as pilot:
        before = styles()
        app.theme = "textual-light"
        await pilot.pause()
        assert not before & styles()


@pytest.mark.parametrize("change", [lambda table: table.blur(), lambda table: table.focus()])
async def test_the_cursor_shows_with_and_without_the_focus(change: Callable[[Table[Hook]], object]) -> None:
    app = Bench(hooks(3))
    async with app.run_test(size=(40, 5)) as pilot:
        change(app.table)
        await pilot.pause()
        cursor, other = app.table.render_lines(app.table.size.region)[1:3]
        assert cursor.text.startswith("›")
        assert next(iter(cursor)).style != next(iter(other)).style


async def test_without_colour_the_cursor_is_reversed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    app = Bench(hooks(3))
    async with app.run_test(size=(40, 5)):
        style = next(iter(app.table.render_lines(app.table.size.region)[1])).style
        assert style is not None
        assert style.reverse
        assert style.bold


def test_a_table_has_no_keys_of_its_own() -> None:
    assert Table._merged_bindings is not None
    assert Table._merged_bindings.key_to_bindings == {}
    assert all(hasattr(Table, f"action_{action}") for _, _, action, _ in ACTIONS)
