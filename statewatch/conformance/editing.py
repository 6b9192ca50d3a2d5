"""Clauses about checkpoints that are there: renaming, annotating, pinning, deleting and verifying them."""

import pytest

from statewatch.conformance.checkpoints import names
from statewatch.conformance.place import Clauses, Place
from statewatch.core.errors import MissingCheckpointError, RefusedError, SourceError
from statewatch.core.stores.base import Store


class CheckpointEditClauses(Clauses):
    """Renaming, annotating, pinning, deleting and verifying."""

    def test_a_renamed_checkpoint_keeps_everything_but_its_name(self, store: Store, place: Place) -> None:
        store.save("key", 1)
        made = store.checkpoint("old", note="why", pinned=True)
        store.checkpoint("later")
        edited = store.edit_checkpoint("old", new_name="new")
        assert edited == place.open().find_checkpoint("new")
        assert (edited.created_at, edited.note, edited.by) == (made.created_at, "why", made.by)
        assert edited.pinned is True
        assert names(store) == ["new", "later"]
        assert store.read_checkpoint("new").document == {"key": 1}
        assert store.verify_checkpoint("new")
        with pytest.raises(MissingCheckpointError):
            store.read_checkpoint("old")

    def test_the_old_name_of_a_renamed_checkpoint_is_free(self, store: Store) -> None:
        store.save("key", 1)
        store.checkpoint("name", note="first")
        store.edit_checkpoint("name", new_name="other")
        store.save("key", 2)
        store.checkpoint("name", note="second")
        assert store.read_checkpoint("other").document == {"key": 1}
        assert store.read_checkpoint("name").document == {"key": 2}
        assert [store.find_checkpoint(name).note for name in ("other", "name")] == ["first", "second"]

    def test_a_name_that_a_checkpoint_has_is_no_new_name_for_another(self, store: Store, place: Place) -> None:
        store.save("key", 1)
        store.checkpoint("one")
        store.save("key", 2)
        store.checkpoint("two")
        before = place.traces()
        with pytest.raises(RefusedError, match="already"):
            store.edit_checkpoint("one", new_name="two")
        assert place.traces() == before

    def test_the_case_of_the_name_of_a_checkpoint_can_be_changed(self, store: Store) -> None:
        store.save("key", 1)
        store.checkpoint("Release")
        store.edit_checkpoint("Release", new_name="release")
        assert names(store) == ["release"]
        assert store.read_checkpoint("release").document == {"key": 1}

    def test_a_note_on_a_checkpoint_is_changed_and_taken_away(self, store: Store, place: Place) -> None:
        store.checkpoint("release", note="one")
        store.edit_checkpoint("release", note="two")
        assert place.open().find_checkpoint("release").note == "two"
        store.edit_checkpoint("release", note="")
        assert place.open().find_checkpoint("release").note == ""

    def test_an_edit_of_a_checkpoint_that_changes_nothing_writes_nothing(self, store: Store, place: Place) -> None:
        made = store.checkpoint("release", note="one")
        before = place.traces()
        assert store.edit_checkpoint("release") == made
        assert store.edit_checkpoint("release", new_name="release", note="one", pinned=False) == made
        assert place.traces() == before

    def test_an_edit_of_a_checkpoint_does_not_touch_what_it_holds(self, store: Store) -> None:
        store.save("key", [1.0])
        store.checkpoint("release")
        digest = store.read_checkpoint("release").digest
        store.edit_checkpoint("release", new_name="other", note="changed", pinned=True)
        store.save("key", 2)
        assert store.read_checkpoint("other").digest == digest
        assert store.verify_checkpoint("other")

    def test_everything_about_a_checkpoint_is_edited_in_one_go(self, store: Store, place: Place) -> None:
        store.checkpoint("release")
        edited = store.edit_checkpoint("release", new_name="other", note="why", pinned=True)
        assert (edited.name, edited.note, edited.pinned) == ("other", "why", True)
        assert place.open().checkpoints() == [edited]

    def test_a_pinned_checkpoint_is_not_deleted(self, store: Store, place: Place) -> None:
        store.checkpoint("release", pinned=True)
        before = place.traces()
        with pytest.raises(RefusedError, match="pinned"):
            store.delete_checkpoint("release")
        assert place.traces() == before

    def test_a_checkpoint_that_is_no_longer_pinned_is_deleted(self, store: Store) -> None:
        store.checkpoint("release")
        store.edit_checkpoint("release", pinned=True)
        assert store.find_checkpoint("release").pinned is True
        store.edit_checkpoint("release", pinned=False)
        store.delete_checkpoint("release")
        assert store.checkpoints() == []

    def test_a_deleted_checkpoint_is_gone_and_the_others_stay(self, store: Store, place: Place) -> None:
        for number, name in enumerate(("one", "two", "three")):
            store.save("number", number)
            store.checkpoint(name)
        store.delete_checkpoint("two")
        other = place.open()
        assert names(other) == ["one", "three"]
        assert other.read_checkpoint("three").document == {"number": 2}
        for ask in (other.read_checkpoint, other.find_checkpoint, other.delete_checkpoint):
            with pytest.raises(MissingCheckpointError):
                ask("two")

    def test_the_name_of_a_deleted_checkpoint_can_be_used_again(self, store: Store) -> None:
        store.save("key", 1)
        store.checkpoint("release", note="old", by="old")
        store.delete_checkpoint("release")
        store.save("key", 2)
        made = store.checkpoint("release")
        assert store.checkpoints() == [made]
        assert made.note == ""
        assert store.read_checkpoint("release").document == {"key": 2}
        assert store.verify_checkpoint("release")

    def test_editing_a_missing_checkpoint_is_an_error(self, store: Store) -> None:
        store.checkpoint("release")
        with pytest.raises(MissingCheckpointError, match="'release'"):
            store.edit_checkpoint("releas", note="x")
        assert names(store) == ["release"]

    def test_a_good_checkpoint_is_verified(self, store: Store, place: Place) -> None:
        store.save("key", {"a": [1, 2.0, "x"]})
        store.checkpoint("release")
        store.save("key", "changed")
        assert place.open().verify_checkpoint("release") is True

    def test_a_damaged_checkpoint_is_found_out(self, store: Store, place: Place) -> None:
        store.save("key", {"a": 1})
        store.checkpoint("good")
        store.checkpoint("bad")
        place.damage(store, "bad")
        try:
            as_made = store.verify_checkpoint("bad")
        except SourceError as error:
            assert "bad" in str(error)  # noqa: PT017 - either way of finding out will do
            as_made = False
        assert as_made is False
        assert store.verify_checkpoint("good") is True

    def test_a_damaged_checkpoint_does_not_hide_the_others(self, store: Store, place: Place) -> None:
        store.save("key", 1)
        for name in ("one", "bad", "two"):
            store.checkpoint(name)
        place.damage(store, "bad")
        assert sorted(names(place.open())) == ["bad", "one", "two"]
        assert store.read_checkpoint("two").document == {"key": 1}
        store.save("key", 2)
        store.checkpoint("three")

    def test_a_damaged_checkpoint_can_be_deleted_and_replaced(self, store: Store, place: Place) -> None:
        store.save("key", 1)
        for name in ("one", "two"):
            store.checkpoint(name)
            place.damage(store, name)
        store.delete_checkpoint("one")
        store.checkpoint("two", replacing=True)
        assert names(store) == ["two"]
        assert store.verify_checkpoint("two")
