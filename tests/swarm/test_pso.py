from dataclasses import replace

import numpy as np
import pytest

from swarm.arrays import read_only
from swarm.errors import EvaluationError, InputError
from swarm.parameters import Parameters
from swarm.population import initialise
from swarm.pso import ask, stop_reason, tell
from tests.swarm.searching import constant, near, rising, search

SMALL = Parameters(particles=4)


def told(utilities, parameters=SMALL):
    return tell(parameters, initialise(parameters, 1, 3), utilities)


def test_one_move_is_the_formula_of_the_paper():
    before = told([0.1, 0.4, 0.3, 0.2])
    after = ask(SMALL, 1, before)
    g, w = np.eye(3)[1], np.eye(3)[0]
    for i, (r_v, r_p, r_g, r_w) in enumerate(after.draws):
        x, v, p = before.positions[i], before.velocities[i], before.personal_bests[i]
        C = r_v * 0.2 + r_p * 0.3 + r_g * 0.4 + r_w * 0.05
        new_v = (r_v * 0.2 * v + r_p * 0.3 * (p - x) + r_g * 0.4 * (g - x) + r_w * 0.05 * (x - w)) / C
        assert after.velocities[i] == pytest.approx(new_v, abs=1e-14)
        assert after.positions[i] == pytest.approx(x + 0.8 * new_v, abs=1e-14)
    assert (after.iteration, after.told, after.utilities) == (1, False, (None,) * 4)
    assert after.global_best is before.global_best and after.global_worst is before.global_worst


def test_the_step_length_decays_after_each_move_down_to_its_minimum():
    parameters = Parameters(particles=3, step_length=1.0, step_decay=0.5, min_step_length=0.2)
    states = search(parameters, constant, 5)
    assert [state.step_length for state in states] == [1.0, 1.0, 0.5, 0.25, 0.2, 0.2]


def test_every_particle_is_moved_by_its_own_draws_of_every_iteration():
    draws = np.concatenate([state.draws for state in search(SMALL, constant, 5)[1:]])
    assert np.unique(draws).size == draws.size == 5 * 4 * 4
    assert draws.min() > 0 and draws.max() <= 1


def test_the_best_and_the_worst_are_the_first_of_equals():
    state = told([0.2, 0.9, 0.9, 0.2])
    assert (state.global_best.particle, state.global_best.utility) == (1, 0.9)
    assert (state.global_worst.particle, state.global_worst.utility) == (0, 0.2)
    assert state.personal_best_utilities == (0.2, 0.9, 0.9, 0.2)
    again = tell(SMALL, ask(SMALL, 1, state), [0.9, 0.9, 0.2, 0.2])
    assert again.global_best is state.global_best and again.global_worst is state.global_worst
    assert again.personal_best_iterations == (1, 0, 0, 0)
    assert again.personal_bests[0].tolist() == again.positions[0].tolist()


def test_a_better_and_a_worse_particle_replace_the_extremes():
    moved = ask(SMALL, 1, told([0.2, 0.9, 0.9, 0.3]))
    state = tell(SMALL, moved, [0.1, 0.5, 1.0, 0.3])
    assert (state.global_best.particle, state.global_best.utility, state.global_best.iteration) == (2, 1.0, 1)
    assert (state.global_worst.particle, state.global_worst.utility, state.global_worst.iteration) == (0, 0.1, 1)
    assert state.global_best.coefficients.tolist() == moved.positions[2].tolist()
    assert state.stale == 0


def test_a_search_finds_a_maximum_between_the_experts():
    target = np.array([0.2, 0.5, 0.3])
    for seed in range(10):
        states = search(Parameters(), near(target), 50, seed)
        assert max(states[0].utilities[:3]) == pytest.approx(-0.38)  # the best expert's
        assert states[-1].global_best.utility > -0.01


