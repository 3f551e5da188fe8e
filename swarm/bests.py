"""The memory of a search: personal bests, global best g, global worst w (docs/algorithms.md §1, "g, w")."""

from dataclasses import replace
from typing import TypeVar

from swarm.arrays import read_only
from swarm.state import Extreme, State

S = TypeVar("S", bound=State)

ParticleUtilities = list[tuple[int, float]]
"""(particle, utility) of the particles that were evaluated, in the order of the particles."""


def with_personal_bests(state: S, utilities: ParticleUtilities) -> S:
    """Return the state with p_i ← x_i wherever the utility of x_i is above every earlier one of particle i."""
    bests, iterations = state.personal_bests.copy(), list(state.personal_best_iterations)
    best_utilities = list(state.personal_best_utilities)
    for i, utility in utilities:
        earlier = best_utilities[i]
        if earlier is None or utility > earlier:
            bests[i], best_utilities[i], iterations[i] = state.positions[i], utility, state.iteration
    return replace(
        state,
        personal_bests=read_only(bests),
        personal_best_utilities=tuple(best_utilities),
        personal_best_iterations=tuple(iterations),
    )


def global_best(state: State, utilities: ParticleUtilities) -> Extreme | None:
    """Return g, the best ever seen: the first wins ties."""
    now = max(utilities, key=lambda pair: pair[1], default=None)
    earlier = state.global_best
    return earlier if now is None or (earlier and now[1] <= earlier.utility) else _extreme(state, *now)


def global_worst(state: State, utilities: ParticleUtilities) -> Extreme | None:
    """Return w, the worst ever seen: the first wins ties."""
    now = min(utilities, key=lambda pair: pair[1], default=None)
    earlier = state.global_worst
    return earlier if now is None or (earlier and now[1] >= earlier.utility) else _extreme(state, *now)


def _extreme(state: State, particle: int, utility: float) -> Extreme:
    return Extreme(read_only(state.positions[particle]), utility, particle, state.iteration)
