import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from swarm.canonical import canonical_json
from swarm.parameters import Parameters
from swarm.population import initialise
from swarm.pso import ask, stop_reason, tell
from swarm.state import State
from tests.swarm.searching import masked

ITERATIONS = 50
coefficients = st.sampled_from([0.0, 0.05, 0.3, 1.0, 3.0])
parameter_sets = st.builds(
    Parameters,
    particles=st.integers(4, 7),
    inertia=coefficients,
    cognitive=coefficients,
    social=st.sampled_from([0.1, 0.4, 1.0]),
    repulsion=coefficients,
    step_length=st.sampled_from([0.5, 1.0, 3.0]),
    step_decay=st.floats(0.5, 1.0),
    patience=st.integers(1, 60),
    restart_patience=st.integers(1, 8),
    initial_velocity=st.sampled_from(["random", "best", "zero"]),
    crossover_limit=st.floats(0.1, 2.0),
    drop_iteration=st.sampled_from([0.0, 0.4]),
    drop_particle=st.sampled_from([0.0, 0.4]),
    reference=st.booleans(),
)
tables = st.tuples(st.integers(0, 2**32), st.sampled_from(["few values", "one value", "any", "huge"]))
searches = settings(max_examples=25)


def utility_table(table, particles):
    """Return arbitrary utilities [iterations + 1, N], with and without ties."""
    seed, kind = table
    values = np.random.default_rng(seed).normal(size=(ITERATIONS + 1, particles))
    made = {"few values": values.round(), "one value": values * 0, "any": values, "huge": values * 1e307}
    return made[kind].tolist()


def run(parameters, seed, experts, utilities, between=lambda state: state):
    states = []
    state = between(initialise(parameters, seed, experts))
    for iteration in range(ITERATIONS + 1):
        states.append(between(tell(parameters, state, masked(state, utilities[iteration]))))
        state = between(ask(parameters, seed, states[-1]))
    return states


@searches
@given(parameter_sets, st.integers(0, 2**62), st.integers(2, 4), tables)
def test_positions_sum_to_one_and_velocities_to_zero_for_ever(parameters, seed, experts, table):
    for state in run(parameters, seed, experts, utility_table(table, parameters.particles)):
        ones = [*state.positions, *state.personal_bests, state.global_best.coefficients]
        ones.append(state.global_worst.coefficients)
        for row, total in [(row, 1) for row in ones] + [(row, 0) for row in state.velocities]:
            assert np.isfinite(row).all() and row.shape == (experts,)
            assert abs(row.sum() - total) <= 1e-9 * max(1, np.abs(row).sum())


@searches
@given(parameter_sets, st.integers(0, 2**62), st.integers(2, 4), tables)
def test_bests_and_worst_are_the_first_extremes_of_all_that_was_evaluated(parameters, seed, experts, table):
    utilities = utility_table(table, parameters.particles)
    seen: list[tuple[int, int, float, list[float]]] = []
    for state in run(parameters, seed, experts, utilities):
        for i in np.flatnonzero(state.to_evaluate):
            seen.append((state.iteration, int(i), utilities[state.iteration][i], state.positions[i].tolist()))
        g, w = state.global_best, state.global_worst
        assert (g.iteration, g.particle, g.utility, g.coefficients.tolist()) == max(seen, key=lambda one: one[2])
        assert (w.iteration, w.particle, w.utility, w.coefficients.tolist()) == min(seen, key=lambda one: one[2])
        for i in range(parameters.particles):
            own = max((one for one in seen if one[1] == i), key=lambda one: one[2])
            p = state.personal_bests[i].tolist()
            assert (state.personal_best_iterations[i], i, state.personal_best_utilities[i], p) == own


@searches
@given(parameter_sets, st.integers(0, 2**62), tables)
def test_it_stops_when_patience_evaluated_iterations_brought_nothing_better(parameters, seed, table):
    parameters = replace(parameters, reference=False)
    states = run(parameters, seed, 3, utility_table(table, parameters.particles))
    for state in states:
        since = [s for s in states[state.global_best.iteration + 1 : state.iteration + 1] if any(s.to_evaluate)]
        expected = "patience" if len(since) >= parameters.patience else None
        if expected is None and state.iteration == parameters.max_iterations:
            expected = "max_iterations"
        assert stop_reason(parameters, state) == expected


@pytest.mark.slow
@searches
@given(parameter_sets, st.integers(0, 2**62), st.integers(2, 4), tables)
def test_a_search_cut_anywhere_and_replayed_from_its_json_has_the_same_bits(parameters, seed, experts, table):
    def through_json(state: State) -> State:
        read = State.from_json(json.loads(canonical_json(state.to_json())))
        assert canonical_json(read.to_json()) == canonical_json(state.to_json()) and read == state
        return read

    utilities = utility_table(table, parameters.particles)
    straight = run(parameters, seed, experts, utilities)
    cut = run(parameters, seed, experts, utilities, through_json)
    assert [state.sha256 for state in cut] == [state.sha256 for state in straight]
    for mine, theirs in zip(straight, cut, strict=True):
        assert mine.positions.tobytes() == theirs.positions.tobytes()
        assert mine.velocities.tobytes() == theirs.velocities.tobytes()
