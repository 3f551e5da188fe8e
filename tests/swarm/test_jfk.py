import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from swarm.jfk import assignments_with_replacement, jfk_scores, stratified_assignments


@given(st.data(), st.integers(2, 32), st.integers(2, 12), st.integers(0, 2**62), st.integers(0, 50))
def test_every_model_that_is_to_be_scored_is_used_equally_often(data, nodes, count, seed, iteration):
    models = sorted(data.draw(st.sets(st.integers(0, nodes - 1), min_size=1)))
    drawn = stratified_assignments(seed, iteration, models, nodes, count)
    uses = np.bincount([model for one in drawn for model in one], minlength=nodes)
    assert np.shape(drawn) == (count, nodes)
    assert set(np.flatnonzero(uses).tolist()) == set(models)
    assert np.ptp(uses[models]) <= (count * nodes % len(models) > 0)
    assert stratified_assignments(seed, iteration, models, nodes, count) == drawn


def test_assignments_tell_the_models_apart():
    """If each held every model once, every score would be the mean of all systems."""
    drawn = [one for seed in range(20) for one in stratified_assignments(seed, 0, range(4), 4, 4)]
    assert sum(len(set(one)) < 4 for one in drawn) / len(drawn) > 0.8


def test_assignments_differ_by_seed_and_iteration():
    drawn = [stratified_assignments(seed, iteration, range(5), 5, 4) for seed in (1, 2) for iteration in (0, 1)]
    assert len(set(drawn)) == 4


def test_no_models_need_no_assignments():
    assert stratified_assignments(1, 0, [], 4, 3) == ()


def test_the_public_codes_assignments_leave_models_out():
    """37 % of its draws of 3 assignments for 10 models never use some model."""
    drawn = [assignments_with_replacement(seed, 0, 10, 3) for seed in range(300)]
    left_out = [len({model for one in three for model in one}) < 10 for three in drawn]
    assert np.mean(left_out) == pytest.approx(0.37, abs=0.08)
    assert {model for three in drawn for one in three for model in one} == set(range(10))


def test_a_score_is_the_frequency_weighted_mean_of_the_systems_that_use_the_model():
    scores = jfk_scores([(0, 0, 1), (1, 1, 1), (0, 2, 2)], [0.9, 0.3, 0.6], 4)
    expected = ((2 * 0.9 + 0.6) / 3, (0.9 + 3 * 0.3) / 4, 0.6)
    assert scores[:3] == pytest.approx(expected, abs=1e-15)
    assert scores[3] is None


def test_without_assignments_nobody_has_a_score():
    assert jfk_scores([], [], 3) == (None, None, None)


assigned = st.integers(2, 6).flatmap(
    lambda n: st.lists(st.tuples(*[st.integers(0, n - 1)] * n), min_size=1, max_size=6).map(lambda rows: (n, rows))
)


@given(assigned, st.floats(-1e6, 1e6))
def test_systems_of_equal_utility_give_exactly_that_score(drawn, utility):
    models, rows = drawn
    assert set(jfk_scores(rows, [utility] * len(rows), models)) <= {utility, None}


@given(assigned, st.data())
def test_a_score_lies_between_the_systems_that_use_the_model(drawn, data):
    models, rows = drawn
    utilities = data.draw(st.lists(st.floats(-1e3, 1e3), min_size=len(rows), max_size=len(rows)))
    for model, score in enumerate(jfk_scores(rows, utilities, models)):
        of = [utility for row, utility in zip(rows, utilities, strict=True) if model in row]
        assert (score is None) == (not of)
        assert score is None or min(of) - 1e-9 <= score <= max(of) + 1e-9
