"""Read the parameters of a deployment."""

from typing import Any

from prefect.client.orchestration import get_client
from prefect.exceptions import ObjectNotFound

from swarm.errors import InputError


def deployed_config(deployment: str) -> dict[str, Any]:
    """Return the configuration (JSON) that the deployment called "FLOW/NAME" begins with.

    Raises:
        InputError: there is no such deployment, or it is not one of a search.

    """
    with get_client(sync_client=True) as client:
        try:
            parameters = client.read_deployment_by_name(deployment).parameters
        except (ObjectNotFound, ValueError) as error:
            raise InputError(f"deployment {deployment!r}: there is none of that name: see 'swarm deploy'") from error
    if "config" not in parameters:
        raise InputError(f"deployment {deployment!r}: is not one of a search: see 'swarm deploy'")
    config: dict[str, Any] = parameters["config"]
    return config
