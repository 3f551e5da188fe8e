"""Repeat a transaction after its connection to the database server was lost."""

import functools
import logging
import time
from collections.abc import Callable, Iterator
from typing import ParamSpec, TypeVar

from sqlalchemy.exc import DBAPIError, OperationalError

from swarm.errors import InputError

logger = logging.getLogger(__name__)

PATIENCE_SECONDS = 60.0
"""The seconds to wait for a lost server: longer than a restart or a switch to a standby server takes."""

_LONGEST_PAUSE = 5.0

_LOST = {"57P01", "57P02", "57P03", "40001", "40P01"}
"""PostgreSQL's codes: shut down, crashed, starting, and rolled back in favour of another (serialisation, deadlock)."""

P = ParamSpec("P")
R = TypeVar("R")


class ConnectionLost(InputError):
    """The server went away: the transaction was not saved, or, if it was just being committed, perhaps as a whole."""


def is_connection_loss(error: DBAPIError) -> bool:
    """Tell whether `error` is a lost connection, after which a transaction may be tried again."""
    state = getattr(error.orig, "sqlstate", "none")
    unreachable = state is None and isinstance(error, OperationalError)
    return error.connection_invalidated or unreachable or state in _LOST or str(state).startswith("08")


def survives_loss(method: Callable[P, R]) -> Callable[P, R]:
    """Call a method again when its connection was lost; it must be one transaction that may be repeated.

    Raises:
        ConnectionLost: the server did not come back in `PATIENCE_SECONDS`.

    """

    @functools.wraps(method)
    def repeat_until_connected(*arguments: P.args, **keywords: P.kwargs) -> R:
        deadline = time.monotonic() + PATIENCE_SECONDS
        for pause in _pauses():
            try:
                return method(*arguments, **keywords)
            except ConnectionLost as error:
                if time.monotonic() + pause > deadline:
                    raise
                logger.warning("%s: trying again in %g s", error, pause)
                time.sleep(pause)
        raise AssertionError("unreachable")

    return repeat_until_connected


def _pauses() -> Iterator[float]:
    pause = 0.1
    while True:
        yield pause
        pause = min(2 * pause, _LONGEST_PAUSE)
