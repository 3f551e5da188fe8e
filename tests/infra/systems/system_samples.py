"""Systems that the tests run."""

from collections.abc import Sequence

from infra.configs.systems import SystemConfig
from swarm.graphs import Dag
from swarm.recipes import Recipe
from swarm.systems import System

PROMPTS = SystemConfig(
    source="Q: {question}", later="{responses}\nQ: {question}", response="{number}) {response}", max_new_tokens=5
)
"""Short ones: the tiny model reads 512 bytes."""

STAR, CHAIN, TREE = Dag((3, 3, 3, None)), Dag((1, 2, 3, None)), Dag((2, 2, 3, None))
NO_ROLES = ("",) * 4


def systems(models: Sequence[Recipe]) -> list[System]:
    """Return a star, a tree with roles, the star with two models swapped, and a chain of one model."""
    star = System(STAR, tuple(models), NO_ROLES, (0, 1, 2, 3))
    tree = System(TREE, tuple(models), ("", "Be brief.", "", "Check."), (0, 1, 2, 3))
    turned = System(STAR, (models[1], models[0], models[2], models[3]), NO_ROLES, (1, 0, 2, 3))
    chain = System(CHAIN, (models[0],) * 4, ("First.", "Second.", "", ""), (0, 0, 0, 0))
    return [star, tree, turned, chain]
