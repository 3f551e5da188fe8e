"""What bench.operating.ops_test asks of the Prefect server."""

from uuid import UUID

from tests.prefect_server import api_client


class Api:
    """A Prefect server's API."""

    def __init__(self, url: str) -> None:
        self._client = api_client(url)

    def start(self, deployment: str) -> UUID:
        """Start a run of a deployment, as the UI does; return the flow run's id."""
        found = self._client.get(f"/deployments/name/{deployment}").raise_for_status().json()
        made = self._client.post(f"/deployments/{found['id']}/create_flow_run", json={}).raise_for_status().json()
        return UUID(made["id"])

    def state(self, flow_run: UUID) -> tuple[str, int]:
        """Return the type of a flow run's state, and how often it was begun."""
        found = self._client.get(f"/flow_runs/{flow_run}").raise_for_status().json()
        return found["state"]["type"], found["run_count"]

    def gpu_slots(self) -> int:
        """Return how many slots of the limit on the tag `gpu` are taken."""
        found = self._client.get("/v2/concurrency_limits/tag:gpu").raise_for_status().json()
        return int(found["active_slots"])
