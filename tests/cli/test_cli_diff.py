"""`diff`: an operator asks what is different, of moments, files and what comes through a pipe."""

import contextlib
import json
import os
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonpatch
import pexpect
import pytest

from statewatch.watch.history.store import History
from tests.cli.conftest import Stage, hook, write_json
from tests.support import SAMPLE

FORMATS = ("tree", "unified", "side-by-side", "stat", "json-patch", "json")


@pytest.fixture
def file(stage: Stage) -> Path:
    """Return a batch that had a checkpoint made and has gone on since."""
    path = stage.write_batch()
    assert stage.run("checkpoint", "create", path, "good").exit_code == 0
    stage.write_batch(
        current_index=4,
        completed_features=[0, 3],
        failed_features=[
            {"feature_index": 1, "error_message": "Tests failed again", "timestamp": "2026-11-15T10:12:38Z"}
        ],
        updated_at="2026-11-15T11:00:00Z",
    )
    return path


@contextlib.contextmanager
def piped(text: str) -> Iterator[str]:
    """Have a pipe with a text in it, under the name that a shell gives it."""
    reading, writing = os.pipe()
    os.write(writing, text.encode())
    os.close(writing)
    try:
        yield f"/dev/fd/{reading}"
    finally:
        os.close(reading)


def pair(stage: Stage, before: Any, after: Any) -> tuple[Path, Path]:
    return write_json(stage.project / "a.json", before), write_json(stage.project / "b.json", after)


def test_what_changed_since_a_checkpoint(stage: Stage, file: Path) -> None:
    result = stage.run("diff", f"{file}@good")
    assert (result.exit_code, result.stdout.splitlines()) == (
        1,
        ["~ current_index: 3 → 4", "+ /completed_features/1: 3", "- /failed_features/0: an object of 3 (1)"],
    )
    assert result.stderr.endswith("batch_state.json: +1 -1 ~1; noise hidden: 1 (--noise show)\n")
    for words in ((file,), (f"{file}@good", file), (file, "@good")):
        assert stage.run("diff", *words).exit_code == 1
    assert stage.run("diff", file).stdout == result.stdout
    assert stage.run("diff", f"{file}@good", file).stdout == result.stdout
    assert stage.run("diff", file, "@good").stdout.startswith("~ current_index: 4 → 3\n")
    assert "~ updated_at: " in stage.run("diff", file, "--noise", "show").stdout


def test_moments_that_were_recorded(stage: Stage) -> None:
    path = stage.project / "x.json"
    with History.open() as history:
        for number in (1, 2, 3):
            path.write_text(json.dumps({"n": number}))
            seen_at = time.time() - 1000 + 100 * number
            history.record(str(path), path.read_bytes(), at=seen_at, seen_at=seen_at)
    assert stage.run("diff", path).stdout == "~ n: 2 → 3\n"  # there is no checkpoint
    assert stage.run("diff", f"{path}@-2", "@-1").stdout == "~ n: 1 → 2\n"
    assert stage.run("diff", f"{path}@12m").stdout == "~ n: 2 → 3\n"
    stage.run("checkpoint", "create", path, "kept")
    assert stage.run("diff", path).exit_code == 0
    too_early = stage.run("diff", f"{path}@2d")
    assert (too_early.exit_code, too_early.stdout) == (2, "")
    assert "its history begins" in too_early.stderr


def test_a_source_without_a_past_is_trouble_and_says_what_to_do(stage: Stage) -> None:
    result = stage.run("diff", stage.write_batch())
    assert (result.exit_code, result.stdout) == (2, "")
    assert "no checkpoint" in result.stderr
    assert "`statewatch checkpoint create`" in result.stderr


@pytest.mark.parametrize("form", FORMATS)
def test_the_exit_code_says_whether_anything_differs_in_every_format(stage: Stage, form: str) -> None:
    one, other = pair(stage, {"a": 1, "at": "2026-11-15T10:00:00Z"}, {"a": True, "at": "2026-11-15T10:00:00Z"})
    assert stage.run("diff", one, one, "--format", form).exit_code == 0
    assert stage.run("diff", one, other, "--format", form).exit_code == 1
    assert stage.run("diff", one, other, "--format", form, "--ignore", "/a").exit_code == 0
    assert stage.run("diff", one, other, "--format", form, "--only", "/at").exit_code == 0
    write_json(other, {"a": 1, "at": "2026-11-15T11:00:00Z"})
    assert stage.run("diff", one, other, "--format", form).exit_code == 1  # be it in noise only
    missing = stage.run("diff", one, "nowhere.json", "--format", form)
    assert (missing.exit_code, missing.stdout) == (2, "")
    assert "there is no such file" in missing.stderr


