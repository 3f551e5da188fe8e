import math

import pytest

from swarm.errors import InputError
from swarm.parameters import REFERENCE_DEFAULTS, SWEEP_GRIDS, Parameters, with_reference_defaults


def test_the_defaults_are_the_papers():
    assert Parameters() == Parameters(
        particles=20,
        inertia=0.2,
        cognitive=0.3,
        social=0.4,
        repulsion=0.05,
        step_length=0.8,
        step_decay=0.95,
        min_step_length=0.1,
        max_iterations=50,
        patience=10,
        restart_patience=5,
        initial_velocity="random",
        crossover_limit=1.0,
        drop_iteration=0.0,
        drop_particle=0.0,
        reference=False,
    )


def test_reference_completes_what_the_user_gave_by_the_public_codes_defaults():
    given = {"reference": True, "social": 0.6, "patience": 7}
    assert Parameters(**with_reference_defaults(given)) == Parameters(
        inertia=0.4,
        cognitive=0.3,
        social=0.6,
        repulsion=0.3,
        step_length=1.0,
        min_step_length=0.1,
        patience=7,
        restart_patience=4,  # .5 · 7, reached by the fourth iteration
        max_iterations=200,
        crossover_limit=2.0,
        reference=True,
    )


def test_a_given_restart_patience_stays_under_reference():
    assert with_reference_defaults({"reference": True, "restart_patience": 9})["restart_patience"] == 9


def test_without_reference_nothing_is_completed():
    assert with_reference_defaults({"social": 0.6}) == {"social": 0.6}
    assert with_reference_defaults({"social": 0.6, "reference": False}) == {"social": 0.6, "reference": False}


def test_the_public_codes_defaults_are_usable_and_cannot_be_changed():
    assert Parameters(**REFERENCE_DEFAULTS).max_iterations == 200
    with pytest.raises(TypeError):
        REFERENCE_DEFAULTS["inertia"] = 1.0


def test_every_point_of_the_sweep_grids_is_valid():
    assert set(SWEEP_GRIDS) == {"inertia", "cognitive", "social", "repulsion", "step_length"}
    for name, values in SWEEP_GRIDS.items():
        assert [getattr(Parameters(**{name: value}), name) for value in values] == list(values)


@pytest.mark.parametrize("name", ["particles", "max_iterations", "patience", "restart_patience"])
@pytest.mark.parametrize("value", [0, -1, 2.5, True, "3", None])
def test_counts_are_whole_numbers_of_their_least_or_more(name, value):
    least = 2 if name == "particles" else 1
    with pytest.raises(InputError) as caught:
        Parameters(**{name: value})
    assert str(caught.value) == f"{name}: must be a whole number of at least {least}, not {value!r}"


REFUSED = {
    "inertia": (-0.1, "a finite number of at least 0"),
    "cognitive": (-1, "a finite number of at least 0"),
    "social": (-0.1, "a finite number of at least 0"),
    "repulsion": (-0.1, "a finite number of at least 0"),
    "step_length": (0, "a finite number above 0"),
    "crossover_limit": (0.0, "a finite number above 0"),
    "step_decay": (1.01, "above 0 and at most 1"),
    "min_step_length": (0.9, "at least 0 and at most step_length (0.8)"),
    "drop_iteration": (1.0, "a probability of at least 0 and below 1"),
    "drop_particle": (-0.1, "a probability of at least 0 and below 1"),
    "initial_velocity": ("up", "one of random, best, zero"),
    "reference": ("yes", "true or false"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_value_out_of_range_is_refused_in_one_line_that_begins_with_the_field(name):
    value, expected = REFUSED[name]
    with pytest.raises(InputError) as caught:
        Parameters(**{name: value})
    assert str(caught.value) == f"{name}: must be {expected}, not {value!r}"


@pytest.mark.parametrize("name", sorted(REFUSED.keys() - {"initial_velocity", "reference"}))
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, "1", None, False])
def test_what_is_no_finite_number_is_refused(name, value):
    with pytest.raises(InputError, match=f"^{name}: must be a finite number, not {value!r}$"):
        Parameters(**{name: value})


def test_a_division_by_zero_is_refused_before_the_search_begins():
    with pytest.raises(InputError) as caught:
        Parameters(inertia=0, cognitive=0, social=0, repulsion=0)
    assert str(caught.value) == (
        "inertia: inertia, cognitive, social and repulsion are all 0: give one a positive value"
    )


@pytest.mark.parametrize("scale", [1e-300, 1e300])
def test_coefficients_that_float64_cannot_normalise_are_refused(scale):
    with pytest.raises(InputError, match=r"^inertia: inertia \+ cognitive \+ social \+ repulsion is .*: scale them"):
        Parameters(inertia=scale, cognitive=scale, social=scale, repulsion=scale)


@pytest.mark.parametrize("name", ["inertia", "cognitive", "social", "repulsion"])
def test_one_positive_coefficient_is_enough(name):
    zeros = dict.fromkeys(["inertia", "cognitive", "social", "repulsion"], 0.0)
    assert getattr(Parameters(**(zeros | {name: 0.3})), name) == 0.3
