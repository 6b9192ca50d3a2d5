"""Clauses about values: what is saved comes back to the type and the sign, and what JSON cannot hold is refused."""

import contextlib
import datetime
import decimal
import enum
import math
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from statewatch.conformance.place import Clauses, Place, exact, held, replace, save_all
from statewatch.core.errors import RefusedError
from statewatch.core.stores.base import Store
from statewatch.core.stores.transaction import Transaction
from statewatch.documents.values import JSON

VALUES: dict[str, JSON] = {
    "true is not 1": True,
    "false is not 0": False,
    "one is not true": 1,
    "one as a float": 1.0,
    "zero": 0,
    "negative zero": -0.0,
    "zero as a float": 0.0,
    "a tenth": 0.1,
    "one third": 1 / 3,
    "a float as large as an integer": 1e22,
    "an integer as large as a float": 10**22,
    "the largest float": 1.7976931348623157e308,
    "the smallest float": 5e-324,
    "an integer that no float holds": 2**53 + 1,
    "an integer of 64 bits": 2**63,
    "an integer of more than 64 bits": -(2**64) - 1,
    "an integer of 400 digits": 10**399 + 7,
    "a time in nanoseconds": 1_763_700_000_123_456_789,
    "null": None,
    "empty text": "",
    "an empty list": [],
    "an empty object": {},
    "nulls inside": [None, {"a": None}],
    "empty things inside": [[], {}, "", [[]], {"": {}}],
    "NUL in text": "before\0after",
    "control characters": "".join(map(chr, range(32))) + "\x7f\x80\x9f",
    "line separators": "a\u2028b\u2029c\u0085d",
    "CRLF": "a\r\nb\rc\n",
    "quotes and backslashes": 'she said "no\\" and \\\\ left\\u0041',
    "half of a surrogate pair": "a\ud83db",
    "surrogates the wrong way round": "\ude00\ud83d",
    "beyond the basic plane": "😀\U0010ffff",
    "noncharacters": "\ufffe\uffff\ufdd0",
    "a byte order mark": "\ufefftext",
    "composed and decomposed": ["\u00e9", "e\u0301", "ﬁ", "Å"],
    "markup": "</script><!-- %00 &amp; [/bold]",
    "SQL": "'); DELETE FROM state; --",
    "placeholders": "%s %(a)s $1 ${HOME} {0} ?",
    "text that is JSON": '{"a": [1, 2, "x"]}',
    "text that looks like other types": ["1", "1.0", "true", "null", "NaN", "2026-11-21T03:00:00Z"],
    "an entry of a key/value file": {"value": 1, "timestamp": "2026-11-21T03:00:00", "version": 3},
    "the order of keys": {"z": 1, "a": 2, "m": {"y": 1, "b": 2}, "10": 1, "9": 2},
    "strange keys inside": {"": 1, " ": 2, "\0": 3, "\ud800": 4, "a.b/c~d": 5, "$ref": 6, "__proto__": 7},
    "keys inside that differ in case": {"Key": 1, "key": 2, "KEY": 3},
    "keys inside that differ in form": {"\u00e9": 1, "e\u0301": 2},
    "the order of a list": [3, 1, 2, 3, 1],
    "different types in a list": [1, 1.0, True, "1", None, [1], {"1": 1}],
    "spaces at the ends": "  text \n",
}


class Colour(enum.IntEnum):
    """An integer that is more than one."""

    RED = 3


class Name(str):
    """A text that is more than one."""

    __slots__ = ()


class Mood(str, enum.Enum):  # noqa: UP042 - a StrEnum shows itself as it is
    """A text that shows itself as another one."""

    CALM = "calm"


@dataclass
class Record:
    """What JSON does not have."""

    a: int = 1


FOREIGN: list[Any] = [
    {1, 2},
    b"text",
    datetime.datetime(2026, 11, 21, tzinfo=datetime.UTC),
    decimal.Decimal("1.5"),
    1 + 2j,
    Record(),
    object(),
    len,
    iter([1]),
]


def nested(levels: int) -> JSON:
    """Return lists within objects, so many levels deep, with something at the bottom."""
    value: JSON = "bottom"
    for level in range(levels):
        value = [value] if level % 2 else {"down": value}
    return value


TEXT = st.text(st.characters(codec=None, exclude_categories=()), max_size=12)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(-(10**60), 10**60)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT
)
ANY: st.SearchStrategy[JSON] = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4), max_leaves=12
)
KEYS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=20)
modest = settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture, HealthCheck.differing_executors],
)


