"""Schema versions: documents of any known version become current, in one go or step by step, and nothing else does."""

import copy
import math
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statewatch.documents.schema import (
    Chain,
    GapError,
    Migration,
    NewerError,
    SchemaError,
    StepError,
    Upgraded,
    VersionError,
)
from statewatch.documents.values import JSON, same
from tests.documents.strategies import keys, values


def add_owner(document: dict[str, Any]) -> JSON:
    return {**document, "owner": "nobody"}


def split_name(document: dict[str, Any]) -> JSON:
    first, _, last = document.pop("name").partition(" ")
    return {**document, "first": first, "last": last}


def unchanged(document: dict[str, Any]) -> JSON:
    return document


PEOPLE = Chain("2.0.0").step("1.0.0", "1.1.0", add_owner).step("1.1.0", "2.0.0", split_name)


def test_an_old_document_goes_through_every_step() -> None:
    old: JSON = {"version": "1.0.0", "name": "Ada Lovelace"}
    assert PEOPLE.upgrade(old) == Upgraded(
        {"version": "2.0.0", "owner": "nobody", "first": "Ada", "last": "Lovelace"},
        steps=(("1.0.0", "1.1.0"), ("1.1.0", "2.0.0")),
    )
    assert PEOPLE.upgrade({"version": "1.1.0", "name": "Ada"}).steps == (("1.1.0", "2.0.0"),)


def test_the_order_in_which_steps_are_registered_does_not_matter() -> None:
    backwards = Chain("2.0.0").step("1.1.0", "2.0.0", split_name).step("1.0.0", "1.1.0", add_owner)
    old: JSON = {"version": "1.0.0", "name": "Ada Lovelace"}
    assert backwards.upgrade(old) == PEOPLE.upgrade(old)


@pytest.mark.parametrize("version", ["2.0.0", "2.0", "2", 2, 2.0, "2.0.0.0", "02.0"])
def test_a_current_document_is_given_back_itself_in_whatever_form_its_version_is(version: JSON) -> None:
    document: JSON = {"version": version}
    upgraded = PEOPLE.upgrade(document)
    assert upgraded.document is document
    assert upgraded.steps == ()
    assert document == {"version": version}


@pytest.mark.parametrize("version", ["1.1.0", "1.1", 1.1])
def test_a_version_is_found_in_every_form_that_files_have_and_is_written_as_text(version: JSON) -> None:
    assert PEOPLE.upgrade({"version": version, "name": "Ada"}).document == {
        "version": "2.0.0",
        "first": "Ada",
        "last": "",
    }


def test_versions_are_compared_as_numbers() -> None:
    chain = Chain("1.10.0").step("1.9", "1.10", unchanged)
    assert chain.upgrade({"version": "1.9.0"}).steps == (("1.9", "1.10"),)
    with pytest.raises(NewerError, match=r"version 1\.11\.0"):
        chain.upgrade({"version": "1.11"})


def test_the_version_is_written_as_the_chain_writes_it_and_whatever_a_step_says() -> None:
    seen: list[JSON] = []

    def wrong(document: dict[str, Any]) -> JSON:
        seen.append(document["version"])
        return {**document, "version": "99"}

    chain = Chain("2.0").step("1.0", "1.1", wrong).step("1.1", "2.0.0", wrong)
    assert chain.upgrade({"version": 1}).document == {"version": "2.0"}
    assert seen == [1, "1.1"]


def test_a_document_without_a_version_has_the_one_the_chain_says() -> None:
    chain = Chain("1.1.0", initial="1.0.0").step("1.0.0", "1.1.0", add_owner)
    olds: list[JSON] = [{"name": "Ada"}, {"name": "Ada", "version": None}]
    for old in olds:
        upgraded = chain.upgrade(old)
        assert upgraded.document == {"name": "Ada", "version": "1.1.0", "owner": "nobody"}
        assert upgraded.steps == (("1.0.0", "1.1.0"),)


