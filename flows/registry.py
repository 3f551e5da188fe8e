"""Every algorithm's flow, imported when it is wanted (Prefect takes a second)."""

from collections.abc import Callable
from typing import Any

from infra.configs.common import RunConfig


def flow_of(config: RunConfig) -> Callable[[Any], Any]:
    """Return the Prefect flow that runs `config`."""
    match config.algorithm:
        case "model-swarms":
            from flows.model_swarms import model_swarms

            return model_swarms
    raise LookupError(f"algorithm {config.algorithm!r} has no flow")
