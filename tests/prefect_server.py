"""A Prefect server of one's own: on loopback, in its own folder, gone afterwards."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError

import httpx

START_SECONDS = 180
MOST_ASKED = 60
"""How often a server whose database is busy is asked."""


class _Patient(httpx.HTTPTransport):
    """Asks again while the server's database is busy (503), as Prefect's own clients do."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        for _ in range(MOST_ASKED):
            response = super().handle_request(request)
            if response.status_code != httpx.codes.SERVICE_UNAVAILABLE:
                break
            response.close()
            time.sleep(1)
        return response


def api_client(url: str) -> httpx.Client:
    """Return what asks the API of a server at `url`."""
    return httpx.Client(base_url=url, timeout=600, transport=_Patient())


@contextmanager
def prefect_server(
    home: Path, settings: Mapping[str, str] | None = None, with_ui: bool = False
) -> Iterator[dict[str, str]]:
    """Run a server in `home`, with `settings` of its own; give the environment that its clients need."""
    home.mkdir(parents=True)
    port = _free_port()
    url = f"http://127.0.0.1:{port}/api"
    quiet = {
        "PREFECT_HOME": str(home),
        "PREFECT_LOGGING_LEVEL": "ERROR",
        "PREFECT_SERVER_LOGGING_LEVEL": "ERROR",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
    }
    origin = {"PREFECT_SERVER_CORS_ALLOWED_ORIGINS": f"http://127.0.0.1:{port},http://localhost:{port}"}
    command = [
        sys.executable,
        "-m",
        "prefect",
        "server",
        "start",
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
        *([] if with_ui else ["--no-ui"]),
    ]
    with (home / "server.log").open("wb") as log:
        server = subprocess.Popen(
            command,
            env={**os.environ, **quiet, "PREFECT_SERVER_UI_API_URL": url, **origin, **(settings or {})},
            stdout=log,
            stderr=log,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
    try:
        _await(f"{url}/health", server, home / "server.log")
        yield {**quiet, "PREFECT_API_URL": url}
    finally:
        os.killpg(server.pid, signal.SIGKILL)
        server.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _await(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and server.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except (URLError, ConnectionError, TimeoutError):
            time.sleep(0.2)
    raise RuntimeError(f"the Prefect server did not start in {START_SECONDS} s:\n{log.read_text()}")
