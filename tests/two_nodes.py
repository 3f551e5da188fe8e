"""A Ray cluster of two nodes on this machine, for the tests that need one."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

ELSEWHERE = {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0"}
"""What other processes than the one that starts it need in their environment to find it on loopback: Ray on Linux looks
at the machine's own address otherwise, whatever it is told."""


class TwoNodes:
    """A cluster of two nodes with two CPUs each."""

    def __init__(self, cluster: Any) -> None:
        self._cluster = cluster
        self._second = cluster.add_node(num_cpus=2)

    @property
    def address(self) -> str:
        """Where drivers connect: at the first node."""
        return str(self._cluster.address)

    def lose_the_second(self) -> None:
        """Kill everything on the second node, as a machine that loses its power does."""
        self._cluster.remove_node(self._second, allow_graceful=False)


@contextmanager
def two_nodes() -> Iterator[TwoNodes]:
    """Run a cluster of two nodes, which listen on loopback only."""
    from ray._private import ray_constants
    from ray.cluster_utils import Cluster

    several_machines, ray_constants.ENABLE_RAY_CLUSTER = ray_constants.ENABLE_RAY_CLUSTER, False
    unlike_ray = {"worker_niceness": 0}  # at its 15, actors never get their turn on a busy machine
    head = {"num_cpus": 2, "include_dashboard": False, "_system_config": unlike_ray}
    cluster = Cluster(initialize_head=True, head_node_args=head)
    try:
        yield TwoNodes(cluster)
    finally:
        cluster.shutdown()
        ray_constants.ENABLE_RAY_CLUSTER = several_machines
