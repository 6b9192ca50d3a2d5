"""The process that has `statewatch batch run` at work in the demo: `python -m statewatch.demo.runner SPEED`.

Here nothing is simulated but the commands, which only take their time, and fail now and then. While they are at it
checkpoints are kept, as by somebody who will leave them alone for the night. Like each tool (see `tool`) it reads the
demo's directory and its start from a pipe, and ends when that closes.
"""

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

from statewatch.demo import disk
from statewatch.demo.tool import begun, ended

BATCH_FILE: Final = ".claude/batch_state_thumbnails.json"
ITEMS: Final = tuple(f"photos/2026-11/harbour-{number:03}.png" for number in range(1, 121))
CHECKPOINTS: Final = (
    (".claude/batch_state.json", "before-the-night", "as it was when everybody went home"),
    (
        "../home/.claude/hook_state.json",
        "before-the-night",
        "legacy-banner and release-notes-draft are known to be open",
    ),
)
"""What is kept: a file as seen from the project, the name of the checkpoint, and a note."""
PARALLEL: Final = 2
SECONDS: Final = 9.0
"""What an item takes at speed 1."""
_FAILING: Final = "6|17|31|58|59|90"
_COMMAND: Final = f"""
sleep "$2"
case "$1" in {_FAILING}) echo "harbour.png: CRC error in chunk IDAT (computed 3f01c2aa)" >&2; exit 1;; esac
"""


def main(speed: str) -> None:
    """Make the batch and run it until it is done or the demo ends."""
    if (stage := begun()) is None:
        return
    root, _ = stage
    made = [*_program("batch", "create"), "--id", "thumbnails", "--file", BATCH_FILE, "-"]
    _started(root, made, stdin=subprocess.PIPE).communicate("\n".join(ITEMS).encode())
    words = ["sh", "-c", _COMMAND, "sh", "{index}", f"{SECONDS / float(speed):.3f}"]
    run = _started(
        root, [*_program("batch", "run"), BATCH_FILE, "-P", str(PARALLEL), "--", *words], stdin=subprocess.DEVNULL
    )
    for file, name, note in CHECKPOINTS:
        if ended(0.0):
            break
        keeping = [*_program("checkpoint", "create"), file, name, "--note", note]
        _started(root, keeping, stdin=subprocess.DEVNULL).wait()
    while not ended(3_600.0):
        pass
    run.terminate()
    run.wait()
    disk.remove_tree(root)


def _program(*verbs: str) -> list[str]:
    return [sys.executable, "-P", "-m", "statewatch", *verbs]


def _started(root: Path, command: list[str], *, stdin: int) -> "subprocess.Popen[bytes]":
    """Start a command at home in the demo, whose words nobody reads."""
    return subprocess.Popen(  # noqa: S603 - our own program with our own arguments
        command,
        env={**os.environ, "HOME": str(root / "home"), "STATEWATCH_STATE_DIR": str(root / "statewatch")},
        cwd=root / "project",
        stdin=stdin,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
