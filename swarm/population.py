"""The initial population of a search: n experts grown to N particles (Model Swarms, arXiv 2410.11163, Algorithm 1)."""

from collections.abc import Sequence
from typing import TypeVar

import numpy as np

from swarm.arrays import Floats, read_only
from swarm.draws import Draw, generator, pick, pick_other
from swarm.errors import InputError
from swarm.parameters import Parameters
from swarm.recipes import Recipe, Space
from swarm.state import State

S = TypeVar("S", bound=State)


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
    return begin(State, parameters, seed, grow_population(parameters, seed, n_experts))


def initialise_from_earlier(
    parameters: Parameters, seed: int, n_experts: int, earlier_bests: Sequence[Sequence[float]]
) -> State:
    """Return iteration 0 of a search that goes on from what an earlier one among the same experts found.

    The first n particles are the n experts, as in `initialise`; the next are `earlier_bests`; crossover makes the rest.

    Args:
        parameters: the search's parameters.
        seed: the run's seed.
        n_experts: n, the number of initial experts, 2 ≤ n < N.
        earlier_bests: the earlier search's personal bests, the best first [·, n]; those beyond N − n are left
            out.

    Raises:
        InputError: the experts leave no particle for what was found.

    """
    room = parameters.particles - n_experts
    if room < 1:
        raise InputError(
            f"particles: {parameters.particles} hold the {n_experts} experts and nothing of the earlier run: "
            f"give {n_experts + 1} or more particles"
        )
    earlier_positions = np.array([list(row) for row in earlier_bests[:room]], dtype=np.float64)
    positions = grow_population(parameters, seed, n_experts)
    positions[n_experts : n_experts + len(earlier_positions)] = earlier_positions
    return begin(State, parameters, seed, positions)


def begin(kind: type[S], parameters: Parameters, seed: int, positions: Floats) -> S:
    """Return iteration 0 of a swarm at `positions` [N, n], to be evaluated, as a state of the given kind."""
    particles = len(positions)
    return kind(
        iteration=0,
        step_length=float(parameters.step_length),
        positions=read_only(positions),
        velocities=read_only(_initial_velocities(parameters, seed, positions)),
        personal_bests=read_only(positions),
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


def grow_population(parameters: Parameters, seed: int, n_experts: int) -> Floats:
    """Return X [N, n]: one-hot rows for the experts, then children of two different random parents."""
    rows = list(np.eye(n_experts))
    for particle in range(n_experts, parameters.particles):
        draws = generator(seed, 0, particle, Draw.CROSSOVER)
        # In the public code the children born so far are parents too; in the paper only experts are.
        parents = len(rows) if parameters.reference else n_experts
        a = pick(draws, parents)
        b = pick_other(draws, parents, a) if parents > 1 else a
        t = draws.random() * parameters.crossover_limit  # t ~ U(0, limit)
        rows.append(t * rows[a] + (1 - t) * rows[b])  # child = t·a + (1 − t)·b
    return np.stack(rows)


def _initial_velocities(parameters: Parameters, seed: int, positions: Floats) -> Floats:
    """Return V [N, n]; `best` needs the first utilities, so `swarm.pso.tell` sets it."""
    if parameters.initial_velocity != "random":
        return np.zeros_like(positions)
    count = len(positions)
    others = [pick_other(generator(seed, 0, i, Draw.INITIAL_VELOCITY), count, i) for i in range(count)]
    velocities: Floats = positions[others] - positions  # v_i = x_j − x_i, j ≠ i
    return velocities


def recipes(state: State, bases: Sequence[str], space: Space) -> tuple[Recipe, ...]:
    """Return the N recipes of the particles' positions; `bases` names the n experts in the order of the columns."""
    return tuple(Recipe(tuple(bases), tuple(row), space) for row in state.positions.tolist())
