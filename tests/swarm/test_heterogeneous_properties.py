import itertools
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from swarm.canonical import canonical_json
from swarm.heterogeneous_parameters import HeterogeneousParameters, with_heterogeneous_reference_defaults
from swarm.heterogeneous_state import HeterogeneousState
from tests.swarm.heterogeneous_searching import arbitrary, coarse, search, search_through

ITERATIONS = 12
weights = st.sampled_from([0.0, 0.05, 0.3, 1.0])
sizes = {"particles": st.integers(3, 6), "graphs": st.integers(2, 5), "assignments": st.integers(2, 4)}
moves = {"inertia": weights, "cognitive": weights, "social": st.sampled_from([0.1, 1.0]), "repulsion": weights}
ours = st.builds(
    HeterogeneousParameters,
    **sizes,
    **moves,
    top_p=st.sampled_from([0.0, 0.8, 1.0]),
    step_length=st.sampled_from([0.5, 2.0]),
    restart_patience=st.integers(1, 4),
    initial_velocity=st.sampled_from(["random", "best", "zero"]),
    drop_iteration=st.sampled_from([0.0, 0.4]),
    drop_particle=st.sampled_from([0.0, 0.4]),
)
theirs = st.fixed_dictionaries({"graphs": sizes["graphs"], "assignments": sizes["assignments"], **moves}).map(
    lambda given: HeterogeneousParameters(
        **with_heterogeneous_reference_defaults({"particles": 3, "reference": True, **given})
    )
)
searches = settings(max_examples=12)
seeds = st.integers(0, 2**62)
utilities = st.sampled_from([arbitrary, coarse])


def through_json(state: HeterogeneousState) -> HeterogeneousState:
    read = HeterogeneousState.from_json(json.loads(canonical_json(state.to_json())))
    assert canonical_json(read.to_json()) == canonical_json(state.to_json()) and read == state
    assert hash(read) == hash(state)
    return read


@pytest.mark.slow
@searches
@given(st.one_of(ours, theirs), seeds, utilities)
def test_a_search_cut_anywhere_and_replayed_from_its_json_has_the_same_bits(parameters, seed, utility):
    straight = search(parameters, utility, ITERATIONS, seed)
    cut = search_through(through_json, parameters, utility, ITERATIONS, seed)
    assert [state.sha256 for state in cut] == [state.sha256 for state in straight]
    for mine, other in zip(straight, cut, strict=True):
        for one, two in ((mine.graphs, other.graphs), (mine.models, other.models)):
            assert one.positions.tobytes() == two.positions.tobytes()
            assert one.velocities.tobytes() == two.velocities.tobytes()


@searches
@given(st.one_of(ours, theirs), seeds, utilities)
def test_models_sum_to_one_and_everything_is_finite_for_ever(parameters, seed, utility):
    for state in search(parameters, utility, ITERATIONS, seed):
        g, w = state.models.global_best.coefficients, state.models.global_worst.coefficients
        for row in [*state.models.positions, *state.models.personal_bests, g, w, *state.best.coefficients]:
            assert np.isfinite(row).all() and abs(row.sum() - 1) <= 1e-9 * max(1, np.abs(row).sum())
        assert np.abs(state.models.velocities.sum(axis=1)).max() < 1e-6
        assert np.isfinite(state.graphs.positions).all() and np.isfinite(state.graphs.velocities).all()


@searches
@given(ours, seeds, utilities)
def test_no_best_ever_gets_worse_but_by_being_scored_again(parameters, seed, utility):
    states = search(parameters, utility, ITERATIONS, seed)
    for before, after in itertools.pairwise(states):
        assert after.best.utility >= before.best.utility
        assert after.graphs.global_best.utility >= before.graphs.global_best.utility
        if after.scored_on == before.scored_on:
            assert after.models.global_best.utility >= before.models.global_best.utility
            assert after.models.global_worst.utility <= before.models.global_worst.utility
        bests = zip(after.models.personal_best_utilities, after.models.utilities, strict=True)
        assert all(now is None or best >= now for best, now in bests)
        assert max(after.models.personal_best_utilities) == after.models.global_best.utility
