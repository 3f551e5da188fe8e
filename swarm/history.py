"""The history of one iteration as JSON: enough to recompute its move (docs/algorithms.md §1)."""

from typing import Any

from swarm.state import Extreme, State


def history(state: State) -> dict[str, Any]:
    """Return one iteration as plain JSON, in the symbols of the paper.

    `lambda` is λ of the move that made this iteration (iteration 0: of the move to come), `r` is (r_v, r_p, r_g, r_w)
    of that move (iteration 0: None). `utility` is None where a particle was not evaluated; under `reference` a skipped
    particle shows its old one, with `evaluated` False.
    """
    return {
        "iteration": state.iteration,
        "lambda": state.step_length,
        "particles": [_particle(state, i) for i in range(len(state.positions))],
        "g": _extreme(state.global_best),
        "w": _extreme(state.global_worst),
        "stale": state.stale,
    }


def _particle(state: State, i: int) -> dict[str, Any]:
    return {
        "x": state.positions[i].tolist(),
        "v": state.velocities[i].tolist(),
        "p": state.personal_bests[i].tolist(),
        "r": None if state.draws is None else state.draws[i].tolist(),
        "utility": state.utilities[i],
        "personal_best_utility": state.personal_best_utilities[i],
        "restarted": state.restarted[i],
        "evaluated": state.to_evaluate[i],
    }


def _extreme(extreme: Extreme | None) -> dict[str, Any] | None:
    return None if extreme is None else extreme.to_json()
