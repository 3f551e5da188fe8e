"""A cluster that is started for one run: its servers, what it prints, and its end."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil
import pytest

ROOT = Path(__file__).parents[4]
LOOPBACK = {"127.0.0.1", "::1", "::ffff:127.0.0.1"}


@pytest.fixture
def temporary() -> Iterator[Path]:
    """A folder with a short name: sockets lie in it."""
    with TemporaryDirectory(dir="/tmp") as name:
        yield Path(name)


@pytest.fixture
def child(temporary: Path) -> Iterator[subprocess.Popen[str]]:
    """A process whose cluster runs, and has lost and restarted an actor."""
    environment = os.environ | {"PYTHONPATH": str(ROOT), "TMPDIR": str(temporary)}
    command = [sys.executable, str(Path(__file__).with_name("ray_child.py"))]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True, env=environment) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "True\n", process.stderr and process.stderr.read()
        yield process


def test_a_cluster_of_ones_own_listens_on_the_loopback_and_leaves_nothing(
    child: subprocess.Popen[str], temporary: Path
) -> None:
    processes = psutil.Process(child.pid).children(recursive=True)
    listening = [
        connection.laddr.ip
        for process in (psutil.Process(child.pid), *processes)
        for connection in process.net_connections()
        if connection.status == psutil.CONN_LISTEN
    ]
    assert len(listening) > 3
    assert set(listening) <= LOOPBACK
    assert child.communicate("\n", timeout=120) == ("", "")
    assert child.returncode == 0
    _, alive = psutil.wait_procs(processes, timeout=60)
    assert alive == []
    assert list(temporary.iterdir()) == []


def test_a_cluster_ends_when_the_process_that_started_it_is_killed(
    child: subprocess.Popen[str], temporary: Path
) -> None:
    processes = psutil.Process(child.pid).children(recursive=True)
    assert len(processes) > 3
    child.kill()
    _, alive = psutil.wait_procs(processes, timeout=60)
    assert alive == []
    assert list(temporary.iterdir()) == []
