"""A PostgreSQL server of one's own: on loopback, with a password, in its own folder, gone afterwards."""

import os
import pwd
import secrets
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import URL

from tests.installed import program

INSTALLED = program("initdb") is not None


class PostgresServer:
    """A server that can be stopped and started again, as an operator or a power cut does."""

    def __init__(self, folder: Path, port: int, password: str) -> None:
        self._folder = folder
        self.port = port
        self._password = password

    def url(self, port: int | None = None) -> str:
        """Return the server's URL, or that of a proxy of it."""
        address = URL.create("postgresql", "swarm", self._password, "127.0.0.1", port or self.port, "postgres")
        return address.render_as_string(hide_password=False)

    def start(self) -> None:
        options = f"-c listen_addresses=127.0.0.1 -c port={self.port} -c unix_socket_directories= -c fsync=off"
        self._ctl("start", "-w", "-o", options)

    def stop(self, mode: str = "immediate") -> None:
        """Stop it; `immediate` is a crash: no connection is ended properly, and the next start recovers."""
        self._ctl("stop", "-w", "-m", mode)

    def _ctl(self, *arguments: str) -> None:
        as_its_user(["pg_ctl", "-D", str(self._folder / "data"), "-l", str(self._folder / "log"), *arguments])


@contextmanager
def postgres_server() -> Iterator[PostgresServer]:
    """Run a server with an empty database."""
    with tempfile.TemporaryDirectory(prefix="swarm-postgres-") as name:
        folder = Path(name)
        password = secrets.token_hex(8)
        (folder / "password").write_text(password)
        if os.geteuid() == 0:
            shutil.chown(folder, _user())
            shutil.chown(folder / "password", _user())
        login = ["--username=swarm", "--auth=scram-sha-256", f"--pwfile={folder / 'password'}"]
        as_its_user(["initdb", "-D", str(folder / "data"), *login, "--no-sync", "--encoding=UTF8", "--no-locale"])
        server = PostgresServer(folder, free_port(), password)
        server.start()
        try:
            yield server
        finally:
            server.stop()


def as_its_user(command: list[str]) -> None:
    """Run one of PostgreSQL's programs, which refuse to run as root."""
    found = program(command[0])
    if found is None:
        raise RuntimeError("PostgreSQL is not installed: apt-get install postgresql")
    user = {"user": _user(), "extra_groups": []} if os.geteuid() == 0 else {}
    silent = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL}
    subprocess.run([found, *command[1:]], check=True, cwd="/", **silent, **user)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _user() -> str:
    known = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in known else "nobody"
