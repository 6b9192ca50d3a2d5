"""`show`: the value at an address."""

import json
from typing import Any

import pytest

from tests.cli.conftest import Stage, hook, write_json

DOCUMENT: dict[str, Any] = {"a": {"b~/c": [1, 2.5, None, "zwei\x1b é"]}, "": True, "deep": {}}


@pytest.mark.parametrize(
    ("pointer", "value"),
    [
        ("", DOCUMENT),
        ("#", DOCUMENT),
        ("#/a/b~0~1c/0", 1),
        ("#/a/b~0~1c", DOCUMENT["a"]["b~/c"]),
        ("#/a/b~0~1c/2", None),
        ("#/", True),
        ("#/deep", {}),
    ],
)
@pytest.mark.parametrize("option", [(), ("--json",)])
def test_values(stage: Stage, pointer: str, value: Any, option: tuple[str, ...]) -> None:
    write_json(stage.project / "x.json", DOCUMENT)
    result = stage.run("show", f"x.json{pointer}", *option)
    assert result.exit_code == 0
    assert json.loads(result.stdout) == value
    assert result.stdout.isascii()
    assert not option or result.stdout.count("\n") == 1


def test_a_bare_text_is_json(stage: Stage) -> None:
    write_json(stage.project / "x.json", DOCUMENT)
    assert stage.run("show", "x.json#/a/b~0~1c/3").stdout == '"zwei\\u001b \\u00e9"\n'


@pytest.mark.parametrize(
    ("address", "code", "says"),
    [
        ("x.json#/a/b", 1, "there is 'b~/c'"),
        ("x.json#/a/b~0~1c/9", 1, "the list there has 4 items"),
        ("x.json#/a~2", 1, "~0"),
        ("x.json@10m", 1, "only checkpoints are kept, and there is none"),
        ("x.json@before-deploy#/a", 1, "there is no checkpoint 'before-deploy'"),
        ("missing.json", 3, "there is no such file"),
        ("bad.json", 3, "line 2 column 3"),
        (".", 3, "it is a directory"),
        ("redis://localhost:99999/0?namespace=a", 4, "no address of a Redis server"),
        ("postgresql://127.0.0.1:1/x", 3, "cannot"),
        ("sqlite:typo.db?namespace=a#/x", 3, "there is no such file"),
        ("sqlite:typo.db", 3, "there is no such file"),
        ("json:typo?namespace=a", 3, "there is no such file"),
        ("sqlite:state.db?namespace=../a", 4, "the namespace name"),
        ("json:.?nmespace=a", 4, "is no option"),
    ],
)
def test_what_cannot_be_shown_is_told_in_one_line(stage: Stage, address: str, code: int, says: str) -> None:
    write_json(stage.project / "x.json", DOCUMENT)
    (stage.project / "bad.json").write_text("{\n  bad: 1}")
    result = stage.run("show", address)
    assert (result.exit_code, result.stdout) == (code, "")
    assert says in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_a_file_that_is_being_written_is_read_again(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    path = stage.project / "x.json"
    path.write_text('{"a": 1')
    monkeypatch.setattr("statewatch.cli.arguments.time.sleep", lambda _seconds: path.write_text('{"a": 12}'))
    assert stage.json("show", "x.json#/a") == 12


def test_as_a_checkpoint_has_it(stage: Stage) -> None:
    path = write_json(stage.project / "x.json", DOCUMENT)
    stage.run("checkpoint", "create", path, "before deploy")
    write_json(path, {})
    assert stage.json("show", "x.json@before deploy#/a/b~0~1c/0") == 1
    result = stage.run("show", "x.json@before deploy#/b")
    assert (result.exit_code, "@before deploy: nothing at '/b'" in result.stderr) == (1, True)


def test_names_that_hold_signs_of_the_syntax(stage: Stage) -> None:
    write_json(stage.project / "a@b#c.json", {"x": 1})
    assert stage.json("show", "a@b#c.json#/x") == 1
    assert stage.json("show", "a%40b%23c.json#/x") == 1


def test_addresses_in_listings_lead_back(stage: Stage) -> None:
    stage.write_hooks(**{"a b/c~d": hook("open")})
    (row,) = stage.json("hooks", "list")
    assert stage.json("show", row["address"])["state"] == "open"
    (need,) = stage.json("status", code=1)["needs_attention"]
    assert need["address"] == row["address"]


def test_the_home_may_be_written_as_a_tilde(stage: Stage) -> None:
    stage.write_hooks(a=hook())
    assert stage.json("show", "~/.claude/hook_state.json#/hooks/a/state") == "closed"


def test_deep_and_large(stage: Stage) -> None:
    (stage.project / "deep.json").write_text("[" * 500 + "]" * 500)
    assert stage.run("show", "deep.json").exit_code == 0
    (stage.project / "deeper.json").write_text("[" * 100_000 + "]" * 100_000)
    assert stage.run("show", "deeper.json").exit_code == 3
    with (stage.project / "large.json").open("wb") as file:
        file.truncate(200_000_000)
    result = stage.run("show", "large.json")
    assert (result.exit_code, "200 MB" in result.stderr) == (3, True)
