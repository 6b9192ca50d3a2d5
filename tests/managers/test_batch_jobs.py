"""The commands of a run: what they leave behind does not hold it up."""

import os
import select

from statewatch.managers.batch_jobs import Event, Jobs

ENDLESS = "yes >&2 & echo begun >&2; exit 0"


def test_a_command_has_ended_though_what_it_left_behind_never_stops_writing() -> None:
    heard = 0

    def hear(_event: Event) -> None:
        nonlocal heard
        heard += 1
        assert heard < 10_000, "it listens for ever"
        for job in jobs.running.values():  # so that there is always more to read
            select.select(list(job.readers), [], [], 5)

    with Jobs(take_output=False) as jobs:
        assert jobs.start(0, ["sh", "-c", ENDLESS], os.environ, None) is None
        ended = jobs.wait(10, hear)
        while not ended:
            ended = jobs.wait(10, hear)
        assert ([job.code for job in ended], jobs.running) == ([0], {})
