"""Starts processes that do one operation each, stopped before its first system call: `python -m … faults.nursery`.

For each line, the list `ENGINE:OPERATION, ROOT, ADDRESS`, it starts a process, which connects to the socket at that
abstract address, says which process it is, waits for a byte, does the operation on the world at ROOT and says what came
of it.
"""

import ctypes
import gc
import json
import os
import signal
import socket
import sys
import tempfile
from pathlib import Path

from tests.core.faults.operations import OPERATIONS, World
from tests.core.faults.telling import Told

_PR_SET_PTRACER = 0x59616D61
_ANYBODY = ctypes.c_ulong(-1)


def _do(name: str, root: Path, address: str) -> None:
    engine, _, what = name.partition(":")
    os.environ["STATEWATCH_STATE_DIR"] = str(World(root, engine).own)
    ctypes.CDLL(None).prctl(_PR_SET_PTRACER, _ANYBODY, 0, 0, 0)
    with socket.socket(socket.AF_UNIX) as reporting:
        reporting.connect(f"\0{address}")
        reporting.sendall(f"{os.getpid()}\n".encode())
        reporting.recv(1)
        told = Told.of(lambda: OPERATIONS[engine, what].act(World(root, engine)))
        reporting.sendall(told.said())
        os._exit(0)


def _warm_up(names: list[str]) -> None:
    """Do each once, so that all is imported: what a process loads then is no system call of the operation."""
    for name in names:
        engine, _, what = name.partition(":")
        with tempfile.TemporaryDirectory() as directory, World(Path(directory), engine).entered() as world:
            world.furnish()
            OPERATIONS[engine, what].prepare(world)
            OPERATIONS[engine, what].act(world)


def _run() -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    _warm_up(sys.argv[1:])
    gc.collect()
    gc.disable()  # so that a process shares all memory with this one
    print("ready", flush=True)
    for asked in sys.stdin:
        if os.fork() == 0:
            name, root, address = json.loads(asked)
            _do(name, Path(root), address)


if __name__ == "__main__":
    _run()
