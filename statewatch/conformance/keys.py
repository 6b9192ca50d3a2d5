"""Clauses about keys: what is saved is there, under exactly that name, and nowhere else."""

import contextlib
from typing import TYPE_CHECKING

import pytest

from statewatch.conformance.place import Clauses, Place, exact, held, replace, save_all
from statewatch.core.errors import MissingKeyError, RefusedError, StatewatchError
from statewatch.core.stores.base import Store

if TYPE_CHECKING:
    from statewatch.documents.values import JSON

STRANGE = {
    "a slash": "phases/build/result",
    "a dot path": "../../etc/passwd",
    "a colon": "state:default:key",
    "spaces": "  two  spaces  ",
    "only a space": " ",
    "a line break": "first\nsecond\r\n",
    "a tab": "a\tb",
    "glob characters": "all*[a-z]?{x}",
    "LIKE wildcards": "100%_done",
    "single quotes": "it's 'quoted'",
    "double quotes": 'say "hello"',
    "a backslash": "C:\\new\\table",
    "SQL": "'; DROP TABLE state; --",
    "a placeholder": "%s %(key)s $1 ? :key",
    "Lua": "]] redis.call('FLUSHALL') --[[",
    "a pointer": "#/hooks/0~1",
    "an address": "@before-deploy",
    "a control character": "bell\a and escape\x1b[31m",
    "letters with accents": "größe-naïve-Ελληνικά",
    "composed and decomposed": "caf\u00e9 cafe\u0301",
    "another script": "日本語のキー",
    "right to left": "\u202emirrored\u202c מפתח",
    "beyond the basic plane": "🚀👩\u200d🚀",
    "invisible characters": "a\u200bb\u2060c\ufeff",
    "a noncharacter": "\uffff\ufdd0",
    "the name of a number": "0",
    "a word of JSON": "null",
    "a word of Python": "__class__",
    "the longest key": "k" * 1_024,
    "the longest key in another script": "語" * 341,
}
IMPOSSIBLE = {
    "empty": "",
    "with NUL": "a\0b",
    "only NUL": "\0",
    "a lone surrogate": "a\ud800b",
    "a byte that was not UTF-8": "name-\udcff",
    "too long": "k" * 1_025,
    "too long in another script": "語" * 342,
    "far too long": "k" * 1_000_000,
}
OWN_WORDS = ["value", "timestamp", "version", "checkpoints", "namespace", "statewatch", "state", "key", "meta"]


