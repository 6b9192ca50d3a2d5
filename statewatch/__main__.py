"""`python -m statewatch`."""

from statewatch.cli.entry import main

main()
