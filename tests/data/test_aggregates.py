import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.aggregates import Aggregate, combine

UTILITIES = st.lists(st.tuples(st.floats(0, 1), st.floats(0.01, 100)), min_size=1, max_size=5)


@pytest.mark.parametrize(
    ("aggregate", "utilities", "weights", "utility"),
    [
        ("mean", [0.5, 1.0], [1, 1], 0.75),
        ("mean", [0.5, 1.0], [3, 1], 0.625),
        ("harmonic_mean", [0.5, 1.0], [1, 1], 2 / 3),
        ("harmonic_mean", [0.5, 1.0], [2, 1], 0.6),
        ("harmonic_mean", [0.0, 1.0], [1, 1], 0.0),
        ("harmonic_mean", [0.0, 0.0], [1, 1], 0.0),
        ("min", [0.5, 1.0], [1, 1], 0.5),
        ("mean", [-30.0, -10.0], [1, 3], -15.0),
        ("min", [-30.0, -10.0], [1, 1], -30.0),
    ],
)
def test_utilities_are_combined(
    aggregate: Aggregate, utilities: list[float], weights: list[float], utility: float
) -> None:
    assert combine(aggregate, utilities, weights) == pytest.approx(utility)


@given(UTILITIES, st.sampled_from(["mean", "harmonic_mean", "min"]))
def test_a_utility_lies_between_the_least_and_the_greatest(
    tasks: list[tuple[float, float]], aggregate: Aggregate
) -> None:
    utilities, weights = zip(*tasks, strict=True)
    utility = combine(aggregate, utilities, weights)
    assert min(utilities) <= utility <= max(utilities)


@given(
    st.lists(st.tuples(st.floats(-1e6, 1e6), st.floats(0.01, 100)), min_size=1, max_size=5),
    st.sampled_from(["mean", "min"]),
)
def test_so_does_one_of_scores_without_bounds(tasks: list[tuple[float, float]], aggregate: Aggregate) -> None:
    utilities, weights = zip(*tasks, strict=True)
    assert min(utilities) <= combine(aggregate, utilities, weights) <= max(utilities)
