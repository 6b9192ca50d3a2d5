"""Hook commands behind their circuits: a shell makes of them what it made before, and nothing else changes."""

import json
import subprocess
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statewatch.kinds.base import RefusedError
from statewatch.kinds.hook_settings import Rewritten, Wrapping, comment_line, is_wrapped, unwrapped, wrapped

COMMANDS = st.one_of(
    st.text(alphabet="ab '\"\\$&|;\n\t-/é日😀`(){}", max_size=30),
    st.sampled_from(["./guard.sh --pre", "echo 'it''s'", 'x "$HOME" && y', "jq .a", "jq .b", "statewatch-hook -- x"]),
)


def settings_of(*commands: str) -> dict[str, Any]:
    hooks = [{"type": "command", "command": command, "timeout": 5} for command in commands]
    return {"model": "m", "hooks": {"PreToolUse": [{"matcher": "Bash", "hooks": hooks}]}}


USUAL = Wrapping()


def wrap(text: str, wrapping: Wrapping = USUAL) -> Rewritten:
    return wrapped(text, json.loads(text), wrapping)


def commands_in(text: str) -> list[str]:
    return [hook["command"] for hook in json.loads(text)["hooks"]["PreToolUse"][0]["hooks"]]


@given(st.lists(COMMANDS, max_size=4), st.booleans(), st.sampled_from([None, 2, 4]))
def test_taking_it_back_gives_every_byte(commands: list[str], ascii_only: bool, indent: int | None) -> None:
    text = json.dumps(settings_of(*commands), ensure_ascii=ascii_only, indent=indent)
    there = wrap(text)
    assert wrap(there.text).text == there.text, "once is enough"
    back = unwrapped(there.text, json.loads(there.text))
    assert back.text == text
    assert back.places == there.places


@given(st.text(alphabet="ab '\"\\$&;\n\té`()*?~#", min_size=1, max_size=30).filter(str.strip))
def test_the_shell_gets_the_very_same_text(command: str) -> None:
    """Run what is written with a wrapper that only prints its last argument."""
    (written,) = commands_in(wrap(json.dumps(settings_of(command)), Wrapping(program=("statewatch-hook",))).text)
    define = 'statewatch-hook() { while [ $# -gt 1 ]; do shift; done; printf "%s" "$1"; }\n'
    done = subprocess.run(["bash", "-c", define + written], capture_output=True, check=True, timeout=10)
    assert done.stdout.decode() == command


def test_how_it_is_written_is_kept() -> None:
    text = r'{"hooks": {"Stop": [{"hooks": [{"command": "echo it\u0027s \/ \u00e9 é 😀"}]}]}, "z": 1.0e3}'
    there = wrap(text, Wrapping(options=("--state", "/a b/c.json"), shell="bash")).text
    assert there == (
        r'{"hooks": {"Stop": [{"hooks": [{"command": "statewatch-hook --key echo --state '
        r"""'/a b/c.json' -- bash -c 'echo it'\\\u0027's \/ \u00e9 é 😀'"}]}]}, "z": 1.0e3}"""
    )
    assert unwrapped(there, json.loads(there)).text == text


def test_names_are_those_of_scripts_and_programs_that_share_one_are_told_apart() -> None:
    text = json.dumps(settings_of("./guard.sh --pre", "/x/guard.sh --post", "jq .a", "jq .b", "jq .a"))
    there = wrap(text)
    assert there.names == ("guard", "jq", "jq-2")
    keys = [command.split()[2] for command in commands_in(there.text)]
    assert keys == ["guard", "guard", "jq", "jq-2", "jq"]

    document = json.loads(there.text)
    document["hooks"]["PreToolUse"][0]["hooks"].append({"command": "jq .c"})
    assert wrap(json.dumps(document)).names == ("jq-3",), "a name that is taken already is not given again"


@pytest.mark.parametrize(
    ("hook", "reason"),
    [
        ({"type": "prompt", "prompt": "x"}, '"prompt" runs no command'),
        ({"command": 5}, "should be a text, and is a number"),
        ({"command": "a", "args": ["b"]}, "it has args"),
        ({"command": "a", "shell": "powershell"}, "PowerShell"),
        ({"command": "  "}, "no shell can run it"),
        ({"command": "a\0b"}, "no shell can run it"),
        (7, "expected an object, found a number"),
    ],
)
def test_what_is_no_command_is_left_and_named(hook: Any, reason: str) -> None:
    text = json.dumps({"hooks": {"Stop": [{"hooks": [hook, {"command": "true"}]}]}})
    there = wrap(text)
    assert len(there.places) == 1
    assert [note for note in there.notes if reason in note and note.startswith("/hooks/Stop/0/hooks/0")]


@pytest.mark.parametrize("groups", [5, None, "x", {"a": 1}, [5], [{"hooks": 5}], [{}]])
def test_odd_shapes_are_left_and_named(groups: Any) -> None:
    text = json.dumps({"hooks": {"Stop": groups, "Start": [{"hooks": [{"command": "true"}]}]}})
    there = wrap(text)
    assert there.names == ("true",)
    assert there.notes[0].startswith("/hooks/Stop")


@pytest.mark.parametrize(
    ("document", "reason"), [([], "a list"), ({}, "no hooks"), ({"hooks": []}, "object of events")]
)
def test_what_is_no_settings_file_is_refused(document: Any, reason: str) -> None:
    with pytest.raises(RefusedError, match=reason):
        wrap(json.dumps(document))


@pytest.mark.parametrize(
    ("command", "is_so"),
    [
        ("statewatch-hook -- x", True),
        ("/opt/venv/bin/statewatch-hook --key a -- x", True),
        ("statewatch hook -- x", True),
        ("python3 -m statewatch hook -- x", True),
        ("statewatch hooks list", False),
        ("echo statewatch-hook", False),
        ("; statewatch-hook -- x", False),
        ("", False),
    ],
)
def test_a_wrapped_command_is_recognised(command: str, is_so: bool) -> None:
    assert is_wrapped(command) is is_so


@pytest.mark.parametrize("command", ["statewatch-hook -- ./x.sh", "statewatch-hook --key a -- sh -c 'x' extra"])
def test_what_somebody_wrapped_in_another_way_stays(command: str) -> None:
    text = json.dumps(settings_of(command))
    back = unwrapped(text, json.loads(text))
    assert (back.text, back.places) == (text, ())
    assert "left as it is" in back.notes[0]


@pytest.mark.parametrize(
    ("text", "line"), [('{"a": "// no"}', None), ("{\n // c\n}", 2), ('{"a": 1} /* c */', 1), (r'{"\"//": 1}', None)]
)
def test_comments_are_found(text: str, line: int | None) -> None:
    assert comment_line(text) == line
