"""A process of its own that starts a cluster, loses an actor, says so, and waits: `python ray_child.py`."""

import os
import signal
import sys
from threading import Thread

import ray

from infra.engines.ray.cluster import RayCluster


class Worker:
    """An actor."""

    def process(self) -> int:
        """Return its process."""
        return os.getpid()


def main() -> None:
    """Start the cluster in a thread that ends at once."""
    opened: list[RayCluster] = []
    opener = Thread(target=lambda: opened.append(RayCluster(None)))
    opener.start()
    opener.join()
    actor = ray.remote(num_cpus=1, max_restarts=1)(Worker).remote()
    first = ray.get(actor.process.remote())
    os.kill(first, signal.SIGKILL)
    second = ray.get(actor.process.options(max_task_retries=-1).remote())
    sys.stdout.write(f"{first != second}\n")
    sys.stdout.flush()
    sys.stdin.readline()
    opened[0].close()


main()
