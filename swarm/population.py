"""The initial population of a search: n experts grown to N particles (Model Swarms, arXiv 2410.11163, Algorithm 1)."""

from collections.abc import Sequence

import numpy as np

from swarm.arrays import Floats, frozen
from swarm.draws import Purpose, generator, pick, pick_other
from swarm.errors import InputError
from swarm.parameters import Parameters
from swarm.recipes import Recipe, Space
from swarm.state import State


def initialise(parameters: Parameters, seed: int, n_experts: int) -> State:
    """Return iteration 0, to be evaluated: the first n particles are the n experts, crossover makes the others.

    Every expert is a particle, so that the search can never end below the best of them.

    Args:
        parameters: the search's parameters.
        seed: the run's seed.
        n_experts: n, the number of initial experts (with the base model, if it is one of them), 2 ≤ n ≤ N.

    Raises:
        InputError: fewer than two experts, or more experts than particles.

    """
    particles = parameters.particles
    if n_experts < 2:
        raise InputError(f"experts: a search moves between at least 2 experts, not {n_experts}: add another expert")
    if particles < n_experts:
        raise InputError(f"particles: {particles} cannot hold {n_experts} experts: give {n_experts} or more particles")
    positions = _grow(parameters, seed, n_experts)
    return State(
        iteration=0,
        step_length=float(parameters.step_length),
        positions=frozen(positions),
        velocities=frozen(_initial_velocities(parameters, seed, positions)),
        personal_bests=frozen(positions),
        personal_best_utilities=(None,) * particles,
        personal_best_iterations=(0,) * particles,
        draws=None,
        utilities=(None,) * particles,
        restarted=(False,) * particles,
        last_restarts=(None,) * particles,
        to_evaluate=(True,) * particles,
        told=False,
        global_best=None,
        global_worst=None,
        stale=0,
    )


def _grow(parameters: Parameters, seed: int, n_experts: int) -> Floats:
    """Return X [N, n]: one-hot rows for the experts, then children of two different random parents."""
    rows = list(np.eye(n_experts))
    for particle in range(n_experts, parameters.particles):
        draws = generator(seed, 0, particle, Purpose.CROSSOVER)
        # In the public code the children born so far are parents too; in the paper only experts are.
        parents = len(rows) if parameters.reference else n_experts
        a = pick(draws, parents)
        b = pick_other(draws, parents, a)
        t = draws.random() * parameters.crossover_limit  # t ~ U(0, limit)
        rows.append(t * rows[a] + (1 - t) * rows[b])  # child = t·a + (1 − t)·b
    return np.stack(rows)


def _initial_velocities(parameters: Parameters, seed: int, positions: Floats) -> Floats:
    """Return V [N, n]; `best` needs the first utilities, so `swarm.pso.tell` sets it."""
    if parameters.initial_velocity != "random":
        return np.zeros_like(positions)
    count = len(positions)
    others = [pick_other(generator(seed, 0, i, Purpose.INITIAL_VELOCITY), count, i) for i in range(count)]
    velocities: Floats = positions[others] - positions  # v_i = x_j − x_i, j ≠ i
    return velocities


def recipes(state: State, bases: Sequence[str], space: Space) -> tuple[Recipe, ...]:
    """Return the N recipes of the particles' positions; `bases` names the n experts in the order of the columns."""
    return tuple(Recipe(tuple(bases), tuple(row), space) for row in state.positions.tolist())
