"""Namespaces side by side: none is made that a file system or an eye would take for one that is there."""

from pathlib import Path

import pytest

from statewatch.core.errors import RefusedError
from statewatch.core.stores.urls import open_store, with_namespace


@pytest.fixture(params=["json:state", "sqlite:state", "sqlite:runs.db"])
def place(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return the URL of a place for namespaces: directories, or tables in one database."""
    monkeypatch.chdir(tmp_path)
    return str(request.param)


def save(place: str, namespace: str) -> None:
    with open_store(with_namespace(place, namespace)) as store:
        store.save("phase", namespace)


def everything(directory: Path) -> set[Path]:
    return {path for path in directory.rglob("*") if not path.name.endswith(("-wal", "-shm"))}


@pytest.mark.parametrize("other", ["NIGHTLY", "Nightly", "nigһtly"])
def test_a_namespace_that_would_be_taken_for_another_is_not_made(place: str, other: str, tmp_path: Path) -> None:
    save(place, "nightly")
    there = everything(tmp_path)
    with pytest.raises(RefusedError, match="there is a namespace 'nightly'"):
        save(place, other)
    with open_store(with_namespace(place, other)) as store:
        with pytest.raises(RefusedError, match="there is a namespace 'nightly'"):
            store.create()
        assert store.keys() == [], "looking is free"
    assert everything(tmp_path) == there
    save(place, "nightly")
    save(place, "nightly-2")


def test_those_that_are_there_already_are_written_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Other tools have made them, on a file system that tells them apart."""
    monkeypatch.chdir(tmp_path)
    for name in ("default", "DEFAULT"):
        (tmp_path / "state" / name).mkdir(parents=True)
        (tmp_path / "state" / name / "state.json").write_text("{}")
    save("json:state", "DEFAULT")
    save("json:state", "default")


def test_the_two_engines_see_each_others_namespaces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    save("sqlite:state", "nightly")
    with pytest.raises(RefusedError, match="there is a namespace 'nightly'"):
        save("json:state", "Nightly")
    save("json:state", "nightly")


def test_an_empty_directory_is_no_namespace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "state" / "Nightly").mkdir(parents=True)
    save("json:state", "nightly")
