"""The configuration of a run: one pydantic model, written by people as YAML and shown by the Prefect UI as a form."""

from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    WithJsonSchema,
    model_validator,
)
from pydantic import BaseModel as Schema

from data.objective import ObjectiveConfig
from infra.engines.config import EngineConfig
from infra.run_folder import RUN_NAME, check_run_name
from swarm.draws import MAX_SEED
from swarm.parameters import InitialVelocity, Parameters, with_reference_defaults
from swarm.recipes import Space


def _from_config_folder(value: object, info: ValidationInfo) -> object:
    """Read a relative path as relative to the configuration file's folder."""
    folder = (info.context or {}).get("folder")
    return Path(folder) / value if folder is not None and isinstance(value, str | Path) else value


ExpertPath = Annotated[Path, BeforeValidator(_from_config_folder)]
RunName = Annotated[str, AfterValidator(check_run_name), WithJsonSchema({"type": "string", "pattern": RUN_NAME})]
"""Checked here with a message for people; the pattern is for the form in Prefect's UI."""


def _folder_beside_config(value: object, info: ValidationInfo) -> object:
    """Read a base model's name as a folder beside the configuration file, if there is one."""
    folder = (info.context or {}).get("folder")
    beside = Path(folder) / str(value) if folder is not None else None
    return str(beside) if beside is not None and beside.is_dir() else value


BaseModelName = Annotated[str, BeforeValidator(_folder_beside_config)]


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


class RunConfig(Schema):
    """One run: which experts are searched, for which objective, how, and by which engine."""

    model_config = ConfigDict(extra="forbid", title="Run")

    name: RunName = Field(title="Name", description="The run's name and folder.")
    algorithm: Literal["model-swarms"] = Field("model-swarms", title="Algorithm", description="Which search is made.")
    seed: int = Field(0, ge=0, le=MAX_SEED, title="Seed", description="Decides every random draw of the search.")
    base_model: BaseModelName = Field(
        title="Base model", description="A folder, a hub id (owner/name), or smollm2-135m-instruct (comes with pip)."
    )
    experts: list[ExpertPath] = Field(
        min_length=2,
        title="Experts",
        description="Folders of PEFT LoRA adapters, or of full models, of the base model.",
    )
    objective: ObjectiveConfig = Field(title="Objective", description="What is to become better.")
    space: Space = Field(
        Space.FACTORS, title="Space", description="Combine LoRA's A and B separately (factors), or their product."
    )
    include_base: bool = Field(
        False, title="Include the base", description="The base model is one more expert, so that skills can be added."
    )
    search: SearchConfig = Field(default_factory=SearchConfig, title="Search", description="How the particles move.")
    ensemble: int = Field(
        10, ge=0, title="Ensemble", description="Also test the majority vote of the best k particles; 0: none."
    )
    engine: EngineConfig = Field(default_factory=EngineConfig, title="Engine", description="What generates text.")

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.search.reference and self.include_base:
            raise ValueError(
                "include_base: can't be true with search.reference, as the public code has no such thing: turn one off"
            )
        return self

    def settings(self) -> dict[str, Any]:
        """Return this configuration as JSON with names for paths: what is compared when a run is resumed.

        What the paths hold is compared by content hash (`OpenRun.identity`), so moving the files changes nothing.
        """
        value = self.model_dump(mode="json")
        value["experts"] = [path.name for path in self.experts]
        for task in value["objective"]["tasks"]:
            task["data"] = Path(task["data"]).name
            task.pop("folder", None)
        return value
