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
        case "heterogeneous-swarms":
            from flows.heterogeneous_swarms import heterogeneous_swarms

            return heterogeneous_swarms
        case "evolution-strategies":
            from flows.evolution_strategies import evolution_strategies

            return evolution_strategies
    raise LookupError(f"algorithm {config.algorithm!r} has no flow")
