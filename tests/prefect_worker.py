"""A worker of a process work pool, and the processes of the flow runs that it starts."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

POOL = "swarm"


class Worker:
    """A `prefect worker` process of a pool in a session of its own, that writes into `log`."""

    def __init__(self, environment: Mapping[str, str], log: Path, pool: str) -> None:
        self._environment, self._log, self._pool = {**os.environ, **environment}, log, pool
        self._process = self._started()

    def restart(self) -> None:
        """Start it again, as a service manager does."""
        self._process = self._started()

    def kill(self) -> None:
        """Kill it, not the flow runs that it started."""
        self._process.kill()
        self._process.wait()

    def _started(self) -> "subprocess.Popen[bytes]":
        command = [sys.executable, "-m", "prefect", "worker", "start", "--pool", self._pool, "--type", "process"]
        with self._log.open("ab") as log:
            return subprocess.Popen(
                command,
                env=self._environment,
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )


@contextmanager
def prefect_worker(environment: Mapping[str, str], log: Path, pool: str = POOL) -> Iterator[Worker]:
    """Run a worker of `pool`; afterwards it, and every flow run's process at its server, is gone."""
    worker = Worker(environment, log, pool)
    try:
        yield worker
    finally:
        worker.kill()
        for process in flow_processes(f"PREFECT_API_URL={environment['PREFECT_API_URL']}"):
            kill(process)


def flow_processes(setting: str) -> list[int]:
    """Return the processes of flow runs that have `setting` (NAME=VALUE) in their environment."""
    found = []
    for folder in Path("/proc").iterdir():
        try:
            variables = (folder / "environ").read_bytes().split(b"\0")
            command = (folder / "cmdline").read_bytes()
        except OSError:  # it is no process, is gone, or is somebody else's
            continue
        if setting.encode() in variables and b"prefect.engine" in command:
            found.append(int(folder.name))
    return found


def flow_process(flow_run: object, patience: float = 120) -> int:
    """Return the process of a flow run, waiting for it."""
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        if found := flow_processes(f"PREFECT__FLOW_RUN_ID={flow_run}"):
            return found[0]
        time.sleep(0.1)
    raise TimeoutError(f"flow run {flow_run} has no process after {patience} s")


def kill(process: int) -> None:
    """Kill a process, if it is still there."""
    try:
        os.kill(process, signal.SIGKILL)
    except ProcessLookupError:
        return
