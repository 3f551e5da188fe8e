"""Recipes of seeds and their journal."""

import json

import pytest

from swarm.recipes import BASE, Recipe, Space
from swarm.seeds import BASE_START, Journal, Mode, Perturbation, SeedRecipe, Update

NOISE = Perturbation(Mode.LOW_RANK, 2, ("q_proj",))
ONE, TWO, THREE = Update((1, 2), (0.5, -0.25)), Update((3,), (1e-9,), 0.9), Update((4,), (1.0,))


def test_a_journal_is_named_by_everything_in_it() -> None:
    others = [
        Journal().extend(TWO, ONE),
        Journal().extend(ONE),
        Journal().extend(ONE, Update((3,), (1e-9,), 0.8)),
        Journal().extend(ONE, Update((5,), (1e-9,), 0.9)),
        Journal(),
    ]
    assert Journal().extend(ONE).extend(TWO) == Journal().extend(ONE, TWO)
    assert len({journal.id for journal in (Journal().extend(ONE, TWO), *others)}) == 6


def test_a_journal_knows_what_comes_after_an_earlier_one() -> None:
    whole = Journal().extend(ONE, TWO, THREE)
    assert whole.after(Journal().extend(ONE)) == (TWO, THREE)
    assert whole.after(whole) == ()
    assert whole.after(Journal().extend(TWO)) is None
    assert Journal().extend(ONE).after(whole) is None
    assert whole.prefix(Journal().extend(ONE, TWO).id) == Journal().extend(ONE, TWO)
    with pytest.raises(LookupError):
        whole.prefix(Journal().extend(TWO).id)


def test_a_recipe_of_seeds_comes_back_from_json_with_the_journal_at_hand() -> None:
    whole = Journal().extend(ONE, TWO, THREE)
    start = Recipe(("a" * 64, BASE), (0.5, 0.5), Space.PRODUCT)
    recipe = SeedRecipe.of(start, NOISE, Journal().extend(ONE, TWO), 9, -0.01)
    value = json.loads(json.dumps(recipe.to_json()))
    assert SeedRecipe.read(value, whole) == recipe
    assert SeedRecipe.read(value, whole).key == recipe.key
    assert recipe.start == start
    with pytest.raises(LookupError):
        SeedRecipe.read(value, Journal().extend(TWO, ONE))


def test_a_recipe_of_seeds_is_never_taken_for_its_start() -> None:
    mean = SeedRecipe.of(BASE_START, NOISE, Journal())
    assert mean != BASE_START
    assert mean.key != BASE_START.key
    with pytest.raises(KeyError):
        Recipe.from_json(mean.to_json())


def test_recipes_differ_by_all_that_they_say() -> None:
    journal = Journal().extend(ONE)
    recipes = [
        SeedRecipe.of(BASE_START, NOISE, journal),
        SeedRecipe.of(BASE_START, NOISE, journal, 1, 0.1),
        SeedRecipe.of(BASE_START, NOISE, journal, 1, -0.1),
        SeedRecipe.of(BASE_START, NOISE, journal, 2, 0.1),
        SeedRecipe.of(BASE_START, NOISE, Journal(), 1, 0.1),
        SeedRecipe.of(BASE_START, Perturbation(Mode.LOW_RANK, 3, ("q_proj",)), journal, 1, 0.1),
    ]
    assert len({recipe.key for recipe in recipes}) == len(set(recipes)) == 6


def test_what_makes_no_sense_is_refused() -> None:
    for seed, scale in ((None, 0.1), (3, 0.0)):
        with pytest.raises(ValueError, match="scale"):
            SeedRecipe.of(BASE_START, NOISE, Journal(), seed, scale)
    for seeds, coefficients in (((1, 1), (0.5, 0.5)), ((1, 2), (0.5,))):
        with pytest.raises(ValueError):
            Update(seeds, coefficients)
