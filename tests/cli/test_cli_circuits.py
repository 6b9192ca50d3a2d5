"""`circuits`: every circuit of a project, whatever tool owns it, listed, shown and reset by name."""

import json
import shutil
import stat
from pathlib import Path
from typing import Any

import pytest

from statewatch.core import audit
from tests.cli.conftest import Stage, hook, states, write_json
from tests.support import SAMPLE

FIELDS = "circuit kind state known consecutive_failures reason since until can_reset facts source address"
BATCH = "batch-20261114-220501-118274"
LOOP = "ralph-batch-20261115-090000-369009"


@pytest.fixture
def runs(stage: Stage) -> Stage:
    """Return a stage with the circuits of every tool of the sample, and those of two hooks."""
    shutil.copytree(SAMPLE / "project" / ".claude" / "local", stage.project / ".claude" / "local")
    shutil.copytree(SAMPLE / "ralph" / ".ralph", stage.project / ".ralph")
    shutil.copytree(SAMPLE / "home" / ".autonomous-dev", stage.home / ".autonomous-dev")
    for file in (SAMPLE / "project" / ".claude").glob("*_retry_state.json"):
        shutil.copy(file, stage.project / ".claude")
    stage.write_hooks(lint=hook("open"), fine=hook())
    return stage


def content(path: Path) -> Any:
    return json.loads(path.read_bytes())


def found(stage: Stage, *args: str) -> dict[str, str]:
    return {row["circuit"]: row["state"] for row in stage.json("circuits", "list", *args)}


def checkpoint(stage: Stage) -> Path:
    return next((stage.home / ".autonomous-dev").glob("*_checkpoint.json"))


def test_all_circuits_of_a_project_are_listed_open_ones_first(runs: Stage) -> None:
    rows = runs.json("circuits", "list")
    assert {row["circuit"]: (row["kind"], row["state"]) for row in rows if row["kind"] != "loop"} == {
        BATCH: ("retry", "open"),
        "drain": ("drain", "open"),
        "lint": ("hooks", "open"),
        "ralph": ("ralph", "open"),
        "batch-20261115-090000-369009": ("retry", "closed"),
        "drain budget": ("budget", "closed"),
        "drain pause": ("pause", "closed"),
        "fine": ("hooks", "closed"),
    }
    assert sum(row["kind"] == "loop" for row in rows) == 2
    assert all(set(FIELDS.split()) <= row.keys() for row in rows)
    shown = runs.run("circuits", "list").stdout.splitlines()
    assert [line.split()[0] for line in shown[1:]] == ["open"] * 4 + ["closed"] * 6


def test_addresses_lead_to_the_records(runs: Stage) -> None:
    for row in runs.json("circuits", "list"):
        shown = runs.run("show", row["address"])
        assert shown.exit_code == 0
        again = runs.json("circuits", "show", row["address"])
        assert [each["circuit"] for each in again] == [row["circuit"]]


def test_open_circuits_need_attention(runs: Stage) -> None:
    status = runs.json("status", code=1)
    told = {need["subject"]: need for need in status["needs_attention"] if need["kind"] == "circuit"}
    assert told.keys() == {BATCH, "drain", "ralph"}
    assert told["ralph"]["what"].endswith("No progress detected in 3 consecutive loops")
    assert told["drain"]["address"] == str(runs.project / ".claude/local/drain_breaker.json")
    stand = {Path(row["source"]).name: row["status"] for row in status["sources"]}
    assert (stand["drain_breaker.json"], stand["drain_paused.flag"]) == ("open", "closed")
    assert stand["status.json"] == "stopped"
    assert "drain open" in runs.run("status").stdout


@pytest.mark.parametrize("name", ["drain", ".claude/local/drain_breaker.json"])
def test_a_circuit_is_reset_by_name_or_address(runs: Stage, name: str) -> None:
    file = runs.project / ".claude/local/drain_breaker.json"
    result = runs.run("circuits", "reset", name, "--yes", "--why", "merged by hand")
    assert result.exit_code == 0
    assert content(file) == {"consecutive_failures": 0, "recent_failures": []}
    assert "drain pause" in result.stderr  # what pauses is another file
    assert found(runs)["drain"] == "closed"
    (record,) = audit.records()
    assert (record.action, record.targets, record.why, record.via) == ("reset", ["drain"], "merged by hand", "cli")


def test_a_dry_run_shows_what_would_be_written_and_writes_nothing(runs: Stage) -> None:
    file = runs.project / ".ralph/.circuit_breaker_state"
    before = file.read_bytes()
    result = runs.run("circuits", "reset", "ralph", "--dry-run")
    assert '~ /state: "OPEN" → "CLOSED"' in result.stdout
    assert file.read_bytes() == before


def test_circuits_of_several_tools_are_reset_and_taken_back_together(runs: Stage) -> None:
    files = [
        runs.project / ".ralph/.circuit_breaker_state",
        next((runs.project / ".claude").glob("batch-20261114*_retry_state.json")),
        runs.hook_state,
    ]
    before = [file.read_bytes() for file in files]
    assert runs.run("circuits", "reset", "ralph", BATCH, "lint", "--yes").exit_code == 0
    assert content(files[0])["state"] == "CLOSED"
    assert content(files[1])["circuit_breaker_open"] is False
    assert states(runs.hook_state) == {"lint": "closed", "fine": "closed"}
    assert runs.run("undo", "--yes").exit_code == 0
    assert [file.read_bytes() for file in files] == before


