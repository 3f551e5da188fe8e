import itertools
import json
from dataclasses import replace

import numpy as np
import pytest

from swarm.arrays import read_only
from swarm.canonical import canonical_json
from swarm.history import history
from swarm.parameters import Parameters
from swarm.population import initialise
from swarm.state import State
from tests.swarm.searching import near, search

STATES = search(Parameters(drop_particle=0.2), near(np.full(10, 0.1)), 12, experts=10)


def test_a_state_of_20_particles_from_10_experts_takes_at_most_64_kib():
    assert max(len(canonical_json(state.to_json()).encode()) for state in STATES) <= 64 * 1024


def test_states_are_equal_if_and_only_if_their_bits_are():
    again = search(Parameters(drop_particle=0.2), near(np.full(10, 0.1)), 12, experts=10)
    assert again == STATES and len({state.sha256 for state in STATES}) == 13
    assert len({*again, *STATES}) == 13
    assert STATES[1] != replace(STATES[1], step_length=np.nextafter(STATES[1].step_length, 1).item())
    assert STATES[1] != STATES[1].to_json()


def test_a_database_that_rewrites_whole_numbers_and_negative_zeros_changes_nothing():
    parameters = Parameters(particles=4, step_length=1.0, initial_velocity="best")
    state = search(parameters, lambda state: [-0.0, 1.0, 0.0, -1.0], 0)[0]
    text = canonical_json(state.to_json())
    rewritten = json.loads(
        text, parse_float=lambda number: int(number[:-2]) if number.endswith(".0") else float(number)
    )
    assert canonical_json(rewritten) != text
    assert State.from_json(rewritten).sha256 == state.sha256


def test_arrays_hold_no_negative_zero_and_are_copies():
    values = np.array([-0.0, 1.0])
    array = read_only(values)
    values[1] = 2.0
    assert repr(array.tolist()) == "[0.0, 1.0]"


def test_a_damaged_state_is_refused():
    value = STATES[3].to_json()
    with pytest.raises(KeyError, match=r"stale"):
        State.from_json({name: content for name, content in value.items() if name != "stale"})
    with pytest.raises(ValueError, match=r"a row of positions misses its sum"):
        State.from_json(value | {"positions": (STATES[3].positions * 1.001).tolist()})
    with pytest.raises(ValueError, match=r"restarted has 19 entries for 20 particles"):
        State.from_json(value | {"restarted": value["restarted"][1:]})


def test_history_shows_what_a_move_was_made_of():
    state = STATES[5]
    shown = json.loads(canonical_json(history(state)))
    assert (shown["iteration"], shown["lambda"], shown["stale"]) == (5, state.step_length, state.stale)
    assert shown["g"] == state.global_best.to_json() and shown["w"] == state.global_worst.to_json()
    assert [particle.keys() for particle in shown["particles"]] == [
        {"x", "v", "p", "r", "utility", "personal_best_utility", "restarted", "evaluated"}
    ] * 20
    for name, expected in {
        "x": state.positions.tolist(),
        "v": state.velocities.tolist(),
        "p": state.personal_bests.tolist(),
        "r": state.draws.tolist(),
        "utility": list(state.utilities),
        "personal_best_utility": list(state.personal_best_utilities),
        "restarted": list(state.restarted),
        "evaluated": list(state.to_evaluate),
    }.items():
        assert [particle[name] for particle in shown["particles"]] == expected
    assert None in [particle["utility"] for particle in shown["particles"]]


def test_history_of_the_initial_population_has_no_draws_and_no_bests_yet():
    shown = history(initialise(Parameters(), 1, 3))
    assert (shown["iteration"], shown["lambda"], shown["g"], shown["w"]) == (0, 0.8, None, None)
    assert all(particle["r"] is None and particle["utility"] is None for particle in shown["particles"])


def test_a_run_can_be_recomputed_from_its_history_alone():
    shown = [json.loads(canonical_json(history(state))) for state in STATES]
    for before, after in itertools.pairwise(shown):
        g, w = np.array(before["g"]["coefficients"]), np.array(before["w"]["coefficients"])
        for old, new in zip(before["particles"], after["particles"], strict=True):
            p = np.array(old["p"])
            x, v = (p, 0 * p) if new["restarted"] else (np.array(old["x"]), np.array(old["v"]))
            a = np.array(new["r"]) * [0.2, 0.3, 0.4, 0.05]
            v = (a[0] * v + a[1] * (p - x) + a[2] * (g - x) + a[3] * (x - w)) / a.sum()
            assert new["v"] == pytest.approx(v, abs=1e-12)
            assert new["x"] == pytest.approx(x + after["lambda"] * v, abs=1e-12)
