"""An iteration of evolution strategies as people see it."""

from collections.abc import Sequence

from infra.observing.views import IterationView
from infra.searches.evolution_strategies.config import EvolutionStrategiesConfig
from swarm.es import PopulationMember
from swarm.es_state import EsState


def evolution_view(
    state: EsState, config: EvolutionStrategiesConfig, population: Sequence[PopulationMember]
) -> IterationView:
    """Return what is shown of `state`, told the rewards of `population`."""
    best = state.best
    figures = {} if state.held_out is None else {"held-out reward of the mean": state.held_out}
    return IterationView(
        iteration=state.iteration,
        iterations=config.search.max_iterations,
        utilities=state.rewards,
        best=best.reward if best else None,
        best_is=f"the mean of iteration {best.iteration}, held out" if best else "",
        stale=state.stale,
        patience=config.search.patience,
        columns=("member", "seed", "sign", "reward"),
        rows=tuple(
            (index, str(member.seed), "+" if member.scale > 0 else "−", reward)
            for index, (member, reward) in enumerate(zip(population, state.rewards, strict=True))
        ),
        figures=figures,
    )