def test_a_restart_moves_from_the_personal_best_and_from_rest():
    parameters = Parameters(particles=4, restart_patience=2)
    states = search(parameters, constant, 2)
    before, after = states[1], states[2]
    assert (before.restarted, after.restarted) == ((False,) * 4, (True,) * 4)
    assert after.last_restarts == (2,) * 4
    p, g, w = before.personal_bests, before.global_best.coefficients, before.global_worst.coefficients
    r = after.draws[:, :, None]
    C = r[:, 0] * 0.2 + r[:, 1] * 0.3 + r[:, 2] * 0.4 + r[:, 3] * 0.05
    v = (r[:, 2] * 0.4 * (g - p) + r[:, 3] * 0.05 * (p - w)) / C
    assert after.velocities == pytest.approx(v, abs=1e-14)
    assert after.positions == pytest.approx(p + after.step_length * v, abs=1e-14)


def test_a_restart_waits_for_the_cooldown():
    states = search(Parameters(particles=3, restart_patience=3), constant, 10)
    assert [state.iteration for state in states if any(state.restarted)] == [3, 6, 9]


def test_a_particle_that_improves_does_not_restart():

    def only_the_first(state):
        return [float(state.iteration), 0.0, 0.0]

    states = search(Parameters(particles=3, restart_patience=3), only_the_first, 10)
    assert [state.restarted for state in states[3::3]] == [(False, True, True)] * 3


def test_the_search_stops_after_exactly_patience_iterations_without_improvement():
    parameters = Parameters(particles=3, patience=4)

    def until_two(state):
        return [min(state.iteration, 2) / 2] * 3

    reasons = [stop_reason(parameters, state) for state in search(parameters, until_two, 6)]
    assert reasons == [None] * 6 + ["patience"]


def test_the_search_stops_at_max_iterations():
    parameters = Parameters(particles=3, max_iterations=4)
    reasons = [stop_reason(parameters, state) for state in search(parameters, rising, 4)]
    assert reasons == [None] * 4 + ["max_iterations"]


def test_an_iteration_that_waits_for_its_utilities_does_not_stop_the_search():
    parameters = Parameters(particles=3, max_iterations=1, patience=1)
    states = search(parameters, constant, 1)
    assert stop_reason(parameters, ask(parameters, 1, states[0])) is None
    assert stop_reason(parameters, states[1]) == "patience"


def test_skipped_particles_are_gaps_that_never_become_a_best():
    parameters = Parameters(particles=6, drop_particle=0.5, restart_patience=100)
    states = search(parameters, rising, 20)
    masks = np.array([state.to_evaluate for state in states])
    assert masks[0].all() and 0.3 < masks[1:].mean() < 0.7
    for state in states:
        assert tuple(utility is not None for utility in state.utilities) == state.to_evaluate
        latest = [max(t for t in range(state.iteration + 1) if masks[t, i]) for i in range(6)]
        assert state.personal_best_iterations == tuple(latest)
    gaps = [state for state in states if not all(state.to_evaluate)]
    assert all(state.positions[i].any() for state in gaps for i in range(6))


def test_a_skipped_iteration_does_not_count_towards_patience():
    parameters = Parameters(particles=3, drop_iteration=0.6)
    states = search(parameters, constant, 30)
    evaluated = [any(state.to_evaluate) for state in states]
    assert all(len(set(state.to_evaluate)) == 1 for state in states) and 5 < sum(evaluated) < 25
    assert [state.stale for state in states] == (np.cumsum(evaluated) - 1).tolist()


def test_skipping_changes_no_other_draw():
    with_drops = search(Parameters(particles=5, drop_iteration=0.3, drop_particle=0.3), constant, 5)
    without = search(Parameters(particles=5), constant, 5)
    assert [s.positions.tolist() for s in with_drops] == [s.positions.tolist() for s in without]


@pytest.mark.parametrize("utility", [float("nan"), float("inf"), -float("inf")])
def test_a_utility_that_is_not_finite_is_a_failed_evaluation(utility):
    with pytest.raises(EvaluationError, match=r"^particle 2 of iteration 0 has the utility -?(nan|inf)$"):
        told([0.1, 0.2, utility, 0.3])


