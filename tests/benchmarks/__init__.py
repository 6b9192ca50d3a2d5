"""What the dashboard and its parts cost, measured: `python -m tests.benchmarks` runs all of it."""
