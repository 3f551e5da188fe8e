import pytest
from hypothesis import given
from hypothesis import strategies as st

from swarm.plan import Group, Link, links, plan_groups
from swarm.recipes import BASE, Recipe, Space

BASES = ("a" * 64, BASE)


def recipe(value: float) -> Recipe:
    return Recipe(BASES, (value, 1 - value), Space.PRODUCT)


def test_a_recipe_that_particles_share_is_evaluated_once() -> None:
    [group] = plan_groups([(0, recipe(0.1)), (3, recipe(0.2)), (5, recipe(0.1))], size=8)
    assert group == Group((recipe(0.1), recipe(0.2)), ((0, 5), (3,)))


def test_groups_are_as_equal_as_can_be() -> None:
    groups = plan_groups([(i, recipe(i)) for i in range(9)], size=4)
    assert [len(group.recipes) for group in groups] == [3, 3, 3]


def test_nothing_to_evaluate_is_no_group() -> None:
    assert plan_groups([], size=4) == ()


@given(st.lists(st.integers(0, 6), max_size=30), st.integers(1, 7))
def test_every_particle_finds_its_own_recipe(values: list[int], size: int) -> None:
    wanted = [(particle, recipe(value)) for particle, value in enumerate(values)]
    groups = plan_groups(wanted, size)
    assert all(1 <= len(group.recipes) <= size for group in groups)
    keys = [f"group-{index}" for index in range(len(groups))]
    found = {link.particle: groups[keys.index(link.group)].recipes[link.index] for link in links(groups, keys)}
    assert found == dict(wanted)


@given(st.lists(st.integers(0, 6), max_size=10))
def test_a_group_is_read_back_as_it_was_written(values: list[int]) -> None:
    for group in plan_groups([(p, recipe(v)) for p, v in enumerate(values)], size=3):
        assert Group.from_json(group.to_json()) == group


def test_a_link_names_the_group_and_the_place_in_it() -> None:
    groups = plan_groups([(4, recipe(1)), (2, recipe(2))], size=1)
    assert links(groups, ["x", "y"]) == [Link(4, "x", 0), Link(2, "y", 0)]
    with pytest.raises(ValueError, match="zip"):
        links(groups, ["x"])


def test_a_recipes_key_is_of_its_content() -> None:
    assert recipe(0.25).key == Recipe.from_json(recipe(0.25).to_json()).key
    assert recipe(0.25).key != recipe(0.5).key
    assert recipe(0.25).key != Recipe(BASES, (0.25, 0.75), Space.FACTORS).key


def test_a_recipe_needs_a_coefficient_for_every_basis() -> None:
    with pytest.raises(ValueError, match=r"^a recipe has 2 bases but 1 coefficients$"):
        Recipe(BASES, (1.0,), Space.PRODUCT)