def test_the_version_may_be_under_another_key() -> None:
    chain = Chain("2.0", field="schema_version").step("1.0", "2.0", unchanged)
    assert chain.upgrade({"schema_version": "1.0", "version": 7}).document == {"schema_version": "2.0", "version": 7}


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({"name": "Ada"}, "has no 'version', and nothing says"),
        ({"version": None}, "has no 'version', and nothing says"),
        ([], "not an object"),
        ("1.0.0", "not an object"),
        ({"version": ""}, "'version' is no version: ''; one looks like '2.0.0'"),
        ({"version": "next"}, "no version: 'next'"),
        ({"version": "1.0.0-beta"}, "no version"),
        ({"version": "v1"}, "no version"),
        ({"version": "1."}, "no version"),
        ({"version": " 1.0"}, "no version"),
        ({"version": "1.2.3.4.5"}, "no version"),
        ({"version": "١.٠"}, "no version"),
        ({"version": "9" * 5_000}, "no version"),
        ({"version": -1}, "no version: -1"),
        ({"version": -1.5}, "no version"),
        ({"version": 1e30}, "no version"),
        ({"version": 10**400}, "no version"),
        ({"version": math.nan}, "no version"),
        ({"version": True}, "no version: True"),
        ({"version": ["1.0.0"]}, "no version"),
        ({"version": {}}, "no version"),
    ],
)
def test_what_is_no_version_is_said_and_never_guessed_at(document: JSON, message: str) -> None:
    with pytest.raises(VersionError) as caught:
        PEOPLE.upgrade(document)
    assert message in str(caught.value)
    assert len(str(caught.value)) < 200


def test_a_newer_document_is_refused_with_both_versions_and_what_to_do() -> None:
    with pytest.raises(NewerError) as caught:
        PEOPLE.upgrade({"version": "3.1"})
    assert str(caught.value) == (
        "the document has version 3.1.0, and the newest known here is 2.0.0: it can be read, not changed. "
        "Update the program that brings the migrations."
    )
    assert (caught.value.found, caught.value.known) == ("3.1.0", "2.0.0")


def test_a_gap_is_named_before_any_step_has_run() -> None:
    ran: list[JSON] = []

    def noted(document: dict[str, Any]) -> JSON:
        ran.append(document)
        return document

    chain = Chain("3.0.0").step("1.0.0", "1.1.0", noted).step("2.0.0", "3.0.0", unchanged)
    with pytest.raises(GapError) as caught:
        chain.upgrade({"version": "1.0.0"})
    assert str(caught.value) == "no migration from 1.1.0, on the way to 3.0.0; known: 1.0.0 to 1.1.0, 2.0.0 to 3.0.0"
    assert caught.value.missing == "1.1.0"
    assert ran == []


@pytest.mark.parametrize("version", ["0.9", "1.0.1", "1.5.0"])
def test_a_version_that_never_was_is_a_gap(version: str) -> None:
    with pytest.raises(GapError, match="no migration from"):
        PEOPLE.upgrade({"version": version})


def test_a_chain_without_steps_says_so() -> None:
    with pytest.raises(GapError, match=r"no migration from 1\.0\.0, on the way to 2\.0\.0; known: none"):
        Chain("2.0.0").upgrade({"version": "1.0.0"})


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: PEOPLE.step("1.0", "2.0", unchanged), "two steps from 1.0: to 1.1.0 and to 2.0"),
        (lambda: PEOPLE.step("2.0.0", "1.0.0", unchanged), "leads to a later version; 2.0.0 to 1.0.0 does not"),
        (lambda: PEOPLE.step("1.5", "1.5.0", unchanged), "leads to a later version; 1.5 to 1.5.0 does not"),
        (lambda: PEOPLE.step("2.0.0", "3.0.0", unchanged), "beyond the current version, 2.0.0"),
        (lambda: PEOPLE.step("one", "1.0.0", unchanged), "not a version: 'one'"),
        (lambda: Chain("latest"), "not a version: 'latest'; one looks like '1.0.0'"),
        (lambda: Chain("1.0.0", initial="1.1.0"), "the initial version 1.1.0 is later than the current one, 1.0.0"),
    ],
)
def test_a_chain_that_makes_no_sense_is_refused_when_it_is_made(build: Callable[[], Chain], message: str) -> None:
    with pytest.raises(SchemaError) as caught:
        build()
    assert message in str(caught.value)
    assert len(PEOPLE.steps) == 2


class OddError(ValueError):
    """An error as other people define them."""


class UnrelatedError(Exception):
    """An error that has nothing to do with a document."""


def raising(error: Exception) -> Migration:
    def step(document: dict[str, Any]) -> JSON:
        document.clear()
        raise error

    return step


def endless(_: dict[str, Any]) -> JSON:
    circle: dict[str, Any] = {}
    circle["again"] = circle
    return circle


def deep(levels: int) -> JSON:
    value: JSON = {}
    for _ in range(levels):
        value = {"": value}
    return value


def returning(value: Any) -> Migration:
    return lambda _: value


