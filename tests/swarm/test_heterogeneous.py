import itertools
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from swarm.errors import EvaluationError, InputError
from swarm.heterogeneous import ask, stop_reason, tell_graphs, tell_models
from swarm.heterogeneous_parameters import HeterogeneousParameters
from swarm.heterogeneous_plan import best_system, graph_systems, model_systems, plan_trials
from swarm.heterogeneous_population import initialise
from swarm.recipes import Recipe, Space
from tests.swarm.heterogeneous_searching import arbitrary, constant, depth, first_expert, nodes, search, searching

SMALL = HeterogeneousParameters(particles=4, graphs=4, assignments=5)


def test_it_begins_with_the_experts_and_random_graphs_without_loops():
    state = initialise(SMALL, 7, 3)
    assert state.models.positions[:3].tolist() == np.eye(3).tolist()
    adjacencies = state.graphs.positions.reshape(4, 4, 4)
    assert not np.diagonal(adjacencies, axis1=1, axis2=2).any()
    off = adjacencies[:, ~np.eye(4, dtype=bool)]
    assert (off > 0).all() and (off < 1).all() and len(np.unique(off)) == off.size
    assert (state.iteration, state.told, state.best, state.best_dag, state.scored_on) == (0, False, None, None, None)


def test_adjacencies_keep_their_zero_diagonal_for_ever():
    for state in search(SMALL, arbitrary, 30):
        assert not np.diagonal(state.graphs.positions.reshape(4, 4, 4), axis1=1, axis2=2).any()


def test_one_expert_is_grown_to_models_that_are_alike_and_stay_so():
    for state in search(SMALL, arbitrary, 5, experts=1):
        assert state.models.positions.tolist() == [[1.0]] * 4
        assert not state.models.velocities.any()


def test_more_experts_than_models_are_refused():
    with pytest.raises(InputError, match=r"^particles: 4 models cannot hold 5 experts: give 5 or more$"):
        initialise(SMALL, 0, 5)
    with pytest.raises(InputError, match=r"^particles: 4 models cannot hold 0 experts"):
        initialise(SMALL, 0, 0)


def test_a_graph_is_evaluated_with_every_model_in_its_own_place():
    state = search(SMALL, arbitrary, 3)[-1]
    of = nodes(SMALL, 3)
    for graph, system in enumerate(graph_systems(state, of)):
        assert system.dag == state.dags[graph] and system.assignment == (0, 1, 2, 3)
        rows = state.models.positions.tolist()
        assert system.recipes == tuple(Recipe(("a", "b", "c"), tuple(row), Space.PRODUCT) for row in rows)


def test_models_are_scored_on_the_best_graph_ever():
    for state in search(SMALL, arbitrary, 20):
        found = [s.dags[i] for s in [state] for i in range(4)]
        assert state.scored_on == state.best_dag
        assert state.graphs.global_best.iteration < state.iteration or state.best_dag in found


def test_a_model_s_utility_is_the_mean_over_the_trials_that_use_it():
    for state in search(SMALL, arbitrary, 10):
        for model in range(4):
            uses = [t.utility for t in state.trials if t.models == "positions" for m in t.assignment if m == model]
            assert len(uses) == SMALL.assignments
            assert state.models.utilities[model] == pytest.approx(np.mean(uses), abs=1e-12)


def test_personal_bests_are_scored_again_when_and_only_when_the_graph_changes():
    states = search(SMALL, arbitrary, 40)
    changes = [after.scored_on != before.scored_on for before, after in pairwise(states)]
    assert 0 < sum(changes) < len(changes)
    for changed, (before, after) in zip(changes, pairwise(states), strict=True):
        again = [trial for trial in after.trials if trial.models == "personal_bests"]
        assert len(again) == (SMALL.assignments if changed else 0)
        for i in range(4):
            uses = [trial.utility for trial in again for m in trial.assignment if m == i]
            old = np.mean(uses) if changed else before.models.personal_best_utilities[i]
            now = after.models.utilities[i]
            assert after.models.personal_best_utilities[i] == pytest.approx(max(old, now), abs=1e-12)
            kept = after.models.personal_bests[i].tolist() == before.models.personal_bests[i].tolist()
            assert kept != (now > old)


def test_g_and_w_of_the_models_are_extremes_on_the_present_graph():
    scores: dict[str, list[float]] = {}
    for state in search(SMALL, arbitrary, 40):
        again = [t for t in state.trials if t.models == "personal_bests"]
        key = str(state.scored_on)
        if again:
            scores[key] = [np.mean([t.utility for t in again for m in t.assignment if m == i]) for i in range(4)]
        scores.setdefault(key, []).extend(state.models.utilities)
        assert state.models.global_best.utility == pytest.approx(max(scores[key]), abs=1e-12)
        assert state.models.global_worst.utility == pytest.approx(min(scores[key]), abs=1e-12)


def test_personal_bests_and_positions_meet_the_same_assignments():
    state = next(s for s in search(SMALL, arbitrary, 40) if any(t.models == "personal_bests" for t in s.trials))
    halves = [[t.assignment for t in state.trials if t.models == kind] for kind in ("personal_bests", "positions")]
    assert halves[0] == halves[1]


def test_the_best_system_is_the_first_of_all_that_were_evaluated_with_the_highest_utility():
    seen = []

    def remembered(system):
        seen.append((arbitrary(system), system, system.assignment))
        return seen[-1][0]

    for state in itertools.islice(searching(SMALL, remembered, 1, 3), 25):
        utility, system, assignment = max(seen, key=lambda one: one[0])
        assert state.best.utility == utility
        assert best_system(state, nodes(SMALL, 3)) == system and state.best.assignment == assignment