def test_missing_superfluous_and_repeated_utilities_are_refused():
    with pytest.raises(ValueError, match=r"^3 utilities for 4 particles$"):
        told([0.1, 0.2, 0.3])
    with pytest.raises(ValueError, match=r"^particle 1 of iteration 0 is to be evaluated but has no utility$"):
        told([0.1, None, 0.3, 0.4])
    with pytest.raises(ValueError, match=r"^iteration 0 was told its utilities before$"):
        tell(SMALL, told([0.1, 0.2, 0.3, 0.4]), [0.1, 0.2, 0.3, 0.4])
    skipped = replace(ask(SMALL, 1, told([0.1, 0.2, 0.3, 0.4])), to_evaluate=(False, True, True, True))
    with pytest.raises(ValueError, match=r"^particle 0 of iteration 1 is skipped but has a utility$"):
        tell(SMALL, skipped, [0.1, 0.2, 0.3, 0.4])


def test_an_iteration_is_not_left_before_it_was_told():
    with pytest.raises(ValueError, match=r"^iteration 0 was not told its utilities$"):
        ask(SMALL, 1, initialise(SMALL, 1, 3))


def test_a_diverging_search_is_refused_with_what_to_change():
    parameters = Parameters(particles=3, step_length=1e40, step_decay=1, inertia=0, cognitive=0, social=0)
    with pytest.raises(InputError, match=r"^step_length: positions diverged at iteration \d: lower step_length or"):
        search(parameters, rising, 50)


def test_a_state_cannot_be_changed():
    state = told([0.1, 0.2, 0.3, 0.4])
    for array in (state.positions, state.velocities, state.personal_bests, state.global_best.coefficients):
        with pytest.raises(ValueError, match=r"read-only"):
            array[0] = 1.0


def test_a_state_that_breaks_an_invariant_cannot_be_made():
    state = told([0.1, 0.2, 0.3, 0.4])
    with pytest.raises(ValueError, match=r"a row of positions misses its sum of 1\.0 by 1\.0e-08 at iteration 0"):
        replace(state, positions=read_only(state.positions + [[1e-8, 0, 0]] + 0.0))
    with pytest.raises(ValueError, match=r"a row of velocities misses its sum of 0\.0"):
        replace(state, velocities=read_only(state.positions))
    with pytest.raises(ValueError, match=r"personal_bests has the shape \(3, 3\) instead of \(4, 3\)"):
        replace(state, personal_bests=read_only(np.eye(3)))
    with pytest.raises(ValueError, match=r"global_worst has the shape \(1, 2\) instead of \(1, 3\)"):
        replace(state, global_worst=replace(state.global_worst, coefficients=read_only([0, 1])))
    with pytest.raises(ValueError, match=r"utilities has 3 entries for 4 particles"):
        replace(state, utilities=(0.1, 0.2, 0.3))


def test_parameters_of_another_population_are_refused():
    state = told([0.1, 0.2, 0.3, 0.4])
    with pytest.raises(ValueError, match=r"zip"):
        ask(Parameters(particles=5), 1, state)


def test_utilities_of_whole_numbers_are_kept_as_floats():
    state = told([1, 0, 1, 0])
    assert [repr(utility) for utility in state.utilities] == ["1.0", "0.0", "1.0", "0.0"]


def test_velocities_sum_to_zero_when_a_swarm_settles_far_away():
    """There p − x is a small difference of large numbers, so that their rounding would show in its sum."""
    steps = {"step_length": 1e10, "step_decay": 1e-10, "min_step_length": 1.0}
    parameters = Parameters(particles=5, cognitive=0.0, repulsion=0.0, restart_patience=100, **steps)

    def best_in_one(state):
        return [float(state.iteration == 1)] * 5

    end = search(parameters, best_in_one, 60)[-1]
    assert np.abs(end.global_best.coefficients).max() > 1e8
    assert np.abs(end.velocities).max() < 100
    assert np.abs(end.velocities.sum(axis=1)).max() < 1e-14 * np.abs(end.velocities).max()
