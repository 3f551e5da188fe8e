"""The server process: who may reach it, and how it starts and ends."""

import socket
from collections.abc import Callable
from contextlib import closing
from functools import partial
from ipaddress import ip_address

import uvicorn
from fastapi import FastAPI
from pydantic import SecretStr

from infra.serving.answering import Answerer
from infra.serving.app import make_app
from infra.serving.connections import ArrivingRequests, BoundedConnection
from swarm.errors import InputError

GRACE_SECONDS = 30
"""Questions under way are answered before the server ends, if that takes no longer."""
BACKLOG = 256
"""Connections that the system keeps until the server takes them."""


def serve(answerer: Answerer, host: str, port: int, key: SecretStr | None, ready: Callable[[str], None]) -> None:
    """Answer requests until the process is interrupted or terminated.

    Args:
        answerer: who answers.
        host: the interface's name or address; any but the loopback one needs a `key`.
        port: 0 takes a free one.
        key: the clients' key.
        ready: called with the endpoint's URL once connections are taken.

    Raises:
        InputError: the address can't be had, or `key` is missing.

    """
    require_key(host, key)
    with closing(_open_listener(host, port)) as listener:
        port = listener.getsockname()[1]
        app = make_app(answerer, key, frozenset({host, "localhost", "127.0.0.1", "::1"}) if is_local(host) else None)
        server = make_server(app, ArrivingRequests())
        ready(f"http://{f'[{host}]' if ':' in host else host}:{port}/v1")
        server.run(sockets=[listener])


def make_server(app: FastAPI, arriving: ArrivingRequests) -> uvicorn.Server:
    """Return the server of `app`, whose connections that owe a request are bounded by `arriving`."""
    return uvicorn.Server(
        uvicorn.Config(
            app,
            http=partial(BoundedConnection, arriving=arriving),  # type: ignore[arg-type]
            ws="none",
            log_level="error",
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=GRACE_SECONDS,
        )
    )


def require_key(host: str, key: SecretStr | None) -> None:
    """Raise `InputError` if others than this machine's users could ask at `host` without a key."""
    if key is None and not is_local(host):
        raise InputError(
            f"host {host!r} can be reached from other machines: set SWARM_SERVE_KEY to a key that clients must send, "
            "or leave --host out"
        )


def is_local(host: str) -> bool:
    """Tell whether `host` is this machine's loopback interface."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _open_listener(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(BACKLOG)
    except (OSError, OverflowError) as error:
        listener.close()
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError(f"can't listen at {host}:{port}: {reason}: choose another --host or --port") from error
    return listener
