"""Recipes of seeds, for every engine: which of them start from the same weights, and the tensors of each."""

from collections.abc import Sequence
from itertools import groupby

import torch

from experts.evolved import EvolvedWeights
from swarm.recipes import Recipe
from swarm.seeds import SeedRecipe


def at_one_journal(population: Sequence[Recipe]) -> list[list[SeedRecipe]]:
    """Cut a population into runs of recipes with one start and one journal."""
    recipes = [seed_recipe(recipe) for recipe in population]
    return [list(run) for _, run in groupby(recipes, key=lambda recipe: (recipe.start, recipe.journal))]


def seed_recipe(recipe: Recipe) -> SeedRecipe:
    """Return `recipe`, which must be one of seeds: raises `ValueError` for another."""
    if not isinstance(recipe, SeedRecipe):
        raise ValueError("an engine of seeds evaluates recipes of seeds only")
    return recipe


def perturbed(weights: EvolvedWeights, name: str, recipe: SeedRecipe) -> torch.Tensor:
    """Return the tensor called `name` of a member or a mean of θ as it is in `weights`; θ itself is not copied."""
    weight = weights.tensors[name]
    return weight if recipe.seed is None else weights.perturbations.perturb(name, weight, recipe.seed, recipe.scale)
