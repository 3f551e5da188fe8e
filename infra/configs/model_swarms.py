"""The configuration of a Model Swarms run."""

from typing import Any, Literal, Self

from pydantic import BaseModel as Schema
from pydantic import ConfigDict, Field, model_validator

from infra.configs.common import ExpertsConfig
from swarm.errors import InputError
from swarm.parameters import InitialVelocity, Parameters, with_reference_defaults


class SearchConfig(Schema):
    """How the particles move, restart and stop (docs/algorithms.md §1)."""

    model_config = ConfigDict(extra="forbid", title="Model Swarms")

    particles: int = Field(
        20, ge=2, title="Particles (N)", description="Experts are grown to N particles by crossover."
    )
    inertia: float = Field(0.2, ge=0, title="Inertia (φ_v)", description="Weight of a particle's own velocity.")
    cognitive: float = Field(0.3, ge=0, title="Cognitive (φ_p)", description="Weight of the pull to its personal best.")
    social: float = Field(0.4, ge=0, title="Social (φ_g)", description="Weight of the pull to the global best.")
    repulsion: float = Field(
        0.05, ge=0, title="Repulsion (φ_w)", description="Weight of the push off the global worst."
    )
    step_length: float = Field(
        0.8, gt=0, title="Step length (λ)", description="Multiplies the velocity in the first move."
    )
    step_decay: float = Field(
        0.95, gt=0, le=1, title="Step decay (φ_λ)", description="λ is multiplied by it every move."
    )
    min_step_length: float = Field(0.1, ge=0, title="Least step length", description="λ never falls below it.")
    max_iterations: int = Field(50, ge=1, title="Iterations (K)", description="Moves at most.")
    patience: int = Field(10, ge=1, title="Patience", description="Evaluated iterations without a better global best.")
    restart_patience: int = Field(
        5,
        ge=1,
        title="Restart patience",
        description="A particle whose best is so many iterations old restarts from it.",
    )
    initial_velocity: InitialVelocity = Field(
        "random",
        title="Initial velocity",
        description="Towards another random particle, towards the best one, or zero.",
    )
    crossover_limit: float = Field(
        1.0, gt=0, title="Crossover limit", description="A child is t·a + (1 − t)·b with t ~ U(0, limit)."
    )
    drop_iteration: float = Field(
        0.0, ge=0, lt=1, title="Drop-K", description="Probability that an iteration's evaluation is skipped."
    )
    drop_particle: float = Field(
        0.0, ge=0, lt=1, title="Drop-N", description="Probability that a particle's evaluation is skipped."
    )
    reference: bool = Field(
        False, title="Reference", description="Behave, and default, as the paper's public code does (for comparisons)."
    )

    @model_validator(mode="before")
    @classmethod
    def _complete(cls, given: Any) -> Any:
        if not isinstance(given, dict) or not isinstance(given.get("patience", 1), int | float):
            return given  # the fields' own checks say what is wrong
        return with_reference_defaults(given)

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
    ensemble: int = Field(
        10, ge=0, title="Ensemble", description="Also test the majority vote of the best k particles; 0: none."
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.search.reference and self.include_base:
            raise ValueError(
                "include_base: can't be true with search.reference, as the public code has no such thing: turn one off"
            )
        return self

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
