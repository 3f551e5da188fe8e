"""Drive a search in a test: the loop that a flow runs, with a utility made of arithmetic."""

from collections.abc import Callable, Iterator

import numpy as np

from swarm.arrays import Floats
from swarm.parameters import Parameters
from swarm.population import initialise
from swarm.pso import ask, tell
from swarm.state import State

Utility = Callable[[State], list[float]]


def masked(state: State, utilities: list[float]) -> list[float | None]:
    return [utility if evaluated else None for utility, evaluated in zip(utilities, state.to_evaluate, strict=True)]


def search(parameters: Parameters, utility: Utility, iterations: int, seed: int = 1, experts: int = 3) -> list[State]:
    """Return the told states of iterations 0 … `iterations`."""
    return list(_search(parameters, utility, iterations, seed, experts))


def _search(parameters: Parameters, utility: Utility, iterations: int, seed: int, experts: int) -> Iterator[State]:
    state = initialise(parameters, seed, experts)
    yield (state := tell(parameters, state, masked(state, utility(state))))
    for _ in range(iterations):
        state = ask(parameters, seed, state)
        yield (state := tell(parameters, state, masked(state, utility(state))))


def constant(state: State) -> list[float]:
    return [0.5] * len(state.positions)


def rising(state: State) -> list[float]:
    return [state.iteration + i / 100 for i in range(len(state.positions))]


def near(target: Floats) -> Utility:
    """Return a utility with its only maximum at `target` [n]."""
    return lambda state: (-np.square(state.positions - target).sum(axis=1)).tolist()
