"""The configuration of a Heterogeneous Swarms run."""

from typing import Any, Literal, Self

from pydantic import BaseModel as Schema
from pydantic import ConfigDict, Field, model_validator

from infra.configs.common import ExpertsConfig
from infra.configs.movement import MovementConfig
from infra.configs.paths import ExpertPath
from infra.configs.systems import SystemConfig
from swarm.errors import InputError
from swarm.graphs import MAX_NODES
from swarm.heterogeneous_parameters import HeterogeneousParameters, with_heterogeneous_reference_defaults


class GraphsConfig(Schema):
    """Of what the two swarms are made."""

    particles: int | None = Field(
        None,
        ge=2,
        le=MAX_NODES,
        title="Models (n)",
        description="One a node of every graph; experts are grown to n by crossover. By default as many as there are "
        "roles, or else experts.",
    )
    graphs: int = Field(10, ge=2, le=10_000, title="Graphs (G)", description="Graph particles.")
    assignments: int = Field(
        10,
        ge=2,
        le=10_000,
        title="Assignments (M)",
        description="In so many ways the models are put into the best graph, to see what each is worth.",
    )
    top_p: float = Field(
        0.8,
        ge=0,
        le=1,
        title="Top-p",
        description="Edges are drawn among the most probable with this probability together; 0: the most probable.",
    )


class GraphSearchConfig(MovementConfig, GraphsConfig):
    """How many graphs and models there are, how they move, restart and stop (docs/algorithms.md §2)."""

    model_config = ConfigDict(extra="forbid", title="Heterogeneous Swarms")

    @model_validator(mode="before")
    @classmethod
    def _complete(cls, value: Any) -> Any:
        if not isinstance(value, dict) or not isinstance(value.get("patience", 1), int | float):
            return value  # the fields' own checks say what is wrong
        return with_heterogeneous_reference_defaults(value)

    @model_validator(mode="after")
    def _check(self) -> Self:
        self.parameters(self.particles or 2)
        return self

    def parameters(self, particles: int) -> HeterogeneousParameters:
        """Return the search's parameters with so many models.

        Raises:
            InputError: values that are in range one by one but not together.

        """
        return HeterogeneousParameters(**{**self.model_dump(), "particles": particles})


class HeterogeneousSwarmsConfig(ExpertsConfig):
    """One run of Heterogeneous Swarms: which experts, for which objective, in which graphs, and by which engine."""

    algorithm: Literal["heterogeneous-swarms"] = Field(
        "heterogeneous-swarms", title="Algorithm", description="Which search is made."
    )
    experts: list[ExpertPath] = Field(
        min_length=1,
        title="Experts",
        description="Folders of PEFT LoRA adapters, or of full models, of the base model; one is enough if its nodes "
        "differ by their roles.",
    )
    search: GraphSearchConfig = Field(
        default_factory=GraphSearchConfig, title="Search", description="How graphs and models move."
    )
    roles: list[str] = Field(
        default_factory=list,
        max_length=MAX_NODES,
        title="Roles",
        description="An instruction a node, which it reads before its question; none: all nodes read the same.",
    )
    system: SystemConfig = Field(
        default_factory=SystemConfig, title="System", description="What the nodes of a system are told."
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

    def nodes(self, experts: int) -> int:
        """Return n, the number of models and nodes, given the number of experts."""
        return self.search.particles or len(self.roles) or experts

    def check_experts(self, names: tuple[str, ...]) -> None:
        """See `ExpertsConfig.check_experts`."""
        nodes = self.nodes(len(names))
        if nodes < 2:
            raise InputError("experts: a system of 1 node is no system: add experts, or give 2 or more roles")
        if not len(names) <= nodes <= MAX_NODES:
            raise InputError(
                f"search.particles: {nodes} models can't hold the {len(names)} experts {', '.join(names)}: "
                f"set it to between {len(names)} and {MAX_NODES}, or leave experts out"
            )
        if self.roles and len(self.roles) != nodes:
            raise InputError(f"roles: there are {len(self.roles)} for {nodes} nodes: give one a node, or none")
        if self.search.reference and len(names) != nodes:
            raise InputError(
                f"search.particles: must be the number of experts ({len(names)}) with search.reference, not {nodes}"
            )
