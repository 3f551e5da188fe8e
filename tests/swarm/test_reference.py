"""Every row of docs/algorithms.md §1 in which the public code and the default differ."""

import itertools
from dataclasses import replace

import numpy as np
import pytest

from swarm.parameters import Parameters, with_reference_defaults
from swarm.population import initialise
from swarm.pso import stop_reason
from tests.swarm.searching import constant, rising, search

REFERENCE = Parameters(**with_reference_defaults({"reference": True}))


def test_crossover_extrapolates_half_of_the_time_and_children_become_parents():
    children = np.vstack([initialise(REFERENCE, seed, 3).positions[3:] for seed in range(40)])
    first = np.vstack([initialise(replace(REFERENCE, particles=4), seed, 3).positions[3:] for seed in range(400)])
    assert (np.count_nonzero(first, axis=1) == 2).all()
    assert (first.min(axis=1) < 0).mean() == pytest.approx(0.5, abs=0.07)
    assert first.min() >= -1 and first.max() <= 2
    assert (np.count_nonzero(children, axis=1) == 3).mean() > 0.5


def test_randomness_is_the_same():
    ours = search(Parameters(particles=5), constant, 4)
    reference = search(Parameters(particles=5, reference=True), constant, 4)
    for mine, theirs in zip(ours[1:], reference[1:], strict=True):
        assert mine.draws.tolist() == theirs.draws.tolist()


@pytest.mark.parametrize(("reference", "restarts"), [(False, [5, 10]), (True, [5, 6, 7, 8, 9, 10, 11, 12])])
def test_a_stagnant_particle_restarts_with_a_cooldown_or_in_every_iteration(reference, restarts):
    parameters = Parameters(particles=3, restart_patience=5, reference=reference)
    assert [state.iteration for state in search(parameters, constant, 12) if all(state.restarted)] == restarts


def stopped_at(parameters, utility, iterations=40):
    states = search(parameters, utility, iterations)
    return next(state.iteration for state in states if stop_reason(parameters, state) == "patience")


@pytest.mark.parametrize(
    ("reference", "never_better", "better_in_two"), [(False, 4, 6), (True, 4, 5)], ids=["default", "reference"]
)
def test_patience_is_exact_or_one_short(reference, never_better, better_in_two):
    parameters = Parameters(particles=3, patience=4, reference=reference)

    def until_two(state):
        return [min(state.iteration, 2) / 2] * 3

    assert stopped_at(parameters, constant) == never_better
    assert stopped_at(parameters, until_two) == better_in_two


@pytest.mark.parametrize("patience", [1, 2, 3, 5, 8])
@pytest.mark.parametrize("last_improvement", range(9))
def test_the_public_codes_patience_is_reproduced(patience, last_improvement):
    """Against the public code's own rule: the last `patience` entries of a longer history are all equal."""
    parameters = Parameters(particles=3, patience=patience, reference=True)

    def utility(state):
        return [min(state.iteration, last_improvement) / 10] * 3

    bests: list[float] = []
    for state in search(parameters, utility, 20):
        bests.append(state.global_best.utility)
        theirs = len(bests) > patience and len(set(bests[-patience:])) == 1
        assert (stop_reason(parameters, state) == "patience") == theirs


def test_dropped_iterations_count_towards_patience_only_in_the_public_code():
    for reference in (False, True):
        states = search(Parameters(particles=3, drop_iteration=0.5, reference=reference), constant, 20)
        dropped = sum(not any(state.to_evaluate) for state in states)
        assert dropped > 3
        assert states[-1].stale == (20 if reference else 20 - dropped)


def test_a_skipped_particle_keeps_its_old_score_only_in_the_public_code():
    for reference in (False, True):
        states = search(Parameters(particles=5, drop_particle=0.5, reference=reference), rising, 10)
        for before, after in itertools.pairwise(states):
            skipped = [i for i in range(5) if not after.to_evaluate[i]]
            expected = [before.utilities[i] if reference else None for i in skipped]
            assert [after.utilities[i] for i in skipped] == expected
            assert all(after.personal_best_iterations[i] < after.iteration for i in skipped)
