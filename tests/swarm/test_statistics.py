import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from swarm.draws import Draw, generator
from swarm.statistics import (
    bootstrap_interval,
    correctness_emergence,
    initial_rank,
    paired_bootstrap_p_value,
)

scores = st.lists(st.sampled_from([0.0, 0.3, 0.5, 1.0]), min_size=1, max_size=12)
quick = settings(max_examples=25)


def only(utilities):
    """The utility of an objective with one task."""
    return utilities[0]


def draws(purpose=Draw.BOOTSTRAP, seed=1):
    return generator(seed, 0, 0, purpose)


@quick
@given(scores)
def test_the_interval_is_that_of_a_loop_over_resamples(values):
    same, means = draws(), []
    for _ in range(300):
        picked = same.integers(len(values), size=len(values), dtype=np.int32)
        means.append(sum(values[index] for index in picked) / len(values))
    interval = bootstrap_interval([values], draws(), only, resamples=300, confidence=0.9)
    assert interval.mean == pytest.approx(math.fsum(values) / len(values))
    assert (interval.low, interval.high) == pytest.approx(tuple(np.percentile(means, [5, 95])))


@quick
@given(scores, st.randoms(use_true_random=False))
def test_the_p_value_is_that_of_a_loop_over_resamples(first, random):
    second = [random.choice([0.0, 0.3, 0.5, 1.0]) for _ in first]
    differences = [b - a for a, b in zip(first, second, strict=True)]
    observed, same, extreme = math.fsum(differences), draws(Draw.PAIRED_TEST), 0
    for _ in range(300):
        picked = same.integers(len(first), size=len(first), dtype=np.int32)
        stray = math.fsum(differences[index] for index in picked) - observed
        extreme += abs(stray) >= abs(observed) - 1e-9
    p_value = paired_bootstrap_p_value([first], [second], draws(Draw.PAIRED_TEST), only, resamples=300)
    assert p_value == (extreme + 1) / 301


def test_the_interval_of_many_binary_scores_is_the_normal_one():
    values = [1.0] * 300 + [0.0] * 700
    interval = bootstrap_interval([values], draws(), only)
    half = 1.96 * math.sqrt(0.3 * 0.7 / 1000)
    assert interval.mean == 0.3
    assert (interval.low, interval.high) == pytest.approx((0.3 - half, 0.3 + half), abs=0.002)


def test_the_p_value_of_many_paired_scores_is_the_normal_one():
    first = [0.0] * 60 + [1.0] * 40 + [1.0] * 400
    second = [1.0] * 60 + [0.0] * 40 + [1.0] * 400
    z = 20 / math.sqrt(100 - 20**2 / 500)
    expected = math.erfc(z / math.sqrt(2))
    assert paired_bootstrap_p_value([first], [second], draws(), only) == pytest.approx(expected, abs=0.012)


def test_the_p_value_has_two_sides_and_is_one_without_a_difference():
    first, second = [0.0, 1.0, 0.0, 0.0, 1.0], [1.0, 1.0, 1.0, 0.0, 0.0]
    assert paired_bootstrap_p_value([first], [second], draws(), only) == paired_bootstrap_p_value(
        [second], [first], draws(), only
    )
    assert paired_bootstrap_p_value([first], [first], draws(), only) == 1.0
    assert paired_bootstrap_p_value([[0.1] * 7], [[0.3] * 7], draws(), only, resamples=99) == 0.01


def test_statistics_are_seeded():
    values = np.random.default_rng(3).random(50)
    assert bootstrap_interval([values], draws(), only) == bootstrap_interval([values], draws(), only)
    assert bootstrap_interval([values], draws(), only) != bootstrap_interval([values], draws(seed=2), only)


def test_the_interval_of_equal_scores_is_a_point():
    interval = bootstrap_interval([[0.5]], draws(), only, resamples=10)
    assert (interval.mean, interval.low, interval.high) == (0.5, 0.5, 0.5)


@pytest.mark.parametrize("bad", [[], [[0.5]], [0.5, math.nan], [math.inf]])
def test_what_is_no_list_of_finite_scores_is_refused(bad):
    with pytest.raises(ValueError, match=r"scores must be a list|is not finite"):
        bootstrap_interval([bad], draws(), only)
    with pytest.raises(ValueError, match=r"scores must be a list|is not finite"):
        paired_bootstrap_p_value([bad], [bad], draws(), only)


def test_scores_of_different_examples_cannot_be_paired():
    with pytest.raises(ValueError, match=r"^a paired test needs the same examples, not \[1\] and \[2\] scores$"):
        paired_bootstrap_p_value([[0.5]], [[0.5, 0.5]], draws(), only)


def test_emergence_is_the_share_solved_of_what_no_expert_solved():
    experts = [[1, 0, 0, 0, 0.9], [0, 1, 0, 0, 0]]
    assert correctness_emergence(experts, [0, 0, 1, 0, 1]) == pytest.approx(2 / 3)
    assert correctness_emergence(experts, [1, 1, 0, 0, 0.9]) == 0.0
    assert correctness_emergence(experts, [0, 0, 1, 0, 0], least_solved_score=0.5) == 0.5


def test_emergence_is_unknown_where_the_experts_solved_everything():
    assert correctness_emergence([[1, 0], [0, 1]], [1, 1]) is None


def test_emergence_of_other_examples_is_refused():
    with pytest.raises(ValueError, match=r"^the experts have 2 examples but the final one 1$"):
        correctness_emergence([[1, 0]], [1])


def test_the_initial_rank_counts_from_one_and_the_lower_index_wins_ties():
    utilities = [0.5, 0.9, 0.5, 0.1]
    assert [initial_rank(utilities, particle) for particle in range(4)] == [2, 1, 3, 4]


def harmonic_mean(utilities):
    return 0.0 if min(utilities) == 0 else len(utilities) / sum(1 / utility for utility in utilities)


@quick
@given(st.lists(scores, min_size=2, max_size=3))
def test_several_tasks_are_resampled_each_within_itself(tasks):
    same, columns = draws(), []
    for values in tasks:
        picked = same.integers(len(values), size=(40, len(values)), dtype=np.int32)
        columns.append([math.fsum(values[index] for index in row) / len(values) for row in picked])
    wanted = [harmonic_mean(means) for means in zip(*columns, strict=True)]
    interval = bootstrap_interval(tasks, draws(), harmonic_mean, resamples=40)
    assert (interval.low, interval.high) == pytest.approx(tuple(np.percentile(wanted, [2.5, 97.5])))


def test_the_paired_test_of_a_harmonic_mean_sees_the_weaker_task():
    strong, weak, better = [1.0] * 50, [1.0] * 5 + [0.0] * 45, [1.0] * 15 + [0.0] * 35
    assert paired_bootstrap_p_value([strong, weak], [strong, better], draws(), harmonic_mean) < 0.05
    assert paired_bootstrap_p_value([weak, strong], [weak, [*strong[:-1], 0.0]], draws(), harmonic_mean) > 0.05
