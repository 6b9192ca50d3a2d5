"""Clauses about checkpoints: a named moment of the whole namespace, kept as it was until someone deletes it."""

import getpass
import re
import time

import pytest

from statewatch.conformance.place import Clauses, Place, exact, held, replace, save_all
from statewatch.conformance.values import VALUES
from statewatch.core.errors import MissingCheckpointError, RefusedError
from statewatch.core.stores.base import Store
from statewatch.core.stores.model import Checkpoint

NAMES = {
    "a version": "v1.2.3",
    "words": "before the big deploy",
    "another script": "リリース前",
    "letters with accents": "größer-çã",
    "punctuation": "a_b-c+d.e",
    "the longest name": "n" * 128,
    "the longest name in another script": "名" * 66,
    "digits": "20261121_034759",
    "the name of a file": "state.json",
    "a word of JSON": "null",
    "a word of SQL": "SELECT",
}
NOTES = [
    "",
    "two\nlines",
    'it\'s "quoted" \\ 100% {x}',
    "größe 日本語 😀",
    "x" * 10_000,
    "'); DROP TABLE x; --",
]
NO_NAMES = {
    "empty": "",
    "the directory": ".",
    "the directory above": "..",
    "a way out": "../../outside",
    "an absolute path": "/etc/passwd",
    "a slash": "a/b",
    "a backslash": "a\\b",
    "a colon": "a:b",
    "NUL": "a\0b",
    "300 characters": "n" * 300,
    "a reserved name": "CON",
    "a reserved name with a suffix": "nul.txt",
    "hidden": ".hidden",
    "an option": "-rf",
    "a space before": " name",
    "a space behind": "name ",
    "a dot behind": "name.",
    "a line break": "a\nb",
    "an escape": "a\x1b[31mb",
    "an invisible character": "a\u200bb",
    "mirrored": "a\u202eb",
    "a lone surrogate": "a\ud800b",
    "decomposed": "cafe\u0301",
    "a temporary file": "name.tmp",
    "a lock": "name.lock",
    "a pattern": "a*b",
    "a pointer": "a#b",
    "an address": "a@b",
    "a per cent sign": "a%00b",
}


def names(store: Store) -> list[str]:
    """Return the names of all checkpoints, in their order."""
    return [checkpoint.name for checkpoint in store.checkpoints()]


