"""`python -m statewatch`."""

from statewatch.cli.main import main

main()
