"""The inputs of a Model Swarms run: experts and objective, and what an earlier run found if it goes on from one."""

from dataclasses import dataclass

from experts.base_models import BaseModel
from infra.evaluation.inputs import RunInputs
from infra.run.open_run import OpenRun
from infra.searches.experts import read_experts
from infra.searches.model_swarms.config import ModelSwarmsConfig
from infra.searches.model_swarms.warm_start import WarmStart, read_warm_start
from infra.settings import Settings


@dataclass(frozen=True)
class SwarmInputs(RunInputs):
    """A run's inputs; `warm_start` is None where the search begins anew."""

    warm_start: WarmStart | None = None

    @property
    def identity(self) -> dict[str, str]:
        """See `RunInputs.identity`."""
        warm = {"warm start": self.warm_start.sha256} if self.warm_start is not None else {}
        return {**super().identity, **warm}


SwarmRun = OpenRun[ModelSwarmsConfig, SwarmInputs]


def read_inputs(config: ModelSwarmsConfig, base: BaseModel, settings: Settings) -> SwarmInputs:
    """Read and check everything that `config` names; raises `InputError` for what is missing or doesn't fit."""
    inputs = read_experts(config, base, settings)
    warm = None
    if config.warm_start is not None:
        warm = read_warm_start(config.warm_start, settings, base.sha256, inputs.names, inputs.bases, config.space)
    return SwarmInputs(**vars(inputs), warm_start=warm)