class CheckpointClauses(Clauses):
    """Making, listing and reading."""

    def test_there_is_no_checkpoint_at_first(self, store: Store) -> None:
        store.save("key", 1)
        assert store.checkpoints() == []

    def test_a_checkpoint_holds_the_namespace_as_it_was(self, store: Store, place: Place) -> None:
        store.save("key", {"a": 1})
        store.save("gone", 2)
        store.checkpoint("release")
        store.save("key", {"a": 2})
        store.save("new", 3)
        store.delete("gone")
        assert place.open().read_checkpoint("release").document == {"key": {"a": 1}, "gone": 2}
        assert held(store) == {"key": {"a": 2}, "new": 3}

    def test_a_checkpoint_has_the_revision_that_it_was_made_of(self, store: Store) -> None:
        store.save("key", [1.0, True])
        digest = store.snapshot().digest
        store.checkpoint("release")
        assert store.read_checkpoint("release").digest == digest

    def test_a_checkpoint_is_listed_with_what_is_known_about_it(self, store: Store, place: Place) -> None:
        store.save("key", 1)
        before = time.time()
        made = store.checkpoint("release", note="before the deploy", by="somebody", pinned=True)
        assert place.open().checkpoints() == [made]
        assert place.open().find_checkpoint("release") == made
        assert (made.name, made.note, made.by) == ("release", "before the deploy", "somebody")
        assert made.pinned is True
        assert made.foreign is False
        assert before - 1 <= made.created_at <= time.time() + 1
        assert made.digest
        assert made.size is None or made.size > 0

    def test_a_checkpoint_without_more_has_the_user_and_no_note_and_no_pin(self, store: Store) -> None:
        made = store.checkpoint("release")
        assert (made.by, made.note, made.pinned) == (getpass.getuser(), "", False)

    def test_making_a_checkpoint_changes_nothing_in_the_namespace(self, store: Store) -> None:
        store.save("key", 1)
        before = store.snapshot()
        store.checkpoint("release")
        assert store.snapshot().digest == before.digest
        assert store.keys() == ["key"]

    def test_a_checkpoint_of_nothing_holds_nothing(self, store: Store) -> None:
        store.checkpoint("empty")
        assert store.read_checkpoint("empty").document == {}
        assert store.keys() == []
        assert store.verify_checkpoint("empty")

    def test_a_checkpoint_outlives_all_keys(self, store: Store, place: Place) -> None:
        store.save("key", 1)
        store.checkpoint("release")
        replace(store, {})
        assert place.open().read_checkpoint("release").document == {"key": 1}

    def test_a_checkpoint_holds_every_value_exactly(self, store: Store, place: Place) -> None:
        save_all(store, VALUES)
        store.checkpoint("release")
        found = place.open().read_checkpoint("release").document
        assert isinstance(found, dict)
        assert {key: exact(value) for key, value in found.items()} == {
            key: exact(value) for key, value in VALUES.items()
        }
        assert store.verify_checkpoint("release")

    def test_a_checkpoint_can_be_put_back(self, store: Store) -> None:
        save_all(store, {"a": [1.0], "b": {"c": None}})
        before = store.snapshot().digest
        store.checkpoint("release")
        replace(store, {"a": 2})
        document = store.read_checkpoint("release").document
        assert isinstance(document, dict)
        replace(store, document)
        assert store.snapshot().digest == before

    def test_what_a_checkpoint_holds_is_private(self, store: Store) -> None:
        store.save("key", [1])
        store.checkpoint("release")
        for _ in range(2):
            document = store.read_checkpoint("release").document
            assert isinstance(document, dict)
            assert document == {"key": [1]}
            document["key"] = "changed"

    def test_the_oldest_checkpoint_is_listed_first(self, store: Store) -> None:
        for name in ("zulu", "alpha", "mike"):
            store.checkpoint(name)
        assert names(store) == ["zulu", "alpha", "mike"]

    def test_an_automatic_name_of_a_checkpoint_tells_the_time(self, store: Store) -> None:
        made = store.checkpoint()
        assert re.fullmatch(r"auto_\d{8}_\d{6}", made.name)
        stamp = time.strftime("auto_%Y%m%d_%H%M%S", time.gmtime(made.created_at))
        assert made.name == stamp
        assert names(store) == [made.name]

    def test_automatic_names_of_checkpoints_within_a_second_differ(self, store: Store) -> None:
        made = []
        for turn in range(4):
            store.save("turn", turn)
            made.append(store.checkpoint().name)
        assert names(store) == made
        assert len(set(made)) == 4
        assert [store.read_checkpoint(name).document for name in made] == [{"turn": turn} for turn in range(4)]

    def test_a_name_of_a_checkpoint_comes_back_as_it_was_given(self, store: Store, place: Place) -> None:
        other = place.open()
        for name in NAMES.values():
            store.save("key", name)
            store.checkpoint(name, note=f"called {name}")
            assert names(other) == [name]
            assert other.find_checkpoint(name).note == f"called {name}"
            assert other.read_checkpoint(name).document == {"key": name}
            other.delete_checkpoint(name)
            assert store.checkpoints() == []

    def test_a_note_on_a_checkpoint_is_any_text(self, store: Store, place: Place) -> None:
        for note in NOTES:
            store.checkpoint("release", note=note, replacing=True)
            assert place.open().find_checkpoint("release").note == note

    @pytest.mark.parametrize("note", ["a\0b", "a\ud800b"], ids=["NUL", "a lone surrogate"])
    def test_a_hostile_note_is_kept_or_refused_but_never_breaks_the_list(
        self, store: Store, place: Place, note: str
    ) -> None:
        store.checkpoint("good")
        try:
            store.checkpoint("bad", note=note)
        except RefusedError:
            assert names(place.open()) == ["good"]
        else:
            assert place.open().find_checkpoint("bad").note == note
            assert names(place.open()) == ["good", "bad"]

    def test_hundreds_of_checkpoints_are_listed_in_order(self, store: Store, place: Place) -> None:
        for number in range(200):
            made = Checkpoint(f"c{number:03}", 1_700_000_000.5 + number, note=str(number))
            store.put_checkpoint(made, {"number": number})
        found = place.open().checkpoints()
        assert [checkpoint.name for checkpoint in found] == [f"c{number:03}" for number in range(200)]
        assert [checkpoint.note for checkpoint in found] == [str(number) for number in range(200)]
        assert store.read_checkpoint("c123").document == {"number": 123}

    def test_a_checkpoint_that_was_made_elsewhere_keeps_what_is_known_about_it(
        self, store: Store, place: Place
    ) -> None:
        store.save("key", "untouched")
        given = Checkpoint(
            "moved", 1_600_000_000.123456, note="from afar", by="somebody@there", pinned=True, foreign=True
        )
        store.put_checkpoint(given, {"a": [1.0, None], "b": "x"})
        found = place.open().find_checkpoint("moved")
        assert (found.name, found.note, found.by, found.pinned) == ("moved", "from afar", "somebody@there", True)
        assert found.created_at == pytest.approx(given.created_at, abs=1e-5)
        assert found.foreign is False
        assert exact(store.read_checkpoint("moved").document) == exact({"a": [1.0, None], "b": "x"})
        assert store.verify_checkpoint("moved")
        assert held(store) == {"key": "untouched"}

    def test_a_checkpoint_that_was_made_elsewhere_takes_the_place_of_its_namesake(self, store: Store) -> None:
        store.save("key", 1)
        store.checkpoint("release", note="old", pinned=True)
        store.put_checkpoint(Checkpoint("release", 1_600_000_000.0, note="new"), {"key": 2})
        assert names(store) == ["release"]
        assert store.find_checkpoint("release").note == "new"
        assert store.read_checkpoint("release").document == {"key": 2}
        assert store.verify_checkpoint("release")


