"""The initial population of Heterogeneous Swarms, with helpers that every move needs too (docs/algorithms.md §2)."""

from dataclasses import replace

import numpy as np

from swarm.arrays import Floats
from swarm.decode import decode
from swarm.draws import MAX_SEED, Draw, generator
from swarm.errors import InputError
from swarm.graphs import Dag
from swarm.heterogeneous_parameters import HeterogeneousParameters
from swarm.heterogeneous_plan import assignments
from swarm.heterogeneous_state import GraphSwarm, HeterogeneousState
from swarm.population import begin, grow_population
from swarm.state import State


def initialise(parameters: HeterogeneousParameters, seed: int, n_experts: int) -> HeterogeneousState:
    """Return iteration 0, to be evaluated: random graphs, and m experts grown to n models by crossover.

    One expert is grown to n models that are alike: their nodes can only differ by their roles.

    Args:
        parameters: the search's parameters.
        seed: the run's seed.
        n_experts: m, the number of initial experts (with the base model, if it is one of them), 1 ≤ m ≤ n.

    Raises:
        InputError: more experts than models, or, as the public code grows nothing, another number than that.

    """
    n = parameters.particles
    if not 1 <= n_experts <= n:
        raise InputError(f"particles: {n} models cannot hold {n_experts} experts: give {max(2, n_experts)} or more")
    if parameters.reference and n_experts != n:
        raise InputError(f"particles: must be the number of experts ({n_experts}) with reference, not {n}")
    graphs = begin(GraphSwarm, parameters.of_graphs(), graph_seed(seed), _adjacencies(parameters, seed))
    models = begin(State, parameters.of_models(), seed, grow_population(parameters.of_models(), seed, n_experts))
    return HeterogeneousState(
        graphs=graphs,
        dags=decode_graphs(parameters, seed, graphs),
        best_dag=None,
        models=keep_assigned_models(parameters, seed, models),
        scored_on=None,
        trials=(),
        best=None,
        stale=0,
    )


def graph_seed(seed: int) -> int:
    """Return the seed of the graphs' moves: with the run's own, graphs and models would share their draws."""
    return int(generator(seed, 0, 0, Draw.GRAPH_SWARM).integers(MAX_SEED))


def _adjacencies(parameters: HeterogeneousParameters, seed: int) -> Floats:
    """Return A ~ U(0, 1) with a zero diagonal, [G, n²]."""
    n = parameters.particles
    matrices = [generator(seed, 0, graph, Draw.ADJACENCY).random((n, n)) for graph in range(parameters.graphs)]
    adjacencies: Floats = np.stack(matrices) * (1 - np.eye(n))
    return adjacencies.reshape(len(matrices), n * n)


def decode_graphs(parameters: HeterogeneousParameters, seed: int, graphs: GraphSwarm) -> tuple[Dag, ...]:
    """Return the graph of each graph particle: decoded once, and kept in the state."""
    n = parameters.particles
    return tuple(
        decode(row.reshape(n, n), generator(seed, graphs.iteration, graph, Draw.DECODE), parameters.top_p)
        for graph, row in enumerate(graphs.positions)
    )


def keep_assigned_models(parameters: HeterogeneousParameters, seed: int, models: State) -> State:
    """Return the models; in the public code those that no assignment happens to use keep their last score."""
    if not parameters.reference:
        return models
    drawn_assignments = assignments(parameters, seed, models.iteration, models.to_evaluate)
    models_in_use = {model for assignment in drawn_assignments for model in assignment}
    return replace(models, to_evaluate=tuple(model in models_in_use for model in range(parameters.particles)))