class KeyClauses(Clauses):
    """Saving, loading, deleting and listing."""

    def test_a_new_namespace_is_empty(self, store: Store) -> None:
        assert store.keys() == []
        assert held(store) == {}

    def test_what_is_saved_is_loaded(self, store: Store) -> None:
        store.save("phase", "build")
        assert store.load("phase") == "build"
        assert store.keys() == ["phase"]
        assert held(store) == {"phase": "build"}

    def test_what_is_saved_is_seen_by_another_object(self, store: Store, place: Place) -> None:
        other = place.open()
        assert other.load("phase", None) is None
        store.save("phase", "build")
        assert other.load("phase") == "build"
        assert other.keys() == ["phase"]

    def test_what_another_object_changes_is_seen_at_once(self, store: Store, place: Place) -> None:
        other = place.open()
        for turn in range(10):
            writer, reader = (store, other) if turn % 2 else (other, store)
            writer.save("turn", turn)
            assert reader.load("turn") == turn
            assert held(reader) == {"turn": turn}

    def test_what_another_object_deletes_is_gone_at_once(self, store: Store, place: Place) -> None:
        other = place.open()
        store.save("phase", "build")
        assert other.load("phase") == "build"
        store.delete("phase")
        assert other.load("phase", None) is None
        assert other.keys() == []

    def test_saving_again_replaces_the_value(self, store: Store) -> None:
        store.save("phase", {"name": "build", "tries": 1})
        store.save("phase", {"name": "test"})
        assert store.load("phase") == {"name": "test"}
        assert store.keys() == ["phase"]

    def test_saving_one_key_leaves_the_others(self, store: Store) -> None:
        store.save("one", [1])
        store.save("two", [2])
        store.save("one", [3])
        assert held(store) == {"one": [3], "two": [2]}

    def test_a_deleted_key_is_gone(self, store: Store) -> None:
        store.save("one", 1)
        store.save("two", 2)
        store.delete("one")
        assert store.keys() == ["two"]
        assert held(store) == {"two": 2}
        with pytest.raises(MissingKeyError):
            store.load("one")

    def test_a_deleted_key_can_be_saved_again(self, store: Store) -> None:
        store.save("one", {"old": True})
        store.delete("one")
        store.save("one", {"new": True})
        assert store.load("one") == {"new": True}

    def test_deleting_the_last_key_leaves_an_empty_namespace(self, store: Store) -> None:
        store.save("one", 1)
        store.delete("one")
        assert store.keys() == []
        assert held(store) == {}

    def test_a_missing_key_is_an_error_that_names_it_and_the_store(self, store: Store) -> None:
        with pytest.raises(MissingKeyError) as caught:
            store.load("phase")
        assert caught.value.key == "phase"
        assert "'phase'" in str(caught.value)
        assert store.url in str(caught.value)

    def test_a_missing_key_names_the_near_ones(self, store: Store) -> None:
        store.save("current_phase", "build")
        store.save("something else", 1)
        with pytest.raises(MissingKeyError, match="Did you mean 'current_phase'") as caught:
            store.load("curent_phase")
        assert caught.value.near == ("current_phase",)

    def test_nothing_is_named_where_nothing_is_near(self, store: Store) -> None:
        store.save("zebra", 1)
        with pytest.raises(MissingKeyError) as caught:
            store.load("current_phase")
        assert caught.value.near == ()
        assert "Did you mean" not in str(caught.value)

    def test_a_default_stands_in_for_a_missing_key(self, store: Store) -> None:
        assert store.load("phase", "none yet") == "none yet"

    def test_a_default_of_none_is_a_default(self, store: Store) -> None:
        assert store.load("phase", None) is None

    def test_a_default_is_not_saved(self, store: Store) -> None:
        store.load("phase", {"name": "build"})
        assert store.keys() == []

    def test_a_default_does_not_stand_in_for_a_saved_null(self, store: Store) -> None:
        store.save("phase", None)
        assert store.load("phase", "none yet") is None
        assert store.load("phase") is None
        assert store.keys() == ["phase"]

    def test_a_default_does_not_stand_in_for_what_is_false(self, store: Store) -> None:
        values: list[JSON] = [False, 0, 0.0, "", [], {}]
        for value in values:
            store.save("phase", value)
            assert exact(store.load("phase", "none yet")) == exact(value)

    def test_deleting_a_missing_key_is_an_error_and_changes_nothing(self, store: Store, place: Place) -> None:
        store.save("current_phase", "build")
        before = place.traces()
        with pytest.raises(MissingKeyError, match="'current_phase'"):
            store.delete("curent_phase")
        assert place.traces() == before

    def test_deleting_twice_is_an_error(self, store: Store) -> None:
        store.save("phase", "build")
        store.delete("phase")
        with pytest.raises(MissingKeyError):
            store.delete("phase")

    def test_keys_come_in_the_order_of_saving_or_sorted(self, store: Store, place: Place) -> None:
        saved = ["middle", "alpha", "zulu", "Beta", "10", "9"]
        for key in saved:
            store.save(key, key)
        assert store.keys() in (saved, sorted(saved))
        assert place.open().keys() == store.keys()

    def test_saving_a_key_again_does_not_move_it(self, store: Store) -> None:
        for key in ("one", "two", "three"):
            store.save(key, 1)
        before = store.keys()
        store.save("one", 2)
        assert store.keys() == before

    def test_many_keys_are_all_there(self, store: Store, place: Place) -> None:
        wanted: dict[str, JSON] = {f"item/{number:05}": {"number": number} for number in range(3_000)}
        save_all(store, wanted)
        other = place.open()
        assert sorted(other.keys()) == sorted(wanted)
        assert held(other) == wanted
        assert other.load("item/02999") == {"number": 2_999}

    def test_a_key_is_any_text(self, store: Store, place: Place) -> None:
        other = place.open()
        store.save("beside it", 1)
        for name, key in STRANGE.items():
            store.save(key, {"key": key})
            assert other.load(key) == {"key": key}, name
            assert sorted(other.keys()) == sorted(["beside it", key]), name
            assert held(other) == {"beside it": 1, key: {"key": key}}, name
            store.save(key, 2)
            assert other.load(key) == 2, name
            store.delete(key)
            assert held(other) == {"beside it": 1}, name

    def test_keys_of_all_kinds_stand_side_by_side(self, store: Store, place: Place) -> None:
        every: dict[str, JSON] = {key: {"of": name} for name, key in STRANGE.items()}
        save_all(store, every)
        other = place.open()
        assert held(other) == every
        assert sorted(other.keys()) == sorted(every)
        assert {key: other.load(key) for key in every} == every

    def test_a_word_of_the_engine_is_a_key_like_any_other(self, store: Store) -> None:
        for key in OWN_WORDS:
            store.save(key, {"value": 1, "timestamp": None})
            assert held(store) == {key: {"value": 1, "timestamp": None}}
            store.delete(key)
            assert store.keys() == []

    def test_keys_that_differ_only_in_case_are_two(self, store: Store) -> None:
        store.save("Phase", 1)
        store.save("phase", 2)
        assert (store.load("Phase"), store.load("phase"), store.load("PHASE", None)) == (1, 2, None)
        store.delete("Phase")
        assert held(store) == {"phase": 2}

    def test_keys_that_differ_only_in_unicode_form_are_two(self, store: Store) -> None:
        composed, decomposed = "caf\u00e9", "cafe\u0301"
        store.save(composed, 1)
        store.save(decomposed, 2)
        assert (store.load(composed), store.load(decomposed)) == (1, 2)
        store.delete(decomposed)
        assert store.keys() == [composed]

    def test_keys_that_differ_only_in_spaces_at_the_end_are_two(self, store: Store) -> None:
        store.save("phase", 1)
        store.save("phase ", 2)
        assert (store.load("phase"), store.load("phase ")) == (1, 2)
        assert len(store.keys()) == 2

    @pytest.mark.parametrize(
        ("pattern", "matched"),
        [("item*", "item1"), ("item?", "item1"), ("item[12]", "item1"), ("item_", "item1"), ("%", "item1")],
    )
    def test_a_key_that_is_a_pattern_stands_only_for_itself(self, store: Store, pattern: str, matched: str) -> None:
        store.save(matched, "matched")
        assert store.load(pattern, None) is None
        with pytest.raises(MissingKeyError):
            store.delete(pattern)
        store.save(pattern, "pattern")
        store.delete(pattern)
        assert held(store) == {matched: "matched"}

    def test_a_key_that_another_begins_with_stands_only_for_itself(self, store: Store) -> None:
        for key in ("a", "a:b", "a/b", "a.b", "ab"):
            store.save(key, key)
        store.delete("a")
        assert sorted(store.keys()) == ["a.b", "a/b", "a:b", "ab"]

    def test_what_cannot_be_a_key_is_refused_and_changes_nothing(self, store: Store, place: Place) -> None:
        store.save("beside it", 1)
        before = place.traces()
        for name, key in IMPOSSIBLE.items():
            with pytest.raises(RefusedError, match="the key"):
                store.save(key, 2)
            assert place.traces() == before, name

    def test_what_cannot_be_a_key_is_just_not_there(self, store: Store) -> None:
        store.save("beside it", 1)
        for name, key in IMPOSSIBLE.items():
            assert store.load(key, "default") == "default", name
            with pytest.raises(MissingKeyError):
                store.load(key)
            with pytest.raises(MissingKeyError):
                store.delete(key)
            assert held(store) == {"beside it": 1}, name

    def test_the_message_about_a_hostile_key_is_harmless_and_short(self, store: Store) -> None:
        for key in ("\x1b[2Jgone", "\ud800", "k" * 1_000_000):
            for use in (store.load, store.delete):
                with pytest.raises(StatewatchError) as caught:
                    use(key)
                message = str(caught.value)
                assert "\x1b" not in message
                assert len(message) < 5_000
                message.encode()


