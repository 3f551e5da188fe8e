"""What a connection may cost before its request is there: uvicorn itself waits for headers as long as a client likes.

uvicorn's settings bound the time between two requests (`timeout_keep_alive`), but neither the time that headers take,
nor that of a connection which never sends any (docs/decisions/0018-connections-of-the-endpoint.md).
"""

import asyncio
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

ARRIVAL_SECONDS = 15.0
"""A request that takes longer to arrive is given up, and so is a connection that sends none."""
MOST_ARRIVING = 256
"""Connections that owe a request, or the rest of it; one more ends the one that has owed it for the longest time."""


class ArrivingRequests:
    """The connections of a server that owe a request, the oldest first."""

    def __init__(self, seconds: float = ARRIVAL_SECONDS, most: int = MOST_ARRIVING) -> None:
        self._seconds = seconds
        self._most = most
        self._timers: dict[BoundedConnection, asyncio.TimerHandle] = {}

    def add(self, connection: "BoundedConnection") -> None:
        """Close `connection` unless its request arrives in time; one that is here already gets no more time."""
        if connection in self._timers:
            return
        if len(self._timers) >= self._most:
            self._close(next(iter(self._timers)))
        self._timers[connection] = connection.loop.call_later(self._seconds, self._close, connection)

    def remove(self, connection: "BoundedConnection") -> None:
        """Let `connection` be: its request has arrived, or it is closed."""
        timer = self._timers.pop(connection, None)
        if timer is not None:
            timer.cancel()

    def _close(self, connection: "BoundedConnection") -> None:
        self.remove(connection)
        connection.transport.close()


class BoundedConnection(H11Protocol):
    """A connection that is closed if its request does not arrive in time.

    Time and number count only while the client owes something. A question that is being answered may take as long as
    the engine needs, and no connection is refused, however many others are idle.
    """

    def __init__(self, *, arriving: ArrivingRequests, **arguments: Any) -> None:
        super().__init__(**arguments)
        self._arriving = arriving

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Wait for the first request."""
        super().connection_made(transport)
        self._arriving.add(self)

    def data_received(self, data: bytes) -> None:
        """Read on."""
        super().data_received(data)
        owes = self.cycle is None or self.cycle.response_complete or self.cycle.more_body
        if owes and not self.transport.is_closing():
            self._arriving.add(self)
        else:
            self._arriving.remove(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no more."""
        self._arriving.remove(self)
        super().connection_lost(exc)

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no HTTP; a client whose answer has begun gets no second one."""
        if self.conn.our_state in {h11.IDLE, h11.SEND_RESPONSE}:
            super().send_400_response(msg)
        else:
            self.transport.close()
