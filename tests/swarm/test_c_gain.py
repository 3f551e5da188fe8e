import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from swarm.c_gain import collaborative_gain
from swarm.draws import Draw, generator


def draws():
    return generator(0, 0, 0, Draw.BOOTSTRAP)


def test_examples_are_counted_by_how_many_models_solve_them_alone():
    first, second = [0, 0, 1, 1, 1, 1], [0, 0, 0, 0, 1, 1]
    found = collaborative_gain([first, second], [1, 0, 1, 1, 1, 0], draws())
    assert [(b.models, b.examples, b.accuracy, b.expectation, b.gain.mean) for b in found.buckets] == [
        (0, 2, 0.5, 0.0, 0.5),
        (1, 2, 1.0, 0.5, 0.5),
        (2, 2, 0.5, 1.0, -0.5),
    ]
    assert found.gain.mean == pytest.approx(1 / 6)


def test_a_system_that_solves_what_no_model_does_gains_everything_for_certain():
    found = collaborative_gain([[0] * 8, [0.5] * 8], [1] * 8, draws())
    assert (found.gain.low, found.gain.mean, found.gain.high) == (1, 1, 1)
    assert [bucket.models for bucket in found.buckets] == [0]


tables = st.integers(1, 5).flatmap(
    lambda models: st.integers(1, 30).flatmap(
        lambda examples: st.lists(
            st.lists(st.booleans(), min_size=examples, max_size=examples), min_size=models + 1, max_size=models + 1
        )
    )
)


@settings(max_examples=8)
@given(tables)
def test_the_gain_is_the_systems_accuracy_less_the_models_mean(table):
    *models, system = table
    found = collaborative_gain(models, system, draws())
    assert found.gain.mean == pytest.approx(np.mean(system) - np.mean(models), abs=1e-12)
    assert found.gain.low <= found.gain.mean + 1e-12 and found.gain.mean - 1e-12 <= found.gain.high
    weighted = sum(bucket.gain.mean * bucket.examples for bucket in found.buckets) / len(system)
    assert weighted == pytest.approx(found.gain.mean, abs=1e-12)
    assert sum(bucket.examples for bucket in found.buckets) == len(system)


@pytest.mark.parametrize(
    ("models", "system", "said"),
    [
        ([], [1.0], "at least one model"),
        ([[1.0, 0.0]], [1.0], "the same examples"),
        ([[float("nan")]], [1.0], "not finite"),
        ([[]], [], "at least one number"),
    ],
)
def test_what_cannot_be_compared_is_refused(models, system, said):
    with pytest.raises(ValueError, match=said):
        collaborative_gain(models, system, draws())
