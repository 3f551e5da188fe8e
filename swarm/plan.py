"""Which recipes are evaluated together: groups that are a pure function of what is asked for.

An evaluation group is the unit of loss. Its composition decides an engine's batches, and so its rounding; it must be
the same whenever the same iteration is evaluated.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, TypeVar

from swarm.recipes import Recipe

T = TypeVar("T")


@dataclass(frozen=True)
class Group:
    """Recipes that go through an engine together.

    Attributes:
        recipes: all different.
        particles: whose recipe each one is; several particles may share one (after a restart, say).

    """

    recipes: tuple[Recipe, ...]
    particles: tuple[tuple[int, ...], ...]

    def to_json(self) -> dict[str, Any]:
        """Return this group as plain JSON."""
        return {"recipes": [r.to_json() for r in self.recipes], "particles": [list(p) for p in self.particles]}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "Group":
        """Read what `to_json` wrote."""
        return cls(tuple(map(Recipe.from_json, value["recipes"])), tuple(tuple(p) for p in value["particles"]))


@dataclass(frozen=True)
class Link:
    """Where a particle's evaluation is: in the group of the key `group`, at `index`."""

    particle: int
    group: str
    index: int


def plan_groups(recipes: Sequence[tuple[int, Recipe]], size: int) -> tuple[Group, ...]:
    """Group (particle, recipe) pairs in their order, at most `size` different recipes to a group.

    Groups are as equal in size as they can be, so that several engines finish together.
    """
    owners: dict[Recipe, list[int]] = {}
    for particle, recipe in recipes:
        owners.setdefault(recipe, []).append(particle)
    parts = equal_parts(list(owners), size)
    return tuple(Group(tuple(part), tuple(tuple(owners[recipe]) for recipe in part)) for part in parts)


def equal_parts(items: Sequence[T], size: int) -> list[Sequence[T]]:
    """Cut `items` into runs of at most `size`, as few and as equal as they can be."""
    count = -(-len(items) // size)
    bounds = [round(i * len(items) / count) for i in range(count + 1)] if count else []
    return [items[start:end] for start, end in pairwise(bounds)]


def links(groups: Sequence[Group], keys: Sequence[str]) -> list[Link]:
    """Return where each particle's evaluation is, given the key under which each group was evaluated."""
    return [
        Link(particle, key, index)
        for group, key in zip(groups, keys, strict=True)
        for index, particles in enumerate(group.particles)
        for particle in particles
    ]
