import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swarm.draws import MAX_SEED, Draw, generator, pick, pick_other
from swarm.errors import InputError

GOLDEN = [0.6423531766492141, 0.30680785873159655, 0.4656160593724824, 0.7618623708296941]

NUMBERS = {
    "CROSSOVER": 0,
    "INITIAL_VELOCITY": 1,
    "MOVE": 2,
    "DROP_ITERATION": 3,
    "DROP_PARTICLE": 4,
    "BOOTSTRAP": 5,
    "PAIRED_TEST": 6,
    "DECODE": 7,
    "ASSIGNMENT": 8,
    "GRAPH_SWARM": 9,
    "ADJACENCY": 10,
}


def test_a_draw_depends_on_its_key_alone_and_not_on_what_was_drawn_before():
    keys = list(itertools.product([0, 7], [0, 3], [0, 5], Draw))
    forwards = {key: generator(*key).random(4).tolist() for key in keys}
    backwards = {key: generator(*key).random(4).tolist() for key in reversed(keys)}
    assert forwards == backwards
    assert len({tuple(values) for values in forwards.values()}) == len(keys)


def test_the_draws_of_finished_runs_never_change():
    assert generator(42, 3, 5, Draw.MOVE).random(4).tolist() == GOLDEN
    assert {name: Draw[name].value for name in NUMBERS} == NUMBERS


def test_seeds_of_more_than_32_bits_do_not_meet_smaller_ones():
    assert generator(2**32, 0, 0, Draw.CROSSOVER).random() != generator(0, 1, 0, Draw.CROSSOVER).random()
    assert generator(2**32 + 1, 0, 0, Draw.CROSSOVER).random() != generator(1, 0, 0, Draw.CROSSOVER).random()
    assert 0 <= generator(MAX_SEED, 2**31, 10**6, Draw.MOVE).random() < 1


@pytest.mark.parametrize("seed", [-1, MAX_SEED + 1])
def test_a_seed_out_of_range_is_refused(seed):
    with pytest.raises(InputError, match=f"^seed: must be a whole number from 0 to {MAX_SEED}, not {seed}$"):
        generator(seed, 0, 0, Draw.MOVE)


@given(st.integers(0, MAX_SEED), st.integers(2, 30), st.data())
def test_another_one_is_never_the_one_that_is_taken(seed, count, data):
    taken = data.draw(st.integers(0, count - 1))
    other = pick_other(generator(seed, 0, 0, Draw.CROSSOVER), count, taken)
    assert other != taken and 0 <= other < count


def test_picks_are_uniform_over_all_and_over_all_others():
    draws = generator(0, 0, 0, Draw.CROSSOVER)
    all_picks = [pick(draws, 4) for _ in range(4000)]
    others = [pick_other(draws, 4, 1) for _ in range(3000)]
    assert all(900 < all_picks.count(index) < 1100 for index in range(4))
    assert {index: others.count(index) > 900 for index in range(4)} == {0: True, 1: False, 2: True, 3: True}
