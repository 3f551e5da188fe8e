"""The Ray cluster of a pool: a running one, by its address, or one started on this machine for one run.

Ray is an extra, so it is imported where it is used.
"""

import logging
import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from math import floor
from pathlib import Path
from tempfile import gettempdir, mkdtemp
from typing import Any

from infra.engines.config import RayConfig
from swarm.errors import EvaluationError, InputError

_TIMEOUT = 10.0
"""Seconds in which a cluster's address must answer: Ray itself would try for minutes, then end the process."""
_LONGEST = 20
"""Characters of a temporary folder in which the names of Ray's sockets keep to the 107 that Unix allows."""


class RayCluster:
    """A connection of this process to a cluster; a connection that was there already is left as it was."""

    def __init__(self, address: str | None) -> None:
        """Connect to the cluster at `address` (auto or HOST:PORT), or start one that ends with this process.

        Raises:
            InputError: no cluster answers at `address`, or it is of another version of Ray.
            EvaluationError: no cluster can be started here.

        """
        # Linux ends what Ray starts together with the thread that started it, so that thread stays until `close`.
        self._keeper = ThreadPoolExecutor(1, "ray")
        self._reaper: subprocess.Popen[bytes] | None = None
        self._ours = False
        try:
            self._keeper.submit(self._open, address).result()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Disconnect, and end the cluster if it was started here; nothing happens the second time."""
        if self._ours:
            self._ours = False
            self._keeper.submit(_shutdown).result()
        if self._reaper is not None:
            self._reaper.communicate()
        self._keeper.shutdown()

    def _open(self, address: str | None) -> None:
        try:
            if address is None:
                self._start()
            else:
                self._connect(address)
        except (OSError, RuntimeError, ValueError) as error:
            first = (str(error).splitlines() or [type(error).__name__])[0]
            if address is None:
                raise EvaluationError(f"engine ray: no cluster can be started on this machine: {first}") from error
            raise InputError(
                f"engine.ray.address: {address}: no cluster of this version of Ray answers there ({first}): start one "
                "with: ray start --head, or leave the address empty"
            ) from error

    def _start(self) -> None:
        place = gettempdir() if len(gettempdir()) <= _LONGEST else "/tmp"
        folder = mkdtemp(prefix="swarm-ray-", dir=place)
        reaper = Path(__file__).with_name("reaper.py")
        command = [sys.executable, "-I", str(reaper), folder, str(os.getpid())]
        self._reaper = subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True)
        with _on_loopback():
            self._init(address="local", include_dashboard=False, _temp_dir=folder)

    def _connect(self, address: str) -> None:
        if address != "auto":
            host, _, port = address.rpartition(":")
            socket.create_connection((host.strip("[]"), int(port)), timeout=_TIMEOUT).close()
        self._init(address=address)

    def _init(self, **arguments: Any) -> None:
        """Connect this process, unless it is connected already."""
        import ray

        if ray.is_initialized():
            return
        self._ours = True
        ray.init(log_to_driver=False, logging_level=logging.ERROR, **arguments)
        _silence()


def actors_that_fit(config: RayConfig, gpus: float) -> int:
    """Return how many actors of `config`, with `gpus` GPUs each, the connected cluster can hold, busy or not.

    Raises:
        InputError: fewer than `config.actors`, or none.

    """
    import ray

    room = sum(_fit(node["Resources"], config.cpus, gpus) for node in ray.nodes() if node["Alive"])
    if room < (config.actors or 1):
        raise InputError(
            f"engine.ray.actors: {config.actors or 'empty'}: the cluster can hold {room} actors of {config.cpus:g} "
            f"CPUs and {gpus:g} GPUs each: lower engine.ray.actors, cpus or gpus, or add nodes"
        )
    return config.actors or room


def _fit(resources: Mapping[str, float], cpus: float, gpus: float) -> int:
    amounts = {"CPU": cpus} | ({"GPU": gpus} if gpus > 0 else {})
    return min(floor(resources.get(name, 0.0) / amount) for name, amount in amounts.items())


@contextmanager
def _on_loopback() -> Iterator[None]:
    """Have a cluster that is started in the block listen on the loopback interface only.

    Ray has no argument for that: it is decided by a constant that is meant for other systems than Linux. What else was
    tried: docs/decisions/0007-a-ray-pool-of-engines.md.
    """
    from ray._private import ray_constants

    before, ray_constants.ENABLE_RAY_CLUSTER = ray_constants.ENABLE_RAY_CLUSTER, False
    try:
        yield
    finally:
        ray_constants.ENABLE_RAY_CLUSTER = before


def _silence() -> None:
    """End the thread by which Ray prints cluster errors on standard output, whatever `log_to_driver` says."""
    from ray._private.worker import global_worker

    worker: Any = global_worker
    worker.threads_stopped.set()
    worker.gcs_error_subscriber.close()


def _shutdown() -> None:
    import ray

    ray.shutdown()