@pytest.mark.parametrize(
    "words",
    [("a.json", "b.json", "--only", "a"), ("a.json", "-", "--format", "no"), ("-", "-"), ("-",), ("a.json@no",), ()],
)
def test_a_slip_is_trouble_too(stage: Stage, words: tuple[str, ...]) -> None:
    pair(stage, {}, {})
    result = stage.run("diff", *words, typed="{}")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr


def test_places_that_do_not_count_are_counted(stage: Stage) -> None:
    hooks = {name: hook("closed") for name in "abc"}
    one = stage.write_hooks(stage.project / "a.json", **hooks)
    other = stage.write_hooks(stage.project / "b.json", **{name: hook("open") for name in "abc"})
    result = stage.run("diff", one, other, "--only", "/hooks/*/state", "--ignore", "/hooks/b")
    assert result.stdout == '~ /hooks/a/state: "closed" → "open"\n~ /hooks/c/state: "closed" → "open"\n'
    assert re.search(r"\+0 -0 ~2; left out: \d+\n", result.stderr)


def test_a_place_within_something_new_counts(stage: Stage) -> None:
    one, other = pair(stage, {"runs": {}}, {"runs": {"x": {"state": "open", "n": 1}}, "rest": 1})
    assert stage.run("diff", one, other, "--only", "/runs/*/state").stdout == "+ /runs/x: an object of 2\n"
    assert stage.run("diff", one, other, "--only", "/runs/*/nothing").exit_code == 0
    assert stage.run("diff", one, other, "--only", "/**/n").exit_code == 1


def test_a_pointer_compares_one_place_under_its_own_name(stage: Stage, file: Path) -> None:
    assert stage.run("diff", f"{file}@good#/completed_features").stdout == "+ /completed_features/1: 3\n"
    assert stage.run("diff", f"{file}@good#/status").exit_code == 0
    assert stage.run("diff", f"{file}@good#/failed_features/1").stdout == (
        "- /failed_features/1: an object of 3 (1)\n"  # the one after it has moved up
    )
    assert stage.run("diff", f"{file}#/nowhere").exit_code == 2
    different = stage.run("diff", f"{file}#/current_index", f"{file}#/total_features")
    assert (different.exit_code, different.stdout) == (0, "")


def test_a_list_shows_what_came_and_went_and_who_it_was(stage: Stage) -> None:
    runs = [{"id": f"run-{number}", "n": 1} for number in range(4)]
    one, other = pair(
        stage, {"r": runs, "s": [1, 2]}, {"r": [{**runs[3], "n": 2, "m": 1}, *runs[:2]], "s": [1, 2, 3, 4]}
    )
    assert stage.run("diff", one, other).stdout.splitlines() == [
        "/r/3  run-3",
        "  ~ n: 1 → 2",
        "  + m: 1",
        "/r",
        "  - 2: an object of 2 (run-2)",
        "  > 0: an object of 3 (run-3), moved from /r/2",
        "+ /s/2…3: 3, 4",
    ]


def test_unified_shows_lines_with_what_is_around_and_where(stage: Stage) -> None:
    one, other = pair(stage, {"a": 1, "in": {"x": "old", "y": [1, 2]}}, {"a": 1, "in": {"x": "new", "y": [1, 2]}})
    assert stage.run("diff", "a.json", "b.json", "-f", "unified", "-U", "1").stdout.splitlines() == [
        f"--- {one.name}",
        f"+++ {other.name}",
        "@@ /in @@",
        '   "in": {',
        '-    "x": "old",',
        '+    "x": "new",',
        '     "y": [',
    ]


def test_hidden_noise_is_told_beside_what_differs_but_does_not_count(stage: Stage) -> None:
    pair(stage, {"a": 1, "at": "2026-11-15T10:00:00Z"}, {"a": 2, "at": "2026-11-15T11:00:00Z"})
    lines = stage.run("diff", "a.json", "b.json", "-f", "side-by-side", "--width", "80").stdout.splitlines()
    assert [" ".join(line.split()) for line in lines[2:]] == [
        "{ {",
        '"a": 1, | "a": 2,',
        '"at": "2026-11-15T10:00:00Z" "at": "2026-11-15T11:00:00Z"',
        "} }",
    ]
    assert stage.run("diff", "a.json", "b.json", "-f", "unified", "--noise", "show").stdout.count("\n+ ") == 2


