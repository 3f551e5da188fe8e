"""An iteration of Model Swarms as people see it."""

from infra.observing.views import IterationView
from infra.searches.model_swarms.config import ModelSwarmsConfig
from swarm.state import State


def model_swarms_view(state: State, config: ModelSwarmsConfig, names: tuple[str, ...]) -> IterationView:
    """Return what is shown of `state`, whose coefficients belong to the bases called `names`."""
    best = state.global_best
    return IterationView(
        iteration=state.iteration,
        iterations=config.search.max_iterations,
        utilities=state.utilities,
        best=best.utility if best else None,
        best_is=f"particle {best.particle}, iteration {best.iteration}" if best else "",
        stale=state.stale,
        patience=config.search.patience,
        columns=("particle", "utility", "personal best", "restarted", *names),
        rows=tuple(
            (
                i,
                state.utilities[i],
                state.personal_best_utilities[i],
                state.restarted[i],
                *(round(float(coefficient), 4) for coefficient in position),
            )
            for i, position in enumerate(state.positions)
        ),
        figures={"step length": state.step_length},
    )
