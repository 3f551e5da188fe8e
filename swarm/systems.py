"""A system: models in the nodes of a graph (Heterogeneous Swarms, arXiv 2502.04510, §2; docs/algorithms.md §2)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from swarm.canonical import content_hash
from swarm.graphs import Dag
from swarm.recipes import Recipe


@dataclass(frozen=True)
class System:
    """Models that answer a question together: each node's model reads the answers of the node's predecessors.

    Two systems are equal, and have the same `key`, if they compute the same: the assignment only says which of the
    run's models the recipes are.

    Attributes:
        dag: the graph of n nodes.
        recipes: [n], the model of each node, n ≥ 2.
        roles: [n], an instruction that each node reads before its question; "" for none.
        assignment: [n], the number (0 … n − 1) of the model in each node; not compared.

    """

    dag: Dag
    recipes: tuple[Recipe, ...]
    roles: tuple[str, ...]
    assignment: tuple[int, ...] = field(compare=False)

    def __post_init__(self) -> None:
        nodes = len(self.dag.successor)
        for name in ("recipes", "roles", "assignment"):
            if len(getattr(self, name)) != nodes:
                raise ValueError(f"a system of {nodes} nodes has {len(getattr(self, name))} {name}")
        if not all(isinstance(model, int) and 0 <= model < nodes for model in self.assignment):
            raise ValueError(f"a system of {nodes} nodes has no models {self.assignment}")

    @cached_property
    def key(self) -> str:
        """The content hash of what this system computes."""
        value = self.to_json()
        del value["assignment"]
        return content_hash(value)

    def to_json(self) -> dict[str, Any]:
        """Return this system as plain JSON."""
        return {
            "dag": self.dag.to_json(),
            "recipes": [recipe.to_json() for recipe in self.recipes],
            "roles": list(self.roles),
            "assignment": list(self.assignment),
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "System":
        """Read what `to_json` wrote.

        Raises:
            KeyError, TypeError or ValueError: `value` is no system.

        """
        return cls(
            Dag.from_json(value["dag"]),
            tuple(map(Recipe.from_json, value["recipes"])),
            tuple(value["roles"]),
            tuple(value["assignment"]),
        )
