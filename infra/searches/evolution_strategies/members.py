"""Turn seeds into the recipes of a population's members."""

from typing import Any

from experts.seed_basis import SeedBasis
from infra.evaluation.inputs import RunInputs
from swarm.recipes import Recipe, Space
from swarm.seeds import Journal, Perturbation, SeedRecipe


def start_recipe(inputs: RunInputs) -> Recipe:
    """Return θ_0: the base model, or the one expert that the run begins with."""
    return Recipe(inputs.bases, (1.0,), Space.PRODUCT)


def seed_basis(inputs: RunInputs) -> SeedBasis:
    """Return what the run's recipes are made from."""
    assert isinstance(inputs.basis, SeedBasis)
    return inputs.basis


def perturbation(inputs: RunInputs) -> Perturbation:
    """Return the noise that the run's seeds stand for."""
    return seed_basis(inputs).perturbation


def member_recipes(inputs: RunInputs, journal: Journal, members: list[dict[str, Any]]) -> list[SeedRecipe]:
    """Return the recipes of `members` ({"seed", "scale"}), around the mean that `journal` leads to."""
    start, noise = start_recipe(inputs), perturbation(inputs)
    return [SeedRecipe.of(start, noise, journal, member["seed"], member["scale"]) for member in members]
