import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from swarm.errors import InputError
from swarm.parameters import Parameters
from swarm.population import initialise, recipes
from swarm.pso import tell
from swarm.recipes import Recipe, Space
from tests.swarm.searching import masked, near


@settings(max_examples=40)
@given(seed=st.integers(0, 2**40), experts=st.integers(2, 6), extra=st.integers(0, 8))
def test_experts_come_first_and_every_child_lies_between_two_different_experts(seed, experts, extra):
    state = initialise(Parameters(particles=experts + extra), seed, experts)
    assert state.positions[:experts].tolist() == np.eye(experts).tolist()
    for child in state.positions[experts:]:
        assert np.count_nonzero(child) == 2 and child.min() >= 0
        assert child.sum() == pytest.approx(1, abs=1e-12)
    assert (state.personal_bests == state.positions).all()
    assert state.to_evaluate == (True,) * (experts + extra)
    assert (state.iteration, state.stale, state.told, state.global_best, state.draws) == (0, 0, False, None, None)


def test_crossover_parents_and_t_are_uniform():
    children = np.vstack([initialise(Parameters(particles=20), seed, 3).positions[3:] for seed in range(60)])
    t = children[children > 0]
    assert np.histogram(t, bins=4, range=(0, 1))[0] == pytest.approx([len(t) / 4] * 4, rel=0.2)
    absent = (children == 0).sum(axis=0)
    assert absent == pytest.approx([len(children) / 3] * 3, rel=0.2)


def test_a_larger_population_begins_with_the_smaller_one():
    small, large = (initialise(Parameters(particles=count), 5, 3) for count in (6, 12))
    assert large.positions[:6].tolist() == small.positions.tolist()


def test_random_velocities_point_to_another_particle():
    state = initialise(Parameters(particles=8), 3, 4)
    differences = state.positions[None] - state.positions[:, None]  # [i, j] = x_j − x_i
    for i, v in enumerate(state.velocities):
        assert any(np.array_equal(v, differences[i, j]) for j in range(8) if j != i)


def test_zero_velocities_are_zero():
    assert not initialise(Parameters(particles=8, initial_velocity="zero"), 3, 4).velocities.any()


def test_best_velocities_point_to_the_global_best_once_it_is_known():
    parameters = Parameters(particles=8, initial_velocity="best")
    state = initialise(parameters, 3, 4)
    assert not state.velocities.any()
    told = tell(parameters, state, masked(state, near(np.array([0, 1, 0, 0]))(state)))
    assert told.global_best.particle == 1
    assert told.velocities.tolist() == (np.eye(4)[1] - state.positions).tolist()


def test_more_experts_than_particles_are_refused():
    with pytest.raises(InputError) as caught:
        initialise(Parameters(particles=4), 1, 5)
    assert str(caught.value) == "particles: 4 cannot hold 5 experts: give 5 or more particles"


def test_a_single_expert_is_refused():
    with pytest.raises(InputError, match=r"^experts: a search moves between at least 2 experts, not 1: add another"):
        initialise(Parameters(), 1, 1)


def test_recipes_are_the_rows_of_the_positions():
    state = initialise(Parameters(particles=3), 1, 2)
    made = recipes(state, ("a" * 64, "base"), Space.PRODUCT)
    assert made[:2] == (
        Recipe(("a" * 64, "base"), (1.0, 0.0), Space.PRODUCT),
        Recipe(("a" * 64, "base"), (0.0, 1.0), Space.PRODUCT),
    )
    assert made[2].coefficients == tuple(state.positions[2].tolist())


def test_recipes_need_a_basis_a_column():
    with pytest.raises(ValueError, match=r"1 bases but 2 coefficients"):
        recipes(initialise(Parameters(particles=3), 1, 2), ("base",), Space.FACTORS)