class NamespaceClauses(Clauses):
    """Namespaces have nothing to do with each other."""

    @pytest.mark.parametrize(
        ("one", "two"),
        [
            ("run", "run2"),
            ("a", "a.b"),
            ("a_b", "axb"),
            ("a.b", "axb"),
            ("a+b", "a b"),
            ("a-b", "a_b"),
            ("é", "e"),
            ("default", "defaults"),
            ("日本", "日本語"),
        ],
    )
    def test_namespaces_are_apart(self, place: Place, one: str, two: str) -> None:
        first, second = place.open(one), place.open(two)
        first.save("key", "first")
        assert held(second) == {}
        assert second.keys() == []
        second.save("key", "second")
        second.save("only here", 2)
        assert held(first) == {"key": "first"}
        assert (first.load("key"), second.load("key")) == ("first", "second")
        replace(first, {})
        assert held(second) == {"key": "second", "only here": 2}

    def test_namespaces_that_differ_in_case_only_are_apart_or_the_second_is_refused(self, place: Place) -> None:
        first, second = place.open("Run"), place.open("run")
        first.save("key", "first")
        assert held(second) == {}
        with contextlib.suppress(RefusedError):
            second.save("key", "second")
            assert second.load("key") == "second"
        assert held(first) == {"key": "first"}

    def test_a_key_cannot_reach_into_another_namespace(self, place: Place) -> None:
        one, two = place.open("one"), place.open("two")
        two.save("key", "untouched")
        for key in ("two:key", "../two/key", "two/key", "two.key", "two\nkey"):
            one.save(key, "mine")
            one.delete(key)
        assert held(two) == {"key": "untouched"}
        assert one.keys() == []

    def test_a_change_in_one_namespace_is_no_revision_of_another(self, place: Place) -> None:
        one, two = place.open("one"), place.open("two")
        two.save("key", 1)
        before = two.snapshot().digest
        one.save("key", 2)
        assert two.snapshot().digest == before
        assert two.wait(before, 0.05) is False

    def test_the_checkpoints_of_namespaces_are_apart(self, place: Place) -> None:
        one, two = place.open("one"), place.open("two")
        one.save("key", 1)
        one.checkpoint("release")
        assert two.checkpoints() == []
        two.checkpoint("release", note="another")
        two.delete_checkpoint("release")
        assert one.read_checkpoint("release").document == {"key": 1}

    def test_a_store_says_which_namespace_it_is(self, place: Place) -> None:
        assert place.open("one").url != place.open("two").url
