"""The configuration of a Model Swarms run."""

from typing import Any, Literal, Self

from pydantic import BaseModel as Schema
from pydantic import ConfigDict, Field, model_validator

from infra.configs.common import ExpertsConfig
from infra.configs.movement import MovementConfig
from infra.configs.paths import OptionalRunName
from swarm.errors import InputError
from swarm.parameters import Parameters, with_reference_defaults


class ParticlesConfig(Schema):
    """Of what the swarm is made."""

    particles: int = Field(
        20, ge=2, le=10_000, title="Particles (N)", description="Experts are grown to N particles by crossover."
    )


class SearchConfig(MovementConfig, ParticlesConfig):
    """How many particles there are, and how they move, restart and stop (docs/algorithms.md §1)."""

    model_config = ConfigDict(extra="forbid", title="Model Swarms")

    @model_validator(mode="before")
    @classmethod
    def _complete(cls, value: Any) -> Any:
        if not isinstance(value, dict) or not isinstance(value.get("patience", 1), int | float):
            return value  # the fields' own checks say what is wrong
        return with_reference_defaults(value)

    @model_validator(mode="after")
    def _check(self) -> Self:
        self.parameters()
        return self

    def parameters(self) -> Parameters:
        """Return the search's parameters.

        Raises:
            InputError: values that are in range one by one but not together.

        """
        return Parameters(**self.model_dump())


class ModelSwarmsConfig(ExpertsConfig):
    """One run of Model Swarms: which experts are searched, for which objective, how, and by which engine."""

    algorithm: Literal["model-swarms"] = Field("model-swarms", title="Algorithm", description="Which search is made.")
    search: SearchConfig = Field(default_factory=SearchConfig, title="Search", description="How the particles move.")
    warm_start: OptionalRunName = Field(
        None,
        title="Warm start",
        description="A finished run among the same experts: the search goes on from what that one found.",
    )
    ensemble: int = Field(
        10,
        ge=0,
        le=10_000,
        title="Ensemble",
        description="Also test the majority vote of the best k particles; 0: none.",
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.search.reference and self.include_base:
            raise ValueError(
                "include_base: can't be true with search.reference, as the public code has no such thing: turn one off"
            )
        return self

    def settings(self) -> dict[str, Any]:
        """See `RunConfig.settings`."""
        value = super().settings()
        return value if self.warm_start is not None else {k: v for k, v in value.items() if k != "warm_start"}

    @property
    def iterations(self) -> int:
        """See `RunConfig.iterations`."""
        return self.search.max_iterations

    def check_experts(self, names: tuple[str, ...]) -> None:
        """See `ExpertsConfig.check_experts`."""
        if self.search.particles < len(names):
            raise InputError(
                f"search.particles: {self.search.particles} can't hold the {len(names)} experts {', '.join(names)}: "
                f"set it to {len(names)} or more"
            )
