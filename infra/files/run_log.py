"""The run's own log file: what this project's code logs while the run goes, one line each."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_PACKAGES = ("flows", "tasks", "infra", "experts", "data")


@contextmanager
def run_log(path: Path) -> Iterator[None]:
    """Append this project's log lines of level INFO and above to the file at `path` inside the block."""
    handler = logging.FileHandler(path, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    loggers = [logging.getLogger(package) for package in _PACKAGES]
    before = [(logger, logger.level, logger.propagate) for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.INFO)
        logger.addHandler(handler)
        logger.propagate = False  # people watch the live table; Prefect's console handler would write through it
    try:
        yield
    finally:
        for logger, level, propagate in before:
            logger.removeHandler(handler)
            logger.setLevel(level)
            logger.propagate = propagate
        handler.close()
