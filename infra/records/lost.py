"""A database server that goes away in the middle: what was under way is done again when it is back."""

import functools
import logging
import time
from collections.abc import Callable, Iterator
from typing import ParamSpec, TypeVar

from sqlalchemy.exc import DBAPIError, OperationalError

from swarm.errors import InputError

logger = logging.getLogger(__name__)

PATIENCE_SECONDS = 60.0
"""How long a lost server is waited for: longer than one restarts, or a standby takes over."""

_LONGEST_PAUSE = 5.0

_LOST = {"57P01", "57P02", "57P03", "40001", "40P01"}
"""PostgreSQL: shut down, crashed, starting; and undone for another's sake (serialisation, deadlock)."""

P = ParamSpec("P")
R = TypeVar("R")


class ConnectionLost(InputError):
    """The server went away: of the transaction under way nothing was kept, or, if that was ending, all or nothing."""


def is_connection_loss(error: DBAPIError) -> bool:
    """Tell whether what failed may be tried again; a server that can't be reached has no SQLSTATE to tell."""
    state = getattr(error.orig, "sqlstate", "none")
    unreachable = state is None and isinstance(error, OperationalError)
    return error.connection_invalidated or unreachable or state in _LOST or str(state).startswith("08")


def survives_loss(method: Callable[P, R]) -> Callable[P, R]:
    """Let a method, which is one transaction and may be repeated, be called again when its connection was lost.

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