@pytest.mark.parametrize("width", [20, 61, 80, 200])
def test_columns_keep_to_their_width_and_lose_nothing(stage: Stage, width: int) -> None:
    text = "日本語 word " * 30
    pair(stage, {"t": text, "u": 1}, {"t": text + "more", "u": 1})
    out = stage.run("diff", "a.json", "b.json", "-f", "side-by-side", "--width", str(width), "-U", "0").stdout
    rows = out.splitlines()[2:]
    from statewatch.cli.columns import width as cells

    assert all(cells(row) <= width for row in rows)
    assert "more" in "".join(row.rpartition(" | ")[2] for row in rows)


def test_counts_by_place_with_what_happened_in_words(stage: Stage, file: Path) -> None:
    out = stage.run("diff", file, "-f", "stat").stdout
    assert 'completed 3 "Write docs"' in out
    assert re.search(r"^/completed_features +1$", out, re.MULTILINE)


def test_a_patch_is_what_other_programs_apply(stage: Stage, file: Path) -> None:
    before = stage.json("show", f"{file}@good")
    patch = json.loads(stage.run("diff", f"{file}@good", "--format", "json-patch").stdout)
    assert jsonpatch.apply_patch(before, patch) == json.loads(file.read_text())


def test_a_patch_of_a_part_applies_by_itself(stage: Stage) -> None:
    before = {"l": [{"id": n, "v": 1} for n in range(6)], "x": {"y": 1}}
    after = {"l": [{"id": n, "v": 2 if n == 4 else 1} for n in (9, 5, 1, 4, 8)], "x": {"y": 2}}
    pair(stage, before, after)
    whole = stage.run("diff", "a.json", "b.json", "-f", "json-patch")
    assert jsonpatch.apply_patch(before, json.loads(whole.stdout)) == after
    part = stage.run("diff", "a.json", "b.json", "-f", "json-patch", "--ignore", "/l/*/v", "--ignore", "/x")
    patched: Any = jsonpatch.apply_patch(before, json.loads(part.stdout))
    assert [item["id"] for item in patched["l"]] == [9, 5, 1, 4, 8]
    assert (patched["l"][3]["v"], patched["x"]) == (1, {"y": 1})
    place = stage.run("diff", "a.json#/x", "b.json#/x", "-f", "json-patch")
    assert json.loads(place.stdout) == [{"op": "replace", "path": "/x/y", "value": 2}]


def test_rows_for_programs(stage: Stage) -> None:
    one, other = pair(stage, {"at": "2026-11-15T10:00:00Z", "n": 1}, {"at": "2026-11-15T11:00:00Z", "m": [1]})
    rows = stage.json("diff", one, other, code=1)
    assert [(row["op"], row["path"], row["noise"]) for row in rows] == [
        ("replace", "/at", True),
        ("remove", "/n", False),
        ("add", "/m", False),
    ]
    assert (rows[1]["before"], rows[2]["after"]) == (1, [1])
    assert stage.json("diff", one, one) == []


def test_what_comes_through_a_pipe(stage: Stage) -> None:
    one, _ = pair(stage, {"a": 1}, {})
    result = stage.run("diff", one, "-", typed='{"a": 2}')
    assert (result.exit_code, result.stdout) == (1, "~ a: 1 → 2\n")
    assert stage.run("diff", "-", one, typed='{"a": 1}').exit_code == 0
    broken = stage.run("diff", one, "-", typed='{"a": ')
    assert broken.exit_code == 1
    assert "standard input is not JSON at line 1" in broken.stderr


def test_what_a_shell_puts_in_the_place_of_a_command(stage: Stage) -> None:
    """`diff <(ssh host cat state.json) state.json`: the shell names a pipe, that can be read once."""
    one, _ = pair(stage, {"a": 1}, {})
    with piped('{"a": 2}') as two, piped('{"a": 3}') as three:
        result = stage.run("diff", two, three)
        assert (result.exit_code, result.stdout) == (1, "~ a: 2 → 3\n"), result.output
    with piped('[{"op": "remove", "path": "/a"}]') as patch:
        assert json.loads(stage.run("patch", one, patch).stdout) == {}
    with piped('{"a": 1}') as base, piped('{"a": 1, "b": 2}') as theirs:
        assert json.loads(stage.run("merge", base, one, theirs).stdout) == {"a": 1, "b": 2}
    with piped('{"a": 1}') as document:
        refused = stage.run("patch", document, one, "--in-place", "--yes")
        assert refused.exit_code == 2
        assert "cannot be changed" in refused.stderr


