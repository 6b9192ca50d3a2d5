"""The log of a circuit breaker: what it decided and why, one line each, in the place that `guardrails.yaml` names."""

import functools
import logging
from pathlib import Path
from typing import Final

from statewatch.documents.text import harmless

FORMAT: Final = "%(asctime)s | %(levelname)s | %(hook_cmd)s | %(message)s"
LEVELS: Final = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")


@functools.lru_cache(maxsize=64)
def logger_for(file: Path, level: str, style: str) -> logging.Logger:
    """Return the logger that writes to *file*; the file and its directory are made with the first line.

    Each file has one, however many breakers write it. A line that cannot be written is lost, and nothing else.
    """
    logger = logging.Logger("circuit_breaker", level)
    handler = _LogFile(file, delay=True, encoding="utf-8", errors="backslashreplace")
    handler.setFormatter(logging.Formatter(style, defaults={"hook_cmd": "-"}))
    logger.addHandler(handler)
    return logger


class _LogFile(logging.FileHandler):
    def emit(self, record: logging.LogRecord) -> None:
        try:
            Path(self.baseFilename).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError:
            return
        super().emit(record)

    def format(self, record: logging.LogRecord) -> str:
        """Return a line in which nothing acts on the terminal of who reads it: errors of hooks are in it."""
        return harmless(super().format(record), 100_000)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the name is logging's
        """Pass over a full disk: a breaker must go on without its log."""
