"""The configuration: the experts and what every run has, and two numbers."""

from typing import Literal

from pydantic import BaseModel as Schema
from pydantic import ConfigDict, Field

from infra.configs.common import ExpertsConfig


class RandomSearchSection(Schema):
    """How much is drawn."""

    model_config = ConfigDict(extra="forbid", title="Random search")

    candidates: int = Field(8, ge=1, title="Candidates", description="Recipes drawn in an iteration.")
    max_iterations: int = Field(10, ge=1, title="Iterations", description="Iterations after the experts' own.")


class RandomSearchConfig(ExpertsConfig):
    """One run of random search."""

    algorithm: Literal["random-search"] = Field(title="Algorithm", description="Which search is made.")
    search: RandomSearchSection = Field(
        default_factory=RandomSearchSection, title="Search", description="How much is drawn."
    )

    @property
    def iterations(self) -> int:
        """See `RunConfig.iterations`."""
        return self.search.max_iterations

    def check_experts(self, names: tuple[str, ...]) -> None:
        """Accept any experts."""
