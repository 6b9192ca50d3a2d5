"""The program's front door: `hook` is dispatched before anything is loaded that the rest of the program needs."""

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn


def main() -> "NoReturn":
    """Run the program: the console script."""
    if sys.argv[1:2] == ["hook"]:
        from statewatch.cli import wrapper  # noqa: PLC0415

        del sys.argv[1]
        wrapper.console()
    from statewatch.cli import main as program  # noqa: PLC0415

    program.main()
