"""Limit how many evaluation tasks of all deployments use GPUs at once, by the server's limit on the tag `gpu`.

On one machine nothing has to be limited: there, runs hand each GPU to each other (docs/decisions/0006).
"""

from prefect.client.orchestration import get_client

TAG = "gpu"


def limit_gpu_tasks(most: int) -> None:
    """Let at most `most` tasks with the tag `gpu` run at once, of all runs at this server."""
    with get_client(sync_client=True) as client:
        client.create_concurrency_limit(tag=TAG, concurrency_limit=most)
