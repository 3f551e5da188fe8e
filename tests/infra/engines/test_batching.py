import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.engines.batching import Batch, plan, survivors

LENGTHS = st.lists(st.integers(1, 60), max_size=30)


@given(st.integers(1, 25), LENGTHS, st.integers(1, 300))
def test_every_particle_answers_every_row_once(population: int, lengths: list[int], budget: int) -> None:
    cells = [(p, row) for batch in plan(population, lengths, budget) for p in batch.particles for row in batch.rows]
    assert sorted(cells) == [(p, row) for p in range(population) for row in range(len(lengths))]


@given(st.integers(1, 25), LENGTHS, st.integers(1, 300))
def test_a_batch_keeps_to_the_budget_unless_it_is_one_cell(population: int, lengths: list[int], budget: int) -> None:
    for batch in plan(population, lengths, budget):
        cells = len(batch.particles) * len(batch.rows)
        assert cells == 1 or cells * max(lengths[row] for row in batch.rows) <= budget


def test_rows_of_like_length_come_together_longest_first() -> None:
    assert plan(2, [3, 9, 4, 10], 40) == [Batch(range(2), (3, 1)), Batch(range(2), (2, 0))]


def test_particles_are_cut_evenly_where_a_row_is_too_long_for_all() -> None:
    assert [batch.particles for batch in plan(10, [10], 40)] == [range(0, 3), range(3, 6), range(6, 10)]


@pytest.mark.parametrize(
    "alive", [np.ones((2, 4), dtype=bool), np.array([[True, True, True, True], [True, False, True, True]])]
)
def test_a_batch_that_is_mostly_alive_stays(alive: np.ndarray) -> None:
    assert survivors(alive) is None


def test_finished_rows_and_particles_leave() -> None:
    alive = np.array([[False, True, False], [False, False, False], [True, False, True]])
    kept = survivors(alive)
    assert kept is not None
    particles, rows = kept
    assert particles.tolist() == [0, 2]
    assert rows.tolist() == [[1, 0], [0, 2]]


@given(st.integers(1, 6), st.integers(1, 6), st.randoms(use_true_random=False))
def test_no_living_row_is_lost(population: int, width: int, random: object) -> None:
    alive = np.array([[random.random() < 0.3 for _ in range(width)] for _ in range(population)])  # type: ignore[attr-defined]
    if (kept := survivors(alive)) is not None:
        particles, rows = kept
        left = {(p, row) for p, columns in zip(particles.tolist(), rows.tolist(), strict=True) for row in columns}
        assert len(left) == rows.size
        assert {(p, r) for p, r in np.argwhere(alive).tolist()} <= left
