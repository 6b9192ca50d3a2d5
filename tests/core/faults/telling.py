"""What came of an operation, in a process of its own."""

import json
import os
import traceback
from collections.abc import Callable
from dataclasses import dataclass

from statewatch.core.errors import StatewatchError


@dataclass(frozen=True)
class Told:
    """What a process said at its end: `done`, the name and text of an error, `crash` and a traceback, or `killed`."""

    how: str
    text: str = ""

    @classmethod
    def of(cls, act: Callable[[], object]) -> "Told":
        """Do something and tell what came of it."""
        try:
            act()
        except StatewatchError as error:
            return cls(type(error).__name__, str(error))
        except BaseException:  # noqa: BLE001 - whatever it is, a user would see it
            return cls("crash", traceback.format_exc())
        return cls("done")

    @classmethod
    def read(cls, said: bytes) -> "Told":
        """Understand what a process said; one that said nothing was killed."""
        return cls(*json.loads(said)) if said else cls("killed")

    def said(self) -> bytes:
        """Say it."""
        return json.dumps([self.how, self.text]).encode()


def in_child(act: Callable[[], object]) -> Told:
    """Do something in a child process."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writing, Told.of(act).said()[:60_000])
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        said = pipe.read()
    os.waitpid(child, 0)
    return Told.read(said)
