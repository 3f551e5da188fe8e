"""The parameters of a Heterogeneous Swarms search (arXiv 2502.04510; docs/algorithms.md §2)."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from swarm.graphs import MAX_NODES
from swarm.parameters import Parameters, with_reference_defaults

UNUSED_IN_REFERENCE: Mapping[str, float] = {
    "top_p": 0.0,
    "step_decay": 1.0,
    "drop_iteration": 0.0,
    "drop_particle": 0.0,
}
"""Parameters that the public code reads and never applies, or has only this value for."""


@dataclass(frozen=True)
class HeterogeneousParameters(Parameters):
    """How both swarms move, restart, skip and stop, and how systems are made of them.

    Both swarms move by the same inherited values. Any value out of range raises `InputError`, naming the field.

    Attributes:
        particles: n, the number of models, one a node of every graph, 2 … 32.
        graphs: G, the number of graph particles, ≥ 2.
        assignments: M, in how many ways the models are put into the best graph to score them, ≥ 2.
        top_p: graphs are decoded by picks among the most probable that have this probability together, 0 … 1;
            0: always the most probable.

    """

    graphs: int = 10
    assignments: int = 10
    top_p: float = 0.8

    def __post_init__(self) -> None:
        super().__post_init__()
        self._require("particles", self.particles <= MAX_NODES, f"at most {MAX_NODES}, a model a node")
        self._require_whole(graphs=2, assignments=2)
        self._require("top_p", 0 <= self._number("top_p") <= 1, "a probability of at least 0 and at most 1")
        if self.reference:
            for name, only in UNUSED_IN_REFERENCE.items():
                self._require(name, getattr(self, name) == only, f"{only:g} with reference, as in the public code")

    def of_graphs(self) -> Parameters:
        """Return the parameters that move the graph particles."""
        return self._of(self.graphs)

    def of_models(self) -> Parameters:
        """Return the parameters that move the model particles."""
        return self._of(self.particles)

    def _of(self, particles: int) -> Parameters:
        field_values = {field.name: getattr(self, field.name) for field in fields(Parameters)}
        # Unlike that of Model Swarms, this public code lets a restarted particle cool down, and drops nothing.
        return Parameters(**{**field_values, "particles": particles, "reference": False})

    def to_json(self) -> dict[str, Any]:
        """Return these parameters as plain JSON: the arguments that make them again."""
        return asdict(self)


def with_heterogeneous_reference_defaults(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields that a user gave, completed by the public code's defaults if they turn `reference` on."""
    if not values.get("reference", False):
        return dict(values)
    return {**UNUSED_IN_REFERENCE, **with_reference_defaults(values)}
