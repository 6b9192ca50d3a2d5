"""The map's rules that no other tool checks: what a cold start loads, and that only the core writes."""

import ast
import pkgutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import statewatch

PACKAGE = Path(statewatch.__file__).parent
MAY_WRITE = ("core", "demo")  # the demo plays other people's tools
OWN_STORE = "watch/history/schema.py"  # the history is a store of its own
HEAVY = ("textual", "rich", "yaml", "click", "watchfiles", "redis", "asyncio")
WRITING_CALLS = {
    "write_text",
    "write_bytes",
    "touch",
    "mkdir",
    "makedirs",
    "unlink",
    "rmdir",
    "rmtree",
    "rename",
    "renames",
    "remove",
    "symlink_to",
    "hardlink_to",
    "symlink",
    "link",
    "truncate",
    "ftruncate",
    "chmod",
    "chown",
    "fchmod",
    "utime",
    "copy2",
    "copyfile",
    "copytree",
    "move",
    "mkstemp",
    "mkdtemp",
    "NamedTemporaryFile",
    "TemporaryDirectory",
}
AMBIGUOUS = {"remove", "rename", "link", "move", "copy2", "truncate"}  # methods of other things have these names too
REPLACING = {"", "dataclasses", "transaction"}  # these replace things of their own
WRITING_MODULES = {"os", "shutil", "tempfile", "Path"}
WRITING_FLAGS = {"O_WRONLY", "O_RDWR", "O_CREAT", "O_TRUNC", "O_APPEND"}


def test_the_core_and_the_kinds_load_nothing_heavy() -> None:
    """A hook or a command pays for every import at each start."""
    modules = [
        f"statewatch.{layer}.{module.name}"
        for layer in ("documents", "kinds", "core")
        for module in pkgutil.iter_modules([str(PACKAGE / layer)])
    ]
    script = f"import sys, {', '.join(modules)}; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=PACKAGE.parent
    )
    loaded = {name.split(".")[0] for name in done.stdout.split()}
    assert "statewatch" in loaded
    assert loaded.isdisjoint(HEAVY), loaded & {*HEAVY}


def sources() -> list[Path]:
    return [
        path
        for path in sorted(PACKAGE.rglob("*.py"))
        if path.relative_to(PACKAGE).parts[0] not in MAY_WRITE and path != PACKAGE / OWN_STORE
    ]


def writes(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Find what opens, makes, moves or deletes files."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        if flags := _flags(node):
            yield node.lineno, flags
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        owner = getattr(node.func.value, "id", "") if isinstance(node.func, ast.Attribute) else ""
        if name in {"open", "fdopen"} and _mode(node) & set("wax+"):
            yield node.lineno, f"open for {_mode(node)}"
        elif name == "replace" and owner in {"os", "shutil"}:
            yield node.lineno, "os.replace"
        elif name == "replace" and len(node.args) == 1 and not node.keywords and owner not in REPLACING:
            yield node.lineno, "Path.replace"
        elif name == "touch" and node.args and not isinstance(node.args[0], ast.Constant):
            continue  # Path.touch takes a mode at most
        elif name in WRITING_CALLS and (name not in AMBIGUOUS or owner in WRITING_MODULES):
            yield node.lineno, name


def _flags(call: ast.Call) -> str:
    """Return the flags for writing in a call that opens something other than the null device."""
    if call.args and isinstance(call.args[0], ast.Attribute) and call.args[0].attr == "devnull":
        return ""
    given = {node.attr for value in call.args[1:] for node in ast.walk(value) if isinstance(node, ast.Attribute)}
    return " | ".join(sorted(given & WRITING_FLAGS))


def _mode(call: ast.Call) -> set[str]:
    """Return the letters of the mode of an open() or Path.open() call: `r` when it has none that can be read."""
    given = [keyword.value for keyword in call.keywords if keyword.arg == "mode"]
    given += call.args[:1] if isinstance(call.func, ast.Attribute) else call.args[1:2]
    for value in given:
        if isinstance(value, ast.Constant) and isinstance(value.value, str) and set(value.value) <= set("rwxabt+"):
            return set(value.value)
    return set("r")


@pytest.mark.parametrize("path", sources(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_only_the_core_writes(path: Path) -> None:
    found = [f"{path.relative_to(PACKAGE)}:{line}: {what}" for line, what in writes(ast.parse(path.read_text()))]
    assert found == []


@pytest.mark.parametrize(
    "code",
    [
        "open(p, 'w')",
        "open(p, mode='ab')",
        "p.open('r+')",
        "p.write_text(x)",
        "p.write_bytes(x)",
        "os.open(p, os.O_RDWR)",
        "os.open(p, os.O_WRONLY | os.O_CREAT)",
        "os.replace(a, b)",
        "a.replace(b)",
        "os.rename(a, b)",
        "os.remove(p)",
        "p.unlink()",
        "p.mkdir()",
        "shutil.rmtree(p)",
        "tempfile.mkstemp()",
    ],
)
def test_the_search_for_writers_finds_them(code: str) -> None:
    assert list(writes(ast.parse(code)))


@pytest.mark.parametrize(
    "code",
    ["open(p)", "p.open('rb')", "os.open(p, os.O_RDONLY)", "text.replace('a', 'b')", "replace(x, a=1)", "x.remove(1)"],
)
def test_the_search_for_writers_leaves_readers_alone(code: str) -> None:
    assert not list(writes(ast.parse(code)))


def test_the_core_itself_would_be_found() -> None:
    assert any(list(writes(ast.parse(path.read_text()))) for path in (PACKAGE / "core").glob("*.py"))
