"""Register a flow as a deployment that workers of a process work pool run."""

from collections.abc import Mapping
from typing import Any

from prefect import Flow
from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.deployments.runner import RunnerDeployment
from prefect.exceptions import ObjectAlreadyExists, ObjectNotFound
from prefect.schedules import Schedule
from prefect.types.entrypoint import EntrypointType
from prefect.workers.process import ProcessWorker

from infra.settings import Settings

TAG = "swarm"
"""The tag of every flow run of a deployment: the automations act on runs with this tag only."""

HEARTBEAT_SECONDS = 30
"""Between two signs of life of a flow run; Prefect allows no less."""

LOCK_PATIENCE = 24 * 3600
"""Seconds: a flow run whose search another one drives (it was thought dead, or started twice) waits for that one."""


def register(
    flow: Flow[..., Any],
    name: str,
    parameters: Mapping[str, Any],
    pool: str,
    settings: Settings,
    schedule: Schedule | None = None,
) -> str:
    """Register `flow` under `name`, or bring what is registered up to date; return "FLOW/NAME".

    The flow is found by its module's path: workers import the project that is installed where they run.

    Args:
        flow: what is run.
        name: the deployment's name.
        parameters: JSON; what the form in Prefect's UI begins with.
        pool: the work pool; made, for processes, if it is missing.
        settings: the folders that runs of the deployment use.
        schedule: when it runs by itself.

    """
    make_pool(pool)
    deployment = RunnerDeployment.from_flow(
        flow,
        name,
        parameters=dict(parameters),
        work_pool_name=pool,
        tags=[TAG],
        schedules=[] if schedule is None else [schedule],
        job_variables={"env": environment(settings)},
        entrypoint_type=EntrypointType.MODULE_PATH,
    )
    deployment.apply()
    return deployment.full_name


def unregister(flow: Flow[..., Any], name: str) -> None:
    """Take the deployment of `flow` called `name` away, if there is one; its runs stay."""
    with get_client(sync_client=True) as client:
        try:
            client.delete_deployment(client.read_deployment_by_name(f"{flow.name}/{name}").id)
        except ObjectNotFound:
            return


def make_pool(name: str) -> None:
    """Make a work pool for processes; one of that name, of whatever kind, stays as it is."""
    template = ProcessWorker.get_default_base_job_template()
    with get_client(sync_client=True) as client:
        try:
            client.create_work_pool(WorkPoolCreate(name=name, type=ProcessWorker.type, base_job_template=template))
        except ObjectAlreadyExists:
            return


def environment(settings: Settings) -> dict[str, str]:
    """Return the environment variables of a flow run, besides those of its worker.

    A database's URL may hold a password, which deployments show to everybody: it comes from the worker's environment.
    """
    return {
        "SWARM_RUNS": str(settings.runs),
        "SWARM_CACHE": str(settings.cache),
        "SWARM_LOCK_PATIENCE": str(LOCK_PATIENCE),
        "PREFECT_FLOWS_HEARTBEAT_FREQUENCY": str(HEARTBEAT_SECONDS),
        # The run's log lines belong to the flow run's in the UI too; threads of engines log outside of any flow run.
        "PREFECT_LOGGING_EXTRA_LOGGERS": "infra",
        "PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW": "ignore",
    }
