"""The configuration of an evolution strategies run."""

from typing import Any, Literal, Self

from pydantic import BaseModel as Schema
from pydantic import ConfigDict, Field, model_validator

from infra.configs.common import RunConfig
from infra.configs.paths import ExpertPath
from swarm.es_parameters import EsParameters, Shaping, with_reference_defaults
from swarm.seeds import Mode, Perturbation

ALL_LINEAR = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")


class PerturbationConfig(Schema):
    """Which numbers of the model the search moves, and what their noise looks like (docs/algorithms.md §3)."""

    model_config = ConfigDict(extra="forbid", frozen=True, title="Perturbation")

    mode: Mode = Field(
        Mode.LOW_RANK,
        title="Mode",
        description="full: all parameters, as the paper, one member after another. low_rank: the target modules' "
        "matrices, by noise of low rank: a population is one batch. adapter: the factors of a LoRA adapter.",
    )
    rank: int = Field(
        1,
        ge=1,
        le=64,
        title="Rank",
        description="Of the noise of a matrix (low_rank), or of a fresh adapter (adapter); no meaning with full.",
    )
    targets: tuple[str, ...] = Field(
        ALL_LINEAR,
        min_length=1,
        title="Targets",
        description="Last parts of the names of the Linear modules that are moved; no meaning with full, nor with "
        "adapter and a start, whose own modules are moved.",
    )

    def perturbation(self, correlated: bool) -> Perturbation:
        """Return what seeds mean."""
        if self.mode is Mode.FULL:
            return Perturbation(self.mode, 0, (), correlated)
        return Perturbation(self.mode, self.rank, tuple(sorted(self.targets)), correlated)


class EvolutionConfig(Schema):
    """How the population is drawn and the mean is moved (docs/algorithms.md §3)."""

    model_config = ConfigDict(extra="forbid", title="Evolution strategies")

    population: int = Field(32, ge=2, le=10_000, title="Population (N)", description="Members an iteration.")
    sigma: float = Field(
        0.007, gt=0, le=100, title="Noise (σ)", description="Standard deviation of a perturbed number."
    )
    learning_rate: float = Field(0.007, gt=0, le=100, title="Learning rate (α)", description="1/σ is absorbed in it.")
    antithetic: bool = Field(True, title="Antithetic", description="Members come in pairs, θ + σε and θ − σε.")
    shaping: Shaping = Field(
        "z_score", title="Shaping", description="How rewards become weights: z-scores, or ranks from −½ to ½."
    )
    weight_decay: float = Field(
        0.0, ge=0, lt=1, title="Weight decay", description="Share of the way from the start that an update takes back."
    )
    max_iterations: int = Field(100, ge=1, le=1_000_000, title="Iterations", description="Updates at most.")
    batch: int | None = Field(
        None,
        ge=1,
        le=10_000_000,
        title="Batch",
        description="Dev examples that an iteration asks (if empty: all but those held out).",
    )
    held_out: int = Field(
        16,
        ge=1,
        le=10_000_000,
        title="Held out",
        description="The last so many dev examples of each task only measure the mean.",
    )
    held_out_every: int = Field(
        10, ge=1, le=1_000_000, title="Measured every", description="Iterations between measurements."
    )
    patience: int | None = Field(
        None,
        ge=1,
        le=1_000_000,
        title="Patience",
        description="Measurements without a better mean that end the search (if empty: none do).",
    )
    reference: bool = Field(
        False, title="Reference", description="Behave, and default, as the paper's public code does (for comparisons)."
    )

    @model_validator(mode="before")
    @classmethod
    def _complete(cls, value: Any) -> Any:
        return with_reference_defaults(value) if isinstance(value, dict) else value

    @model_validator(mode="after")
    def _check(self) -> Self:
        self.parameters()
        return self

    def parameters(self) -> EsParameters:
        """Return the search's parameters.

        Raises:
            InputError: values that are in range one by one but not together.

        """
        return EsParameters(**self.model_dump(exclude={"held_out"}))


class EvolutionStrategiesConfig(RunConfig):
    """One run: a model is fine-tuned from rewards alone, by seeds."""

    algorithm: Literal["evolution-strategies"] = Field(title="Algorithm", description="Which search is made.")
    start: ExpertPath | None = Field(
        None, title="Start", description="A LoRA expert of the base model to begin with (if empty: the base model)."
    )
    perturbation: PerturbationConfig = Field(
        default_factory=PerturbationConfig, title="Perturbation", description="What is moved."
    )
    search: EvolutionConfig = Field(default_factory=EvolutionConfig, title="Search", description="How it is moved.")
    snapshot_every: int = Field(
        0,
        ge=0,
        le=1_000_000,
        title="Snapshots",
        description="The weights are written to the run's folder after every so many updates, the last three kept: "
        "resuming and exporting replay from there (0: never). It changes no result.",
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.search.reference and self.perturbation.mode is not Mode.FULL:
            raise ValueError(
                f"perturbation.mode: {self.perturbation.mode.value} is not what the public code does: set it to full, "
                "or turn search.reference off"
            )
        return self

    @property
    def iterations(self) -> int:
        """See `RunConfig`."""
        return self.search.max_iterations

    def settings(self) -> dict[str, Any]:
        """See `RunConfig.settings`."""
        value = {**super().settings(), "start": None if self.start is None else self.start.name}
        del value["snapshot_every"]
        return value
