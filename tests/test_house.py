"""The house rules that no other tool checks: sizes, standing alone, and pictures that show the screens of now."""

import ast
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MODULES = sorted((ROOT / "statewatch").rglob("*.py"))


def test_no_module_is_longer_than_400_lines() -> None:
    lengths = {path.relative_to(ROOT).as_posix(): len(path.read_text().splitlines()) for path in MODULES}
    assert {path: length for path, length in lengths.items() if length > 400} == {}
    assert lengths["statewatch/tui/app.py"] <= 250


def test_no_function_is_longer_than_50_lines() -> None:
    long = [
        f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"
        for path in MODULES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and (node.end_lineno or 0) - node.lineno >= 50
    ]
    assert long == []


def test_whatever_is_caught_broadly_is_caught_at_a_boundary() -> None:
    broad = [
        path.relative_to(ROOT).as_posix()
        for path in MODULES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ExceptHandler)
        and (node.type is None or (isinstance(node.type, ast.Name) and node.type.id in {"Exception", "BaseException"}))
    ]
    assert len(broad) <= 4, broad


def test_the_readme_shows_pictures_that_are_there_and_names_commands_that_exist() -> None:
    text = (ROOT / "README.md").read_text()
    for picture in re.findall(r"\((screenshots/[^)]+)\)", text):
        assert (ROOT / picture).is_file(), picture
    for mark in ("demo", "test"):
        assert re.search(rf"<!-- {mark} -->\n```sh\n.+\n```", text), f"the {mark} command is missing"


def test_no_file_needs_anything_outside_the_project() -> None:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("not a git checkout")
    outside = re.compile(r"\.\./" + r"shared|py" + r"pi\.org|python" + r"hosted")
    for name in listed.stdout.splitlines():
        path = ROOT / name
        if path.suffix in {".py", ".md", ".toml", ".tcss", ".yml", ""} and path.is_file():
            assert not outside.search(path.read_text(errors="replace")), name