def test_graphs_and_models_never_share_their_draws():
    state = search(replace(SMALL, particles=4, graphs=4), arbitrary, 1)[-1]
    assert not set(state.graphs.draws.ravel().tolist()) & set(state.models.draws.ravel().tolist())


def test_it_finds_the_expert_that_a_utility_asks_for():
    states = search(HeterogeneousParameters(particles=4, graphs=3, assignments=8), first_expert, 40)
    assert states[0].best.utility < 0.8 < 0.95 < states[-1].best.utility


@pytest.mark.slow
def test_it_finds_the_graph_that_a_utility_asks_for():
    parameters = HeterogeneousParameters(particles=6, graphs=8, assignments=2)
    found = [search(parameters, depth, 25, seed=seed)[-1].best.utility for seed in range(5)]
    begun = [search(parameters, depth, 0, seed=seed)[-1].best.utility for seed in range(5)]
    assert np.mean(found) > np.mean(begun) and max(found) == 6


def test_it_stops_after_patience_iterations_without_a_better_system():
    parameters = replace(SMALL, patience=3)
    states = search(parameters, constant, 5)
    assert [state.stale for state in states] == [0, 1, 2, 3, 4, 5]
    assert [stop_reason(parameters, state) for state in states[:4]] == [None, None, None, "patience"]


def test_it_stops_at_the_last_iteration():
    parameters = replace(SMALL, max_iterations=2)
    assert [stop_reason(parameters, s) for s in search(parameters, arbitrary, 2)] == [None, None, "max_iterations"]


def test_what_is_dropped_is_not_evaluated_and_scores_nothing():
    parameters = replace(SMALL, drop_particle=0.5, drop_iteration=0.2)
    states = search(parameters, arbitrary, 40)
    assert any(not any(state.models.to_evaluate) for state in states)
    for state in states:
        used = {m for trial in state.trials if trial.models == "positions" for m in trial.assignment}
        assert used == set(np.flatnonzero(state.models.to_evaluate).tolist())
        assert [u is not None for u in state.models.utilities] == list(state.models.to_evaluate)
        assert [u is not None for u in state.graphs.utilities] == list(state.graphs.to_evaluate)
        again = {m for trial in state.trials if trial.models == "personal_bests" for m in trial.assignment}
        assert again in (set(), {0, 1, 2, 3})


def test_an_iteration_in_which_nothing_is_evaluated_is_not_counted_as_stale():
    states = search(replace(SMALL, drop_iteration=0.6), constant, 40)
    empty = [not any(s.graphs.to_evaluate) and not s.trials for s in states]
    assert sum(empty) > 3
    assert states[-1].stale == 40 - sum(empty)


def test_a_restarted_model_restarts_by_its_own_history():
    parameters = replace(SMALL, restart_patience=3, patience=50)
    for before, after in pairwise(search(parameters, arbitrary, 30)):
        for swarm, old in ((after.models, before.models), (after.graphs, before.graphs)):
            ages = [after.iteration - found >= 3 for found in old.personal_best_iterations]
            cooled = [last is None or after.iteration - last >= 3 for last in old.last_restarts]
            assert list(swarm.restarted) == [a and c for a, c in zip(ages, cooled, strict=True)]


def test_steps_out_of_order_are_refused():
    untold = initialise(SMALL, 1, 3)
    of = nodes(SMALL, 3)
    with pytest.raises(ValueError, match="graphs of iteration 0 were not told"):
        model_systems(SMALL, 1, untold, of)
    with pytest.raises(ValueError, match="graphs of iteration 0 were not told"):
        tell_models(SMALL, 1, untold, [0.5] * 5)
    with pytest.raises(ValueError, match="was not told"):
        ask(SMALL, 1, untold)
    graphs_told = tell_graphs(SMALL, untold, [0.5] * 4)
    assert stop_reason(SMALL, graphs_told) is None
    with pytest.raises(ValueError, match="was not told"):
        ask(SMALL, 1, graphs_told)
    with pytest.raises(ValueError, match="was told its utilities before"):
        tell_graphs(SMALL, graphs_told, [0.5] * 4)
    told = tell_models(SMALL, 1, graphs_told, [0.5] * 5)
    with pytest.raises(ValueError, match="was told its utilities before"):
        tell_models(SMALL, 1, told, [0.5] * 5)


@pytest.mark.parametrize("count", [3, 5])
def test_another_number_of_utilities_is_refused(count):
    with pytest.raises(ValueError, match="zip"):
        tell_graphs(SMALL, initialise(SMALL, 1, 3), [0.5] * count)
    graphs_told = tell_graphs(SMALL, initialise(SMALL, 1, 3), [0.5] * 4)
    with pytest.raises(ValueError, match="zip"):
        tell_models(SMALL, 1, graphs_told, [0.5] * (count + 1))


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_utility_that_is_not_finite_is_a_failed_evaluation(value):
    state = initialise(SMALL, 1, 3)
    with pytest.raises(EvaluationError):
        tell_graphs(SMALL, state, [0.5, value, 0.5, 0.5])
    graphs_told = tell_graphs(SMALL, state, [0.5] * 4)
    with pytest.raises(EvaluationError):
        tell_models(SMALL, 1, graphs_told, [value, *[0.5] * (len(plan_trials(SMALL, 1, graphs_told)) - 1)])