def test_what_is_not_json_is_compared_as_text_and_said_so(stage: Stage) -> None:
    one, other = stage.project / "a.log", stage.project / "b.log"
    one.write_text("start\nworking\nend\n")
    other.write_bytes(b"start\nfailed \x1b[2J\xff\nend\n")
    result = stage.run("diff", one, other)
    assert result.exit_code == 1
    assert result.stdout.splitlines()[2:] == ["@@ line 2 @@", " start", "-working", "+failed ␛[2J\\xff", " end"]
    assert "is not JSON at line 1 column 1" in result.stderr
    assert "compared line by line" in result.stderr
    assert stage.run("diff", one, one).exit_code == 0
    refused = stage.run("diff", one, other, "--format", "json-patch")
    assert (refused.exit_code, refused.stdout) == (2, "")


def test_a_broken_file_is_compared_with_its_last_good_version(stage: Stage, file: Path) -> None:
    good = file.read_text()
    stage.run("checkpoint", "create", file, "better")
    file.write_text(good[:-20])
    result = stage.run("diff", f"{file}@better", "-U", "0")
    assert result.exit_code == 1
    assert "not JSON" in result.stderr
    assert [line for line in result.stdout.splitlines() if line.startswith("-")][1:]


def test_a_namespace_of_a_store_has_differences_too(stage: Stage) -> None:
    address = "sqlite:kept?namespace=n"
    for value in ("1", "2"):
        assert stage.run("state", "save", "k", value, "--address", address).exit_code == 0
        stage.run("checkpoint", "create", address, f"at-{value}")
    assert stage.run("diff", f"{address}@at-1", "@at-2").stdout == "~ k: 1 → 2\n"


def test_hostile_text_does_nothing(stage: Stage) -> None:
    evil = "\x1b]52;c;x\x07\u202e\x9b2J"
    pair(stage, {f"k{evil}": evil, "l": [evil]}, {f"k{evil}": evil + "b", "l": [evil, evil], evil: {evil: 1}})
    for form in FORMATS:
        out = stage.run("diff", "a.json", "b.json", "--format", form).stdout
        assert out
        assert not set(out) & set("\x1b\x07\u202e\x9b")


def on_a_terminal(stage: Stage, *words: str, **variables: str) -> str:
    """Run the program on a terminal of 80 cells, and return what it prints."""
    command, *rest = map(str, stage.command(*words))
    environment = {**stage.environment(TERM="xterm-256color"), **variables}
    child = pexpect.spawn(
        command, rest, env=environment, encoding="utf-8", timeout=20, cwd=str(stage.project),
        dimensions=(24, 80),
    )  # fmt: skip
    child.expect(pexpect.EOF)
    child.close()
    return child.before or ""


def test_words_that_differ_are_marked_on_a_terminal(stage: Stage) -> None:
    pair(stage, {"e": "Tests failed: 3 of 14"}, {"e": "Tests failed: 1 of 14"})
    coloured = on_a_terminal(stage, "diff", "a.json", "b.json")
    assert re.search(r"\x1b\[38;5;172m\x1b\[7m3\x1b\[0m", coloured)
    assert re.search(r"\x1b\[38;5;33m\x1b\[7m1\x1b\[0m", coloured)
    for variables in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
        plain = on_a_terminal(stage, "diff", "a.json", "b.json", **variables)
        assert '"Tests failed: [-3-] of 14" → "Tests failed: {+1+} of 14"' in plain
        assert "\x1b" not in plain
    assert "[-" not in stage.run("diff", "a.json", "b.json").stdout


def test_columns_are_as_wide_as_the_terminal(stage: Stage) -> None:
    pair(stage, {"e": "x" * 70}, {"e": "y" * 70})
    lines = on_a_terminal(stage, "diff", "a.json", "b.json", "-f", "side-by-side", TERM="dumb").splitlines()
    assert max(map(len, lines[2:-1])) <= 80


def test_the_sample_can_be_compared_with_itself_in_every_format(stage: Stage) -> None:
    files = sorted((SAMPLE / "broken").glob("hook_*.json"))
    assert files
    for path in files:
        assert stage.run("diff", path, path).exit_code == 0
