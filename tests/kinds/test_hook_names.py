"""A hook whose circuit nobody names has the name that its command line gives, as the tools of hook states make it."""

import pytest

from statewatch.kinds.hook_names import hook_name, hook_name_in, script_in


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ("python3 validate_new_file.py", "validate-new-file"),
        ("uv run --no-project /srv/hooks/validate_new_file.py --strict", "validate-new-file"),
        ("bash first.sh second.sh", "second"),
        ("node --require setup.js hook.mjs", "hook"),
        ("/opt/hooks-tool damage-control", "damage-control"),
        ("/bin/true", "true"),
        ("env A=1 /usr/bin/prettier --write", "prettier"),
        ("python3 -m my_checks --fast", "my-checks"),
        ("./Lint.PY", "lint"),
        ("tool --config=x.py", "tool"),
        ("--", "hook"),
    ],
)
def test_of_a_command_line(words: str, name: str) -> None:
    assert hook_name(words.split()) == name
    assert hook_name_in(words) == name


@pytest.mark.parametrize(
    ("command", "name"),
    [
        ('"$PROJECT_DIR"/.hooks/check_style.sh --fix', "check-style"),
        ("cd web && npm test", "npm"),
        ("jq -r '.x | select(endswith(\".py\"))' | xargs black", "jq"),
        ("FOO=1 prettier --write; ./after_all.sh", "after-all"),
        ("日本語_x.py", "日本語-x"),
        ("", "hook"),
        (" && ; |", "hook"),
    ],
)
def test_of_what_one_types_into_a_shell(command: str, name: str) -> None:
    assert hook_name_in(command) == name
    assert hook_name(["sh", "-c", command]) == name
    assert hook_name(["bash", "-euc", command, "sh"]) == name


def test_what_is_passed_to_a_program_does_not_change_its_name() -> None:
    assert {hook_name(["check", file]) for file in ("a", "/x/y.txt", "-v", "--z=1")} == {"check"}


def test_a_script_is_told_from_a_program() -> None:
    assert script_in("cd x; ./guard.sh") == "guard"
    assert script_in("npm test") == ""