class ValueClauses(Clauses):
    """Any JSON value comes back exactly as it was saved."""

    def test_a_value_comes_back_exactly(self, store: Store, place: Place) -> None:
        other = place.open()
        for name, value in VALUES.items():
            store.save("key", value)
            assert exact(other.load("key")) == exact(value), name
            assert exact(held(other)) == exact({"key": value}), name

    def test_values_of_all_kinds_stand_side_by_side(self, store: Store, place: Place) -> None:
        save_all(store, VALUES)
        other = place.open()
        assert [name for name, value in VALUES.items() if exact(other.load(name)) != exact(value)] == []
        document = held(other)
        assert isinstance(document, dict)
        assert {name: exact(value) for name, value in document.items()} == {
            name: exact(value) for name, value in VALUES.items()
        }

    def test_a_value_inside_another_comes_back_exactly(self, store: Store, place: Place) -> None:
        store.save("key", [VALUES, {"deeper": list(VALUES.values())}])
        assert exact(place.open().load("key")) == exact([VALUES, {"deeper": list(VALUES.values())}])

    def test_values_that_python_takes_for_equal_are_told_apart(self, store: Store) -> None:
        values: list[JSON] = [True, 1, 1.0, False, 0, 0.0, -0.0, [True], [1], [1.0], {"a": -0.0}, {"a": 0}]
        for value in values:
            store.save("key", value)
            assert exact(store.load("key")) == exact(value)

    def test_a_text_of_a_megabyte_comes_back_exactly(self, store: Store, place: Place) -> None:
        text = "aé日😀\0\n\"'\\ " * 100_000
        store.save("key", text)
        assert place.open().load("key") == text

    def test_a_list_of_a_hundred_thousand_comes_back_exactly(self, store: Store, place: Place) -> None:
        store.save("key", list(range(100_000)))
        assert place.open().load("key") == list(range(100_000))

    def test_deep_nesting_comes_back_exactly(self, store: Store, place: Place) -> None:
        store.save("key", nested(490))
        assert exact(place.open().load("key")) == exact(nested(490))

    def test_whatever_is_accepted_can_be_read_again(self, store: Store, place: Place) -> None:
        """Around the limit of nesting, a layout that wraps its values could write what it then refuses to read."""
        store.save("key", "there first")
        for levels in range(494, 504):
            for value in (nested(levels), [nested(levels - 1), {}]):
                wanted = store.load("key")
                with contextlib.suppress(RefusedError):
                    store.save("key", value)
                    wanted = value
                assert exact(place.open().load("key")) == exact(wanted)

    def test_tuples_become_lists(self, store: Store) -> None:
        value: Any = (1, ("a", {"b": (2,)}))
        store.save("key", value)
        assert store.load("key") == [1, ["a", {"b": [2]}]]

    def test_values_that_are_more_than_json_become_plain(self, store: Store) -> None:
        ordered: Any = OrderedDict([("b", Colour.RED), ("a", Name("text")), ("c", Mood.CALM), ("\ud800", Mood.CALM)])
        store.save("key", ordered)
        store.save("text", Name("text"))
        store.save("mood", Mood.CALM)
        store.save("number", Colour.RED)
        loaded = store.load("key")
        assert exact(loaded) == exact({"b": 3, "a": "text", "c": "calm", "\ud800": "calm"})
        assert exact(store.load("mood")) == '"calm"'
        assert isinstance(loaded, dict)
        assert [type(loaded), *map(type, loaded.values())] == [dict, int, str, str, str]
        assert [type(store.load(key)) for key in ("text", "mood", "number")] == [str, str, int]

    def test_what_is_no_number_in_json_is_refused(self, store: Store, place: Place) -> None:
        for value in (math.nan, math.inf, -math.inf):
            self.refused(store, place, [value, [value], {"a": [1, value]}])

    def test_a_type_that_json_lacks_is_refused(self, store: Store, place: Place) -> None:
        for value in FOREIGN:
            self.refused(store, place, [value, [value], {"a": {"b": value}}])

    def test_a_key_inside_that_is_no_text_is_refused(self, store: Store, place: Place) -> None:
        for key in (1, None, True, 1.5, ("a", 1), b"a"):
            self.refused(store, place, [{key: 1}, [{"a": {key: 1}}]])

    def test_a_value_that_contains_itself_is_refused(self, store: Store, place: Place) -> None:
        endless: list[Any] = [1]
        endless.append(endless)
        ring: dict[str, Any] = {"a": {}}
        ring["a"]["b"] = [ring]
        self.refused(store, place, [endless, ring])

    def test_nesting_without_bounds_is_refused(self, store: Store, place: Place) -> None:
        self.refused(store, place, [nested(600), nested(5_000), nested(100_000)])

    def test_an_integer_that_no_reader_takes_is_refused(self, store: Store, place: Place) -> None:
        self.refused(store, place, [10**5_000, -(10**5_000), [{"a": 10**5_000}]])

    def refused(self, store: Store, place: Place, values: list[Any]) -> None:
        store.save("key", "there first")
        before = place.traces()
        for value in values:
            with pytest.raises(RefusedError, match="'key'"):
                store.save("key", value)
            with pytest.raises(RefusedError, match="'new'"):
                store.save("new", value)
        assert place.traces() == before

    def test_a_refusal_names_the_place_inside_the_value(self, store: Store) -> None:
        with pytest.raises(RefusedError, match="/results/1/score"):
            store.save("key", {"results": [{"score": 1}, {"score": math.nan}]})

    @modest
    @given(value=ANY)
    def test_whatever_json_can_hold_comes_back_exactly(self, store: Store, place: Place, value: JSON) -> None:
        replace(store, {"key": value})
        assert exact(store.load("key")) == exact(value)
        assert exact(held(place.open())) == exact({"key": value})

    @modest
    @given(keys=st.lists(KEYS, min_size=1, max_size=6, unique=True))
    def test_whatever_text_can_hold_is_a_key(self, store: Store, keys: list[str]) -> None:
        replace(store, {key: index for index, key in enumerate(keys)})
        assert sorted(store.keys()) == sorted(keys)
        assert held(store) == {key: index for index, key in enumerate(keys)}
        assert [store.load(key) for key in keys] == list(range(len(keys)))


