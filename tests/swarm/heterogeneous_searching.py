"""Drive a Heterogeneous Swarms search in a test: the loop that a flow runs, with a utility made of arithmetic."""

import hashlib
import itertools
from collections.abc import Callable, Iterator

from swarm.canonical import canonical_json
from swarm.heterogeneous import ask, tell_graphs, tell_models
from swarm.heterogeneous_parameters import HeterogeneousParameters
from swarm.heterogeneous_plan import SystemTemplate, graph_systems, model_systems
from swarm.heterogeneous_population import initialise
from swarm.heterogeneous_state import HeterogeneousState
from swarm.recipes import Space
from swarm.systems import System

Utility = Callable[[System], float]
Between = Callable[[HeterogeneousState], HeterogeneousState]


def nodes(parameters: HeterogeneousParameters, experts: int) -> SystemTemplate:
    return SystemTemplate(tuple("abcdefgh"[:experts]), Space.PRODUCT, ("",) * parameters.particles)


def search(
    parameters: HeterogeneousParameters, utility: Utility, iterations: int, seed: int = 1, experts: int = 3
) -> list[HeterogeneousState]:
    """Return the told states of iterations 0 … `iterations`."""
    return list(itertools.islice(searching(parameters, utility, seed, experts), iterations + 1))


def search_through(
    between: Between, parameters: HeterogeneousParameters, utility: Utility, iterations: int, seed: int = 1
) -> list[HeterogeneousState]:
    """Return the same, with `between` applied wherever a process may end and another go on."""
    return list(itertools.islice(searching(parameters, utility, seed, 3, between), iterations + 1))


def searching(
    parameters: HeterogeneousParameters,
    utility: Utility,
    seed: int,
    experts: int,
    between: Between = lambda state: state,
) -> Iterator[HeterogeneousState]:
    """Return the told states, without end, each as soon as it was evaluated."""
    of = nodes(parameters, experts)
    state = between(initialise(parameters, seed, experts))
    while True:
        state = between(tell_graphs(parameters, state, [utility(s) for s in graph_systems(state, of)]))
        systems = model_systems(parameters, seed, state, of)
        state = between(tell_models(parameters, seed, state, [utility(system) for system in systems]))
        yield state
        state = between(ask(parameters, seed, state))


def arbitrary(system: System) -> float:
    """Return a utility in [0, 1) that depends on everything that the system computes, and on nothing else."""
    value = system.to_json()
    del value["assignment"]
    return int(hashlib.sha256(canonical_json(value).encode()).hexdigest()[:12], 16) / 16**12


def coarse(system: System) -> float:
    """Return the same with many ties."""
    return round(4 * arbitrary(system)) / 4


def constant(system: System) -> float:
    return 0.5


def first_expert(system: System) -> float:
    """Return how much of the first expert there is in the models, on average: 1 is the most within the simplex."""
    shares = [max(0.0, 1 - abs(1 - recipe.coefficients[0])) for recipe in system.recipes]
    return sum(shares) / len(shares)


def depth(system: System) -> float:
    """Return how many levels the graph has: a utility of the graph alone."""
    return float(system.dag.depth)