@pytest.mark.parametrize(
    ("migrate", "reason"),
    [
        (raising(KeyError("name")), "failed (KeyError: 'name')"),
        (raising(OddError("the disk\x1b[2J is full")), "failed (OddError: the disk␛[2J is full)"),
        (lambda d: d["name"].no_such_method(), "failed (AttributeError"),
        (lambda d: d.update(a=1), "returned nothing"),
        (returning([]), "returned what is not a JSON object: it is of type list"),
        (returning("text"), "it is of type str"),
        (returning({"a": math.nan}), "not JSON compliant"),
        (returning({"a": {1, 2}}), "set is not JSON serializable"),
        (returning({"a": (1, 2)}), "would be read back differently"),
        (returning({1: 2}), "would be read back differently"),
        (returning({1: 2, "1": 3}), "occurs twice"),
        (returning({b"a": 2}), "keys must be"),
        (endless, "Circular"),
        (returning(deep(600)), "nested deeper than 500 levels"),
        (returning(deep(50_000)), "nested too deeply"),
        (returning({"a": 10**5_000}), "limit"),
    ],
)
def test_a_step_that_fails_is_named_and_leaves_the_document_as_it_was(migrate: Migration, reason: str) -> None:
    chain = Chain("1.2.0").step("1.0.0", "1.1.0", add_owner).step("1.1.0", "1.2.0", migrate)
    old: JSON = {"version": "1.0.0", "name": "Ada", "more": {"a": [1]}}
    before = copy.deepcopy(old)
    with pytest.raises(StepError) as caught:
        chain.upgrade(old)
    assert str(caught.value).startswith("the migration from 1.1.0 to 1.2.0 ")
    assert str(caught.value).endswith(" Nothing was changed.")
    assert reason in caught.value.reason
    assert old == before


def test_an_error_of_a_kind_of_its_own_reaches_whoever_knows_it_and_changes_nothing() -> None:
    old: JSON = {"version": "1.0.0", "name": "Ada"}
    with pytest.raises(UnrelatedError):
        Chain("1.1.0").step("1.0.0", "1.1.0", raising(UnrelatedError())).upgrade(old)
    assert old == {"version": "1.0.0", "name": "Ada"}


def test_a_document_that_is_no_json_itself_is_not_blamed_on_a_step() -> None:
    with pytest.raises(SchemaError, match=r"the document cannot be migrated: .*not JSON compliant") as caught:
        PEOPLE.upgrade({"version": "1.0.0", "name": math.inf})
    assert not isinstance(caught.value, StepError)


def scribble(document: dict[str, Any]) -> JSON:
    """Change everything that is reachable in place, as a careless migration does."""
    inside: list[Any] = [document]
    while inside:
        here = inside.pop()
        inside.extend(here.values() if isinstance(here, dict) else here if isinstance(here, list) else [])
        if isinstance(here, dict):
            here["scribbled"] = len(here)
        elif isinstance(here, list):
            here.append("scribbled")
    return document


VERSIONS = ("1.0.0", "1.1.0", "1.10.0", "2.0.0", "3.0.0")
STEPS: tuple[Migration, ...] = (scribble, add_owner, unchanged, scribble)
documents = st.dictionaries(keys, values, max_size=4)


def chain_to(end: int) -> Chain:
    chain = Chain(VERSIONS[end])
    for before, after, migrate in zip(VERSIONS[:end], VERSIONS[1 : end + 1], STEPS, strict=False):
        chain = chain.step(before, after, migrate)
    return chain


@given(documents, st.integers(0, 4), st.integers(0, 4))
def test_an_upgrade_in_one_go_is_the_same_as_step_by_step(document: dict[str, JSON], start: int, end: int) -> None:
    start, end = sorted((start, end))
    document = {**document, "version": VERSIONS[start]}
    by_step: JSON = document
    taken: tuple[tuple[str, str], ...] = ()
    for here in range(start, end):
        upgraded = chain_to(here + 1).upgrade(by_step)
        by_step, taken = upgraded.document, taken + upgraded.steps
    at_once = chain_to(end).upgrade(document)
    assert same(at_once.document, by_step)
    assert at_once.steps == taken
    assert len(taken) == end - start


@given(documents, st.integers(0, 4))
def test_the_original_is_never_changed_and_a_second_upgrade_does_nothing(document: dict[str, JSON], start: int) -> None:
    document = {**document, "version": VERSIONS[start]}
    before = copy.deepcopy(document)
    upgraded = chain_to(4).upgrade(document).document
    assert same(document, before)
    again = chain_to(4).upgrade(upgraded)
    assert again.document is upgraded
    assert again.steps == ()
