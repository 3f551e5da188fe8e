"""What a search remembers: personal bests, global best g, global worst w (docs/algorithms.md §1, "g, w")."""

from dataclasses import replace
from typing import TypeVar

from swarm.arrays import frozen
from swarm.state import Extreme, State

S = TypeVar("S", bound=State)

ParticleUtilities = list[tuple[int, float]]
"""(particle, utility) of the particles that were evaluated, in the order of the particles."""


def with_personal_bests(state: S, scored: ParticleUtilities) -> S:
    """Return the state with p_i ← x_i wherever the utility of x_i is above every earlier one of particle i."""
    bests, found = state.personal_bests.copy(), list(state.personal_best_iterations)
    record = list(state.personal_best_utilities)
    for i, utility in scored:
        earlier = record[i]
        if earlier is None or utility > earlier:
            bests[i], record[i], found[i] = state.positions[i], utility, state.iteration
    return replace(
        state,
        personal_bests=frozen(bests),
        personal_best_utilities=tuple(record),
        personal_best_iterations=tuple(found),
    )


def global_best(state: State, scored: ParticleUtilities) -> Extreme | None:
    """Return g, the best ever seen: the first wins ties."""
    now = max(scored, key=lambda one: one[1], default=None)
    seen = state.global_best
    return seen if now is None or (seen and now[1] <= seen.utility) else _extreme(state, *now)


def global_worst(state: State, scored: ParticleUtilities) -> Extreme | None:
    """Return w, the worst ever seen: the first wins ties."""
    now = min(scored, key=lambda one: one[1], default=None)
    seen = state.global_worst
    return seen if now is None or (seen and now[1] >= seen.utility) else _extreme(state, *now)


def _extreme(state: State, particle: int, utility: float) -> Extreme:
    return Extreme(frozen(state.positions[particle]), utility, particle, state.iteration)
