"""Heterogeneous Swarms: searching for a system's graph and its models together (arXiv 2502.04510, Algorithm 3).

https://arxiv.org/abs/2502.04510; exact definitions and the public code's differences in docs/algorithms.md §2.

    state = swarm.heterogeneous_population.initialise(parameters, seed, n_experts)
    while True:
        state = tell_graphs(state, utilities of graph_systems(state, nodes))
        state = tell_models(parameters, seed, state, utilities of model_systems(parameters, seed, state, nodes))
        if stop_reason(parameters, state):
            break
        state = ask(parameters, seed, state)
"""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import numpy as np

from swarm import pso
from swarm.arrays import Floats, read_only
from swarm.bests import global_best, global_worst
from swarm.errors import EvaluationError
from swarm.graphs import Dag
from swarm.heterogeneous_parameters import HeterogeneousParameters
from swarm.heterogeneous_plan import plan_trials, rows, scoring_dag
from swarm.heterogeneous_population import decode_graphs, graph_seed, keep_assigned_models
from swarm.heterogeneous_state import BestSystem, HeterogeneousState, ModelRows, Trial
from swarm.jfk import Assignment, jfk_scores
from swarm.state import State

ScoredSystem = tuple[float, Dag, Assignment, Floats]
"""A system that was evaluated: utility, graph, assignment, coefficients [n, m] by node."""


def ask(parameters: HeterogeneousParameters, seed: int, state: HeterogeneousState) -> HeterogeneousState:
    """Return the next iteration: both swarms moved, graphs decoded, nothing evaluated.

    Raises:
        InputError: the search diverged beyond what float64 holds.
        ValueError: the utilities of `state` were not told.

    """
    graphs = pso.ask(parameters.of_graphs(), graph_seed(seed), state.graphs)
    models = keep_assigned_models(parameters, seed, pso.ask(parameters.of_models(), seed, state.models))
    utilities = [None if now else last for now, last in zip(models.to_evaluate, state.models.utilities, strict=True)]
    return replace(
        state,
        graphs=graphs,
        dags=decode_graphs(parameters, seed, graphs),
        models=replace(models, utilities=tuple(utilities)) if parameters.reference else models,
        trials=(),
    )


def tell_graphs(
    parameters: HeterogeneousParameters, state: HeterogeneousState, utilities: Sequence[float]
) -> HeterogeneousState:
    """Return this iteration with the utilities of its `graph_systems`, in their order.

    Raises:
        EvaluationError: a utility is not finite.
        ValueError: the graphs were told before, or the number of utilities is another.

    """
    graph_indices = np.flatnonzero(state.graphs.to_evaluate).tolist()
    utility_of = dict(zip(graph_indices, utilities, strict=True))
    graphs = pso.tell(parameters.of_graphs(), state.graphs, [utility_of.get(i) for i in range(parameters.graphs)])
    best = graphs.global_best
    better = best is not None and best is not state.graphs.global_best
    own, positions = tuple(range(parameters.particles)), state.models.positions
    candidates = [(utility_of[i], state.dags[i], own, positions) for i in graph_indices]
    return replace(
        state,
        graphs=graphs,
        best_dag=state.dags[best.particle] if best is not None and better else state.best_dag,
        best=_best(state, candidates, "graphs"),
    )


def tell_models(
    parameters: HeterogeneousParameters, seed: int, state: HeterogeneousState, utilities: Sequence[float]
) -> HeterogeneousState:
    """Return this iteration with the utilities of its `model_systems`, in their order; it is complete then.

    Raises:
        EvaluationError: a utility is not finite.
        ValueError: the models were told before, the graphs were not, or the number of utilities is another.

    """
    dag, planned_trials = scoring_dag(parameters, state), plan_trials(parameters, seed, state)
    if not all(map(math.isfinite, utilities)):
        raise EvaluationError(f"a system of iteration {state.iteration} has a utility of {list(utilities)}")
    trials = tuple(
        Trial(*trial, float(utility) + 0.0) for trial, utility in zip(planned_trials, utilities, strict=True)
    )
    models = (
        _rescore_personal_bests(state, trials)
        if any(trial.models == "personal_bests" for trial in trials)
        else state.models
    )
    models = pso.tell(parameters.of_models(), models, _scores(trials, "positions", state.models.to_evaluate))
    candidates = [
        (trial.utility, dag, trial.assignment, rows(state, trial.models)[list(trial.assignment)]) for trial in trials
    ]
    best = _best(state, candidates, "models")
    better = best is not None and best.iteration == state.iteration
    was_evaluated = any(state.graphs.to_evaluate) or bool(trials)
    return replace(
        state,
        models=models,
        scored_on=dag if trials else state.scored_on,
        trials=trials,
        best=best,
        stale=0 if better else state.stale + was_evaluated,
    )


def _scores(trials: Sequence[Trial], models: ModelRows, to_evaluate: Sequence[bool]) -> tuple[float | None, ...]:
    chosen_trials = [trial for trial in trials if trial.models == models]
    return jfk_scores(
        [trial.assignment for trial in chosen_trials], [trial.utility for trial in chosen_trials], len(to_evaluate)
    )


def _rescore_personal_bests(state: HeterogeneousState, trials: Sequence[Trial]) -> State:
    """Return the models with their personal bests scored on the new graph, and g and w the best and worst of those.

    Scores on different graphs can't be compared; the old w, which is nobody's personal best, is forgotten.
    """
    models = state.models
    scores = _scores(trials, "personal_bests", models.to_evaluate)
    utilities = [(i, score) for i, score in enumerate(scores) if score is not None]
    at_bests = replace(models, positions=models.personal_bests, global_best=None, global_worst=None)
    best, worst = (
        replace(extreme, iteration=models.personal_best_iterations[extreme.particle])
        for extreme in (global_best(at_bests, utilities), global_worst(at_bests, utilities))
        if extreme is not None
    )
    return replace(models, personal_best_utilities=scores, global_best=best, global_worst=worst)


def _best(
    state: HeterogeneousState, candidates: Sequence[ScoredSystem], step: Literal["graphs", "models"]
) -> BestSystem | None:
    """Return the best system ever evaluated; the first wins ties."""
    now = max(candidates, key=lambda system: system[0], default=None)
    if now is None or (state.best is not None and now[0] <= state.best.utility):
        return state.best
    utility, dag, assignment, coefficients = now
    return BestSystem(dag, assignment, read_only(coefficients), float(utility) + 0.0, state.iteration, step)


def stop_reason(parameters: HeterogeneousParameters, state: HeterogeneousState) -> str | None:
    """Return why the search is over (`patience` or `max_iterations`), or None: it goes on, or waits to be told.

    The public code watches the graphs' global best alone, and stops one stale iteration early.
    """
    if not state.told:
        return None
    if parameters.reference:
        return pso.stop_reason(replace(parameters.of_graphs(), reference=True), state.graphs)
    if state.stale >= parameters.patience:
        return "patience"
    return "max_iterations" if state.iteration >= parameters.max_iterations else None