class PrivacyClauses(Clauses):
    """Nobody can change a stored value but by saving it."""

    def test_changing_what_was_saved_changes_nothing(self, store: Store) -> None:
        value: Any = {"items": [1, 2]}
        store.save("key", value)
        value["items"].append(3)
        value["more"] = True
        assert store.load("key") == {"items": [1, 2]}

    def test_changing_what_was_loaded_changes_nothing(self, store: Store) -> None:
        store.save("key", {"items": [1, 2]})
        for _ in range(3):  # the first may come from the engine, the others from a cache
            loaded: Any = store.load("key")
            assert loaded == {"items": [1, 2]}
            loaded["items"].append(3)
        assert held(store) == {"key": {"items": [1, 2]}}

    def test_changing_a_snapshot_changes_nothing(self, store: Store) -> None:
        store.save("key", {"items": [1, 2]})
        for _ in range(3):
            document: Any = held(store)
            assert document == {"key": {"items": [1, 2]}}
            document["key"]["items"].append(3)
            document["new"] = 1
        assert store.load("key") == {"items": [1, 2]}
        assert store.keys() == ["key"]

    def test_changing_the_list_of_keys_changes_nothing(self, store: Store) -> None:
        store.save("key", 1)
        store.keys().append("new")
        assert store.keys() == ["key"]

    def test_changing_what_a_transaction_loaded_changes_nothing(self, store: Store, place: Place) -> None:
        store.save("key", {"items": [1, 2]})
        before = place.traces()

        def body(transaction: Transaction) -> None:
            loaded: Any = transaction.load("key")
            loaded["items"].append(3)
            document: Any = transaction.document()
            document["key"]["items"].append(4)
            document["new"] = 1
            assert transaction.load("key") == {"items": [1, 2]}
            assert transaction.document() == {"key": {"items": [1, 2]}}

        store.transact(body)
        assert place.traces() == before
        assert held(store) == {"key": {"items": [1, 2]}}

    def test_changing_a_value_after_a_transaction_took_it_changes_nothing(self, store: Store) -> None:
        def body(transaction: Transaction) -> None:
            value: Any = {"items": [1]}
            transaction.save("key", value)
            value["items"].append(2)
            again: Any = transaction.load("key")
            again["items"].append(3)

        store.transact(body)
        assert store.load("key") == {"items": [1]}

    def test_changing_what_an_update_returned_changes_nothing(self, store: Store) -> None:
        def add(value: JSON) -> JSON:
            assert isinstance(value, list)
            return [*value, 1]

        returned: Any = store.update("key", add, [])
        returned.append(2)
        assert store.load("key") == [1]

    def test_an_update_that_changes_its_argument_in_place_is_written(self, store: Store, place: Place) -> None:
        store.save("key", {"items": [1]})

        def change(value: Any) -> JSON:
            value["items"].append(2)
            return dict(value)

        store.update("key", change)
        assert place.open().load("key") == {"items": [1, 2]}

    def test_two_loads_share_nothing(self, store: Store) -> None:
        store.save("key", {"items": [[]]})
        one: Any = store.load("key")
        two: Any = store.load("key")
        one["items"][0].append(1)
        assert two == {"items": [[]]}
