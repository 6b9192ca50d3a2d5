"""Addresses: `SOURCE[@WHEN][#POINTER]`, where a file whose own name looks like one wins."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statewatch.core.address import Address, parse
from statewatch.core.errors import NotFoundError


def nothing(_source: str) -> bool:
    return False


@pytest.mark.parametrize(
    ("text", "address"),
    [
        (".claude/batch_state.json", Address(".claude/batch_state.json")),
        ("state.json@before-deploy", Address("state.json", "before-deploy")),
        ("state.json@10m", Address("state.json", "10m")),
        ("state.json@-1", Address("state.json", "-1")),
        ("state.json@2026-11-20T14:03", Address("state.json", "2026-11-20T14:03")),
        ("state.json#/hooks/validate-file/state", Address("state.json", None, ("hooks", "validate-file", "state"))),
        ("state.json@10m#/hooks", Address("state.json", "10m", ("hooks",))),
        ("state.json#", Address("state.json")),
        ("state.json#/", Address("state.json", None, ("",))),
        ("state.json#/a~1b~0c", Address("state.json", None, ("a/b~c",))),
        ("state.json#/a@b", Address("state.json", None, ("a@b",))),
        ("state.json#/a#/b", Address("state.json", None, ("a#", "b"))),
        ("a%40b.json@10m", Address("a@b.json", "10m")),
        ("a%23b.json#/x", Address("a#b.json", None, ("x",))),
        ("mail@example/state.json", Address("mail@example/state.json")),
        ("mail@example/state.json@10m", Address("mail@example/state.json", "10m")),
        ("@10m", Address("@10m")),
        ("state.json@", Address("state.json@")),
        ("notes#1.json", Address("notes#1.json")),
        ("state.json@a%40b%2Fc", Address("state.json", "a@b/c")),
        ("", Address("")),
    ],
)
def test_an_address_is_taken_apart(text: str, address: Address) -> None:
    assert parse(text, nothing) == address


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("sqlite:PATH?namespace=wf-1@10m#/a", Address("sqlite:PATH?namespace=wf-1", "10m", ("a",))),
        ("sqlite:a@b/state.db", Address("sqlite:a@b/state.db")),
        ("sqlite:a@b/state.db@good#/x", Address("sqlite:a@b/state.db", "good", ("x",))),
        ("sqlite:state%40x.db?namespace=a", Address("sqlite:state%40x.db?namespace=a")),
        ("json:/x y/z@1/?namespace=a@b%40c", Address("json:/x y/z@1/?namespace=a", "b@c")),
        ("redis://HOST:6379/0?namespace=wf-1", Address("redis://HOST:6379/0?namespace=wf-1")),
        ("redis://me:p@HOST:6379/0", Address("redis://me:p@HOST:6379/0")),
        ("redis://me:p@HOST:6379/0@good", Address("redis://me:p@HOST:6379/0", "good")),
        ("redis://me@HOST", Address("redis://me@HOST")),
        ("redis://me@HOST?namespace=a@10m", Address("redis://me@HOST?namespace=a", "10m")),
        ("unix:///run/redis@1/r.sock?db=0&namespace=a", Address("unix:///run/redis@1/r.sock?db=0&namespace=a")),
        ("postgresql:///db?host=/run#/a@b", Address("postgresql:///db?host=/run", None, ("a@b",))),
        (
            "postgresql://me@HOST/db?password=a@b&namespace=wf-1@2026-11-20T14:03#/a#b",
            Address("postgresql://me@HOST/db?password=a@b&namespace=wf-1", "2026-11-20T14:03", ("a#b",)),
        ),
        ("memory:?namespace=a@b#", Address("memory:?namespace=a", "b")),
    ],
)
@pytest.mark.parametrize("exists", [nothing, lambda _source: True])
def test_in_the_url_of_a_store_accounts_and_directories_may_hold_signs_of_the_syntax(
    text: str, address: Address, exists: Callable[[str], bool]
) -> None:
    assert parse(text, exists) == address
    assert parse(str(address), exists) == address


def test_a_wrong_pointer_is_told_without_the_password() -> None:
    with pytest.raises(NotFoundError, match=r"^redis://me@HOST/0\?namespace=a: a pointer starts with '/'"):
        parse("redis://me:secret@HOST/0?namespace=a#b", nothing)


@pytest.mark.parametrize(
    ("text", "files", "address"),
    [
        ("a@b", {"a@b"}, Address("a@b")),
        ("a@b", {"a", "a@b"}, Address("a@b")),
        ("a@b", {"a"}, Address("a", "b")),
        ("a@b@c", {"a@b"}, Address("a@b", "c")),
        ("a#/b", {"a#/b"}, Address("a#/b")),
        ("a#/b#/c", {"a#/b"}, Address("a#/b", None, ("c",))),
        ("a@b#/c", {"a@b"}, Address("a@b", None, ("c",))),
        ("a%40b", {"a%40b"}, Address("a%40b")),
        ("a%40b", {"a@b"}, Address("a@b")),
        ("a%40b@c", {"a@b@c", "a@b"}, Address("a@b@c")),
    ],
)
def test_a_file_that_is_there_wins_over_the_syntax(text: str, files: set[str], address: Address) -> None:
    assert parse(text, files.__contains__) == address


def test_a_wrong_pointer_is_told_with_the_whole_address() -> None:
    with pytest.raises(NotFoundError, match=r"state\.json#/a~: .*'~0'"):
        parse("state.json#/a~", nothing)


sources = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1)
moments = st.none() | st.text(st.characters(exclude_categories=["Cs"]), min_size=1)


@given(sources, moments, st.lists(st.text()).map(tuple), st.booleans())
def test_an_address_written_down_is_read_as_the_same(
    source: str, when: str | None, tokens: tuple[str, ...], there: bool
) -> None:
    address = Address(source, when, tokens)
    assert parse(str(address), (lambda name: name == source) if there else nothing) == address


urls = st.sampled_from(
    ["sqlite:a b/c.db", "redis://me:p@h:1/0", "postgresql://u@h/db?x=1@2", "json:d@e/f", "unix:///s"]
)
namespaces = st.text(st.characters(categories=["Lu", "Ll", "Nd"]), min_size=1)


@given(urls, namespaces, moments, st.lists(st.text()).map(tuple))
def test_so_is_the_address_of_a_place_in_a_store(
    url: str, namespace: str, when: str | None, tokens: tuple[str, ...]
) -> None:
    address = Address(f"{url}{'&' if '?' in url else '?'}namespace={namespace}", when, tokens)
    assert parse(str(address), nothing) == address