def test_a_checkpoint_that_its_tool_refuses_with_another_mode_keeps_it(runs: Stage) -> None:
    file = checkpoint(runs)
    write_json(file, content(file) | {"circuit_breaker_open": True, "consecutive_failures": 3})
    file.chmod(0o600)
    assert runs.run("circuits", "reset", file, "--yes").exit_code == 0
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert content(file)["circuit_breaker_open"] is False


def test_a_name_that_several_have_is_not_guessed_at(runs: Stage) -> None:
    result = runs.run("circuits", "reset", LOOP, "--yes")
    assert result.exit_code == 2
    assert "the name of 2 circuits" in result.stderr
    assert str(checkpoint(runs)) in result.stderr
    files = list((runs.home / ".autonomous-dev").glob("ralph-*.json"))
    for file in files:
        write_json(file, content(file) | {"circuit_breaker_open": True})
    assert runs.run("circuits", "reset", LOOP, "--all-matching", "--yes").exit_code == 0
    assert [content(file)["circuit_breaker_open"] for file in files] == [False, False]


def test_an_unknown_name_is_told_with_the_near_ones(runs: Stage) -> None:
    result = runs.run("circuits", "reset", "drian", "--yes")
    assert result.exit_code == 1
    assert "near it: drain" in result.stderr
    assert runs.run("circuits", "reset", runs.batch_state, "--yes").exit_code == 1
    assert runs.run("circuits", "reset", "--yes").exit_code == 2


def test_one_place_can_be_meant(runs: Stage) -> None:
    other = runs.home / "other" / "drain_breaker.json"
    write_json(other, {"consecutive_failures": 4, "recent_failures": []})
    assert found(runs, str(other)) == {"drain": "open"}
    assert runs.run("circuits", "reset", "drain", "--in", other.parent, "--yes").exit_code == 0
    assert content(other)["consecutive_failures"] == 0
    assert found(runs)["drain"] == "open"


def test_breakers_of_services_are_shown_and_not_touched(stage: Stage) -> None:
    file = stage.project / "service_breakers.json"
    write_json(file, {"services": {"mail": {"state": "half-open"}, "push/eu": {"state": "Melted"}}})
    before = file.read_bytes()
    assert found(stage) == {"mail": "half_open", "push/eu": "Melted"}
    address = stage.json("circuits", "list")[1]["address"]
    assert stage.json("circuits", "show", address)[0]["known"] is False
    assert "not a state that is known" in stage.run("circuits", "show", address).stdout
    result = stage.run("circuits", "reset", "mail", "--yes")
    assert (result.exit_code, file.read_bytes()) == (4, before)
    assert "its own tool only" in result.stderr


class TestPause:
    """The flag that pauses a drain."""

    @pytest.fixture
    def flag(self, stage: Stage) -> Path:
        flag = stage.project / ".claude" / "local" / "drain_paused.flag"
        write_json(flag, {"reason": "by hand", "until_iso": "2099-01-01T00:00:00+00:00", "triggered_by": "operator"})
        return flag

    def test_a_reset_ends_it(self, stage: Stage, flag: Path) -> None:
        assert found(stage) == {"drain pause": "open"}
        assert stage.run("circuits", "reset", "drain pause", "--yes").exit_code == 0
        assert found(stage) == {"drain pause": "closed"}
        assert content(flag)["reason"] == "by hand"

    @pytest.mark.parametrize("leads_somewhere", [True, False])
    def test_a_link_pauses_whatever_it_leads_to_and_a_reset_says_so(
        self, stage: Stage, flag: Path, *, leads_somewhere: bool
    ) -> None:
        flag.unlink()
        target = stage.home / "elsewhere.json"
        if leads_somewhere:
            write_json(target, {"until_iso": "2020-01-01T00:00:00+00:00"})
        flag.symlink_to(target)
        assert found(stage) == {"drain pause": "open"}
        result = stage.run("circuits", "reset", "drain pause", "--yes")
        assert result.exit_code == 4
        assert "symbolic link" in result.stderr
        assert flag.is_symlink()
        assert target.exists() == leads_somewhere


@pytest.mark.parametrize(
    ("name", "means"),
    [
        ("drain_paused.flag", "not paused"),
        ("drain_breaker.json", "takes it for closed"),
        ("drain_budget.json", "takes the budget for used up"),
        (f"{BATCH}_retry_state.json", "begins anew"),
        (f"{LOOP}_checkpoint.json", ".bak"),
    ],
)
def test_what_its_tool_makes_of_a_damaged_file_is_told(stage: Stage, name: str, means: str) -> None:
    file = stage.project / ".claude" / "local" / name
    file.parent.mkdir(parents=True)
    file.write_text('{"consecutive_fail')
    (need,) = stage.json("status", code=1)["needs_attention"]
    assert need["kind"] == "file"
    assert need["what"].startswith("not JSON at line 1 column ")
    assert means in need["what"]
    result = stage.run("circuits", "list")
    assert result.exit_code == 3
    assert means in result.stderr
    assert stage.run("circuits", "reset", file, "--yes").exit_code == 3


def test_nothing_from_a_file_acts_on_the_terminal(stage: Stage) -> None:
    evil = "\x1b[2J\x1b]0;x\x07[bold]\u202e"
    file = stage.project / "breakers.json"
    write_json(file, {"services": {evil: {"state": evil, "error_type": evil}}})
    for args in (("list",), ("show", file), ("reset", file, "--yes"), ("reset", evil, "--yes")):
        result = stage.run("circuits", *args)
        assert not set(result.output) & {"\x1b", "\x07", "\u202e"}


def test_where_there_are_none_it_says_where_it_looked(stage: Stage) -> None:
    result = stage.run("circuits", "list")
    assert (result.exit_code, result.stdout) == (0, "")
    assert "~/.autonomous-dev" in result.stderr
