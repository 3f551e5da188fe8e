"""From seeds to recipes: what the members of a run's population are, and which examples they are asked."""

from itertools import accumulate
from typing import Any

from data.objective import Objective
from experts.seed_basis import SeedBasis
from infra.prepare import Prepared
from swarm.errors import InputError
from swarm.recipes import Recipe, Space
from swarm.seeds import Journal, Perturbation, SeedRecipe


def start_recipe(inputs: Prepared) -> Recipe:
    """Return θ_0: the base model, or the one expert that the run begins with."""
    return Recipe(inputs.bases, (1.0,), Space.PRODUCT)


def seed_basis(inputs: Prepared) -> SeedBasis:
    """Return what the run's recipes are made from."""
    assert isinstance(inputs.basis, SeedBasis)
    return inputs.basis


def perturbation(inputs: Prepared) -> Perturbation:
    """Return what the run's seeds mean."""
    return seed_basis(inputs).perturbation


def member_recipes(inputs: Prepared, journal: Journal, members: list[dict[str, Any]]) -> list[SeedRecipe]:
    """Return the recipes of `members` ({"seed", "scale"}), around the mean that `journal` leads to."""
    start, meaning = start_recipe(inputs), perturbation(inputs)
    return [SeedRecipe.of(start, meaning, journal, one["seed"], one["scale"]) for one in members]


def divided(objective: Objective, held_out: int) -> tuple[list[int], list[int]]:
    """Return the places of the dev examples that are searched on, and of those that only measure the mean.

    Held out are the last `held_out` of each task, so that every task has its part in both.

    Raises:
        InputError: nothing of a task is left to search on.

    """
    searched: list[int] = []
    kept_out: list[int] = []
    ends = list(accumulate(len(task.dev) for task in objective.tasks))
    for task, end in zip(objective.tasks, ends, strict=True):
        if len(task.dev) <= held_out:
            raise InputError(
                f"search.held_out: {held_out} of the {len(task.dev)} dev examples of task {task.name!r} leave none to "
                "search on: lower it"
            )
        searched += range(end - len(task.dev), end - held_out)
        kept_out += range(end - held_out, end)
    return searched, kept_out
