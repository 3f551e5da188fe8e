"""An iteration of Heterogeneous Swarms as people see it."""

from infra.observing.views import Cell, IterationView
from swarm.graphs import Dag
from swarm.heterogeneous_state import HeterogeneousState
from swarm.state import State


def heterogeneous_view(
    state: HeterogeneousState, iterations: int, patience: int, names: tuple[str, ...]
) -> IterationView:
    """Return what is shown of `state`, whose models' coefficients belong to the bases called `names`."""
    best = state.best
    trials = tuple(trial.utility for trial in state.trials)
    graphs = [
        (*_particle(state.graphs, "graph", i), edges(dag), *[None] * len(names)) for i, dag in enumerate(state.dags)
    ]
    models = [
        (*_particle(state.models, "model", i), None, *(round(value, 4) for value in row))
        for i, row in enumerate(state.models.positions.tolist())
    ]
    return IterationView(
        iteration=state.iteration,
        iterations=iterations,
        utilities=(*state.graphs.utilities, *trials),
        best=best.utility if best else None,
        best_is=f"{edges(best.dag)}, iteration {best.iteration}, among the {best.step}" if best else "",
        stale=state.stale,
        patience=patience,
        columns=("particle", "utility", "personal best", "restarted", "edges", *names),
        rows=(*graphs, *models),
    )


def edges(dag: Dag) -> str:
    """Return the edges of a graph as one reads them: `0→2 1→2`."""
    return " ".join(f"{node}→{after}" for node, after in enumerate(dag.successor) if after is not None)


def _particle(swarm: State, kind: str, i: int) -> tuple[Cell, ...]:
    return (f"{kind} {i}", swarm.utilities[i], swarm.personal_best_utilities[i], swarm.restarted[i])
