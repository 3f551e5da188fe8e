"""A sensor: look whether the data of a deployed search changed, and start the search on it only then."""

from collections.abc import Sequence
from typing import Any

from prefect import flow
from prefect.client.schemas import State as FlowState
from prefect.deployments import run_deployment
from prefect.states import Completed

from flows.searches import SEARCHES, run_config
from infra.deployments.fingerprint import fingerprint
from infra.deployments.parameters import deployed_config
from infra.deployments.reruns import Rerun, find_rerun
from infra.records.store import Records
from infra.records.values import RunStatus
from infra.settings import Settings


@flow(name="new-data", flow_run_name="{deployment}", persist_result=False)
def new_data(deployment: str, watch: list[str] | None = None, warm_start: bool = True) -> FlowState[Any]:
    """Start the search `deployment` if its data is not the data that was searched on before; takes a second.

    Args:
        deployment: the search's deployment, as "model-swarms/demo"; its parameters are the configuration.
        watch: files, folders or patterns to look at; without any, the data files of the search's objective.
        warm_start: go on from the latest finished run of the search, where there is one and its algorithm can.

    """
    config = deployed_config(deployment)
    name, search = config["name"], SEARCHES.of(run_config(config, deployment))
    data_hash = fingerprint(watch or data_files(config))
    with Records(Settings().records_url) as records:
        rerun = find_rerun(records, name, search.name, data_hash)
    if rerun.status is not None:
        return Completed(name="NothingNew", message=_nothing_new(rerun))
    again: dict[str, Any] = {**config, "name": rerun.run}
    if warm_start and rerun.previous is not None:
        again = search.going_on_from(again, rerun.previous)
    # The key lets a sensor that looks again before the search has begun find that flow run, and start no second one.
    run_deployment(deployment, parameters={"config": again}, timeout=0, as_subflow=False, idempotency_key=rerun.run)
    return Completed(name="Started", message=f"the data is new: run {rerun.run} searches on it")


def data_files(config: dict[str, Any]) -> Sequence[str]:
    """Return the files with the examples of a search's objective."""
    return [task["data"] for task in config["objective"]["tasks"] if task.get("data")]


def _nothing_new(rerun: Rerun) -> str:
    if rerun.status is RunStatus.FINISHED:
        return f"nothing new: run {rerun.run} has searched on this data; see: swarm report {rerun.run}"
    return f"nothing new: run {rerun.run} on this data is {rerun.status}; see: swarm status {rerun.run}"