class CheckpointNameClauses(Clauses):
    """Names that lead nowhere else and are not mistaken for each other."""

    def test_what_cannot_name_a_checkpoint_is_refused_and_leaves_nothing(self, store: Store, place: Place) -> None:
        store.save("key", 1)
        store.checkpoint("good")
        before = place.traces()
        for name in NO_NAMES.values():
            with pytest.raises(RefusedError):
                store.checkpoint(name)
            with pytest.raises(RefusedError):
                store.checkpoint(name, replacing=True)
            with pytest.raises(RefusedError):
                store.put_checkpoint(Checkpoint(name, 1.0), {})
            with pytest.raises(RefusedError):
                store.edit_checkpoint("good", new_name=name)
            assert place.traces() == before, name

    def test_what_cannot_name_a_checkpoint_is_just_not_there(self, store: Store) -> None:
        store.checkpoint("good")
        for name in NO_NAMES.values():
            for ask in (store.read_checkpoint, store.find_checkpoint, store.verify_checkpoint, store.delete_checkpoint):
                with pytest.raises(MissingCheckpointError):
                    ask(name)
        assert names(store) == ["good"]

    @pytest.mark.parametrize(
        ("there", "like"),
        [("Release", "release"), ("paypal", "pаypаl"), ("ﬁnal".replace("ﬁ", "fi"), "FINAL"), ("é1", "É1")],
    )
    def test_a_name_like_that_of_another_checkpoint_is_refused(
        self, store: Store, place: Place, there: str, like: str
    ) -> None:
        store.checkpoint(there)
        store.checkpoint("other")
        before = place.traces()
        with pytest.raises(RefusedError, match="looks like"):
            store.checkpoint(like)
        with pytest.raises(RefusedError, match="looks like"):
            store.edit_checkpoint("other", new_name=like)
        assert place.traces() == before

    def test_a_name_that_a_checkpoint_has_is_refused_and_that_stays(self, store: Store, place: Place) -> None:
        store.save("key", 1)
        store.checkpoint("release", note="first")
        store.save("key", 2)
        before = place.traces()
        with pytest.raises(RefusedError, match="already"):
            store.checkpoint("release", note="second")
        assert place.traces() == before
        assert store.read_checkpoint("release").document == {"key": 1}

    def test_a_checkpoint_is_replaced_when_told_to(self, store: Store) -> None:
        store.save("key", 1)
        store.checkpoint("release", note="first")
        store.save("key", 2)
        made = store.checkpoint("release", note="second", replacing=True)
        assert store.checkpoints() == [made]
        assert made.note == "second"
        assert store.read_checkpoint("release").document == {"key": 2}
        assert store.verify_checkpoint("release")

    def test_a_missing_checkpoint_is_an_error_that_names_the_near_ones(self, store: Store) -> None:
        store.checkpoint("before-deploy")
        store.checkpoint("zulu")
        for ask in (store.read_checkpoint, store.find_checkpoint, store.verify_checkpoint, store.delete_checkpoint):
            with pytest.raises(MissingCheckpointError, match="Did you mean 'before-deploy'") as caught:
                ask("before-deplo")
            assert caught.value.near == ("before-deploy",)
            assert "'before-deplo'" in str(caught.value)

    def test_where_there_is_no_checkpoint_at_all_the_error_says_so(self, store: Store) -> None:
        with pytest.raises(MissingCheckpointError, match="none at all"):
            store.read_checkpoint("release")

    def test_a_checkpoint_is_no_key_and_a_key_no_checkpoint(self, store: Store) -> None:
        store.save("release", "a key")
        store.checkpoint("release")
        store.checkpoint("key")
        store.save("checkpoint:default:x", 1)
        assert sorted(store.keys()) == ["checkpoint:default:x", "release"]
        assert names(store) == ["release", "key"]
        store.delete("release")
        assert store.read_checkpoint("release").document == {"release": "a key"}
        store.delete_checkpoint("release")
        assert store.keys() == ["checkpoint:default:x"]
