"""Every algorithm's configuration. A new algorithm is a line here, one in `flows/registry.py`, and its own files."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from infra.configs.common import RunConfig
from infra.configs.errors import nearest
from infra.configs.yaml_files import overridden, read_mapping, validate
from infra.searches.evolution_strategies.config import EvolutionStrategiesConfig
from infra.searches.heterogeneous_swarms.config import HeterogeneousSwarmsConfig
from infra.searches.model_swarms.config import ModelSwarmsConfig
from swarm.errors import InputError

SCHEMAS: dict[str, type[RunConfig]] = {
    "model-swarms": ModelSwarmsConfig,
    "heterogeneous-swarms": HeterogeneousSwarmsConfig,
    "evolution-strategies": EvolutionStrategiesConfig,
}
"""By the value of `algorithm`; the first is what a configuration without one means."""


def load_run_config(path: Path, overrides: Sequence[str] = ()) -> RunConfig:
    """Read the YAML file of a run; relative paths in it are relative to its folder.

    Args:
        path: a YAML file with one mapping.
        overrides: `dotted.key=value` texts; values are read as YAML.

    Raises:
        InputError: naming the file, the field, the value seen and what to do.

    """
    return run_config(overridden(read_mapping(path), overrides), str(path), folder=path.parent.resolve())


def run_config(value: dict[str, Any], source: str, folder: Path | None = None) -> RunConfig:
    """Return `value` as the configuration of the algorithm that it names; errors name `source`.

    Raises:
        InputError: in one line, for the first thing that is wrong.

    """
    algorithm = value.get("algorithm", next(iter(SCHEMAS)))
    if algorithm not in SCHEMAS:
        remedy = nearest(str(algorithm), list(SCHEMAS))
        raise InputError(f"{source}: field 'algorithm': there is no {algorithm!r}, only {', '.join(SCHEMAS)}: {remedy}")
    return validate(value, SCHEMAS[algorithm], source, folder)
