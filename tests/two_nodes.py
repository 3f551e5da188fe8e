"""A Ray cluster of two nodes on this machine, for the tests that need one."""

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def two_nodes() -> Iterator[str]:
    """Give the address of a cluster of two nodes with two CPUs each."""
    from ray._private import ray_constants
    from ray.cluster_utils import Cluster

    several_machines, ray_constants.ENABLE_RAY_CLUSTER = ray_constants.ENABLE_RAY_CLUSTER, False  # loopback only
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 2, "include_dashboard": False})
    try:
        cluster.add_node(num_cpus=2)
        yield cluster.address
    finally:
        cluster.shutdown()
        ray_constants.ENABLE_RAY_CLUSTER = several_machines
