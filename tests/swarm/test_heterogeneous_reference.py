"""Every row of docs/algorithms.md §2 in which `reference` and the default differ."""

from itertools import pairwise

import numpy as np
import pytest

from swarm.errors import InputError
from swarm.heterogeneous import stop_reason
from swarm.heterogeneous_parameters import HeterogeneousParameters, with_heterogeneous_reference_defaults
from swarm.heterogeneous_plan import scoring_dag
from swarm.heterogeneous_population import initialise
from tests.swarm.heterogeneous_searching import arbitrary, nodes, search


def reference(**given):
    small = {"particles": 3, "graphs": 4, "assignments": 2, "reference": True}
    return HeterogeneousParameters(**with_heterogeneous_reference_defaults({**small, **given}))


def default(**given):
    return HeterogeneousParameters(**{"particles": 3, "graphs": 4, "assignments": 2, **given})


def test_its_defaults_are_the_public_codes():
    found = reference()
    assert (found.inertia, found.cognitive, found.social, found.repulsion) == (0.4, 0.3, 0.3, 0.3)
    assert (found.step_length, found.step_decay, found.patience, found.restart_patience) == (1.0, 1.0, 10, 5)
    assert (found.max_iterations, found.top_p) == (200, 0.0)


@pytest.mark.parametrize(
    "given", [{"top_p": 0.8}, {"step_decay": 0.95}, {"drop_iteration": 0.1}, {"drop_particle": 0.1}]
)
def test_what_the_public_code_never_applies_is_refused(given):
    name = next(iter(given))
    with pytest.raises(InputError, match=f"^{name}: must be [01] with reference, as in the public code, not"):
        reference(**given)


def test_decoding_takes_the_most_probable():
    adjacencies = initialise(reference(), 5, 3).graphs.positions.reshape(4, 3, 3)
    for adjacency, dag in zip(adjacencies, initialise(reference(), 5, 3).dags, strict=True):
        assert dag.end == int(np.argmin(adjacency.sum(axis=1)))


def test_the_step_length_never_decays():
    assert {state.models.step_length for state in search(reference(), arbitrary, 10)} == {1.0}
    assert {state.graphs.step_length for state in search(reference(), arbitrary, 10)} == {1.0}


def test_nothing_is_grown():
    with pytest.raises(InputError, match=r"^particles: must be the number of experts \(2\) with reference, not 3$"):
        initialise(reference(), 0, 2)


def test_a_model_that_is_not_drawn_keeps_its_last_score():
    states = search(reference(), arbitrary, 40)
    kept = 0
    for before, after in pairwise(states):
        used = {model for trial in after.trials for model in trial.assignment}
        assert after.models.to_evaluate == tuple(model in used for model in range(3))
        for model in set(range(3)) - used:
            assert after.models.utilities[model] == before.models.utilities[model]
            kept += 1
    assert kept > 0


def test_a_model_that_was_never_drawn_has_no_score_and_stops_nothing():
    seed = next(s for s in range(100) if not all(initialise(reference(), s, 3).models.to_evaluate))
    first, *later = search(reference(), arbitrary, 20, seed=seed)
    assert None in first.models.utilities
    assert None not in later[-1].models.utilities


def test_every_model_is_used_by_default():
    for state in search(default(), arbitrary, 40):
        assert {model for trial in state.trials for model in trial.assignment} == {0, 1, 2}


def test_models_are_scored_on_this_iterations_best_graph_and_never_again():
    states = search(reference(), arbitrary, 30)
    for state in states:
        assert scoring_dag(reference(), state) == state.dags[int(np.argmax(state.graphs.utilities))]
        assert state.scored_on == scoring_dag(reference(), state)
        assert all(trial.models == "positions" for trial in state.trials)
    assert any(state.scored_on != state.best_dag for state in states)
    ours = search(default(), arbitrary, 30)
    assert all(state.scored_on == state.best_dag for state in ours)


def test_patience_watches_the_graphs_alone_and_is_one_short():
    """A better assignment resets the default's count of stale iterations, not the public code's."""

    def better_assignments(system):
        """The graphs are all alike; every other assignment is better, the more so the later."""
        return 0.5 if system.assignment == (0, 1, 2) else 0.6 + 1e-3 * abs(system.recipes[0].coefficients[0])

    theirs = search(reference(patience=4), better_assignments, 6)
    assert [stop_reason(reference(patience=4), s) for s in theirs][:5] == [None, None, None, None, "patience"]
    assert all(state.graphs.stale == state.iteration for state in theirs)
    assert theirs[-1].best.step == "models"
    bests: list[float] = []
    for state in search(reference(patience=3), arbitrary, 30):
        bests.append(state.graphs.global_best.utility)
        code = len(bests) > 3 and len(set(bests[-3:])) == 1
        assert (stop_reason(reference(patience=3), state) == "patience") == code


@pytest.mark.parametrize("offset", [-1000.0, 0.0, 1000.0])
def test_no_utility_is_out_of_range(offset):
    """The public code begins with −1 and 101 as the best and the worst."""
    for parameters in (reference(), default()):
        shifted = search(parameters, lambda system: arbitrary(system) + offset, 5)
        plain = search(parameters, arbitrary, 5)
        for one, other in zip(shifted, plain, strict=True):
            assert one.graphs.global_best.utility == pytest.approx(other.graphs.global_best.utility + offset)
            assert one.dags == other.dags or offset


def test_the_output_is_the_best_system_ever_evaluated():
    seen = []

    def remembered(system):
        seen.append(arbitrary(system))
        return seen[-1]

    state = search(reference(), remembered, 15)[-1]
    assert state.best.utility == max(seen)
    assert nodes(reference(), 3).system(state.best.dag, state.best.assignment, state.best.coefficients) is not None
