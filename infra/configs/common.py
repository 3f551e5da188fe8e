"""What the configurations of all algorithms have in common."""

from abc import abstractmethod
from pathlib import Path
from typing import Any

from pydantic import BaseModel as Schema
from pydantic import ConfigDict, Field, GetJsonSchemaHandler
from pydantic_core import CoreSchema

from data.objective import ObjectiveConfig
from infra.configs.form import number_fields
from infra.configs.paths import BaseModelName, ExpertPath, RunName
from infra.configs.trackers import TrackerName
from infra.engines.config import EngineConfig
from swarm.draws import MAX_SEED
from swarm.recipes import Space


class RunConfig(Schema):
    """One run: what is searched for which objective, by which engine; each algorithm adds how."""

    model_config = ConfigDict(extra="forbid", title="Run")

    name: RunName = Field(title="Name", description="The run's name and folder.")
    algorithm: str = Field(title="Algorithm", description="Which search is made.")
    seed: int = Field(0, ge=0, le=MAX_SEED, title="Seed", description="Decides every random draw of the search.")
    base_model: BaseModelName = Field(
        title="Base model", description="A folder, a hub id (owner/name), or smollm2-135m-instruct (comes with pip)."
    )
    objective: ObjectiveConfig = Field(title="Objective", description="What is to become better.")
    engine: EngineConfig = Field(default_factory=EngineConfig, title="Engine", description="What generates text.")
    track: list[TrackerName] = Field(
        default_factory=list,
        title="Trackers",
        description="Where else the run's figures go: mlflow, tensorboard, trackio, wandb (each an extra to install). "
        "They follow their own settings; a resumed run may name others.",
    )

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """Return the schema from which Prefect's UI makes its form."""
        schema = handler(core_schema)
        number_fields(schema, handler)
        return schema

    @property
    @abstractmethod
    def iterations(self) -> int:
        """The most iterations that the search makes."""

    def settings(self) -> dict[str, Any]:
        """Return this configuration as JSON with names for paths: what is compared when a run is resumed.

        What the paths hold is compared by content hash (`RunInputs.identity`), so moving the files changes nothing.
        """
        value = self.model_dump(mode="json", exclude={"track"})
        for task in value["objective"]["tasks"]:
            task["data"] = Path(task["data"]).name
            for changes_no_score in ("folder", "timeout"):
                task.pop(changes_no_score, None)
            for names in (task, task.get("scorer") or {}):
                if Path(names.get("model", "")).is_absolute():
                    names["model"] = Path(names["model"]).name
        return value


class ExpertsConfig(RunConfig):
    """A run that searches among experts of one base model."""

    experts: list[ExpertPath] = Field(
        min_length=2,
        title="Experts",
        description="Folders of PEFT LoRA adapters, or of full models, of the base model.",
    )
    space: Space = Field(
        Space.FACTORS, title="Space", description="Combine LoRA's A and B separately (factors), or their product."
    )
    include_base: bool = Field(
        False, title="Include the base", description="The base model is one more expert, so that skills can be added."
    )

    @abstractmethod
    def check_experts(self, names: tuple[str, ...]) -> None:
        """Raise `InputError` if the search can't begin with the experts called `names` (the base included or not)."""

    def settings(self) -> dict[str, Any]:
        """See `RunConfig.settings`."""
        return {**super().settings(), "experts": [path.name for path in self.experts]}
