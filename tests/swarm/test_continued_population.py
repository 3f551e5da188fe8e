import numpy as np
import pytest

from swarm.errors import InputError
from swarm.parameters import Parameters
from swarm.population import initialise, initialise_from_earlier

FOUND = [[0.5, 0.5, 0.0], [0.2, 0.3, 0.5], [1.5, -0.5, 0.0]]


def test_experts_come_first_then_what_was_found_then_the_children_of_a_new_search():
    state = initialise_from_earlier(Parameters(particles=8), 5, 3, FOUND)
    assert state.positions[:3].tolist() == np.eye(3).tolist()
    assert state.positions[3:6].tolist() == FOUND
    assert state.positions[6:].tolist() == initialise(Parameters(particles=8), 5, 3).positions[6:].tolist()
    assert state.to_evaluate == (True,) * 8
    assert (state.iteration, state.told, state.global_best) == (0, False, None)


def test_what_there_is_no_particle_for_is_left_out_from_the_worst_on():
    assert initialise_from_earlier(Parameters(particles=5), 5, 3, FOUND).positions[3:].tolist() == FOUND[:2]


def test_a_population_of_experts_alone_is_refused():
    with pytest.raises(InputError, match="particles: 3 hold the 3 experts and nothing of the earlier run: give 4 or"):
        initialise_from_earlier(Parameters(particles=3), 5, 3, FOUND)
