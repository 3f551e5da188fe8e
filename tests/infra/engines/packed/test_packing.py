from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from infra.engines.packed.packing import Family, Job, chunks, families, halved_gladly, jobs, similar_runs

SEQUENCES = st.lists(st.lists(st.integers(0, 2), min_size=1, max_size=24).map(tuple), min_size=1, max_size=20)
PREAMBLE = tuple(range(100, 130))


@given(SEQUENCES, st.booleans(), st.integers(1, 200))
def test_every_row_is_in_one_family_and_begins_with_its_prefix(
    rows: list[tuple[int, ...]], alike: bool, population: int
) -> None:
    sequences = [PREAMBLE + row for row in rows] if alike else rows
    found = families(sequences, population)
    assert sorted(row for family in found for row in family.rows) == list(range(len(sequences)))
    for family in found:
        for row in family.rows:
            assert sequences[row][: len(family.prefix)] == family.prefix
            assert len(sequences[row]) > len(family.prefix)


def test_rows_share_what_they_begin_with_alike() -> None:
    one, other = PREAMBLE, tuple(reversed(PREAMBLE))
    sequences = [(*one, 1), (7,), (*other, 1, 2), (*one, 2, 3), (*other, 1, 3)]
    assert families(sequences, 20) == [Family(one, (0, 3)), Family((*other, 1), (2, 4)), Family((), (1,))]


def test_a_prefix_that_spares_little_is_not_shared() -> None:
    short = PREAMBLE[:8]
    assert families([short + (i,) * 400 for i in range(4)], 1000) == [Family((), (0, 1, 2, 3))]


def test_a_few_rows_step_apart_only_for_a_population_that_spares_enough() -> None:
    sequences = [(*PREAMBLE[:10], 1), (*PREAMBLE[:10], 2), *((row,) * 12 for row in range(20))]
    loose = Family((), tuple(range(22)))
    assert families(sequences, 25) == [loose]
    assert families(sequences, 26) == [Family(PREAMBLE[:10], (0, 1)), Family((), tuple(range(2, 22)))]


def test_rows_that_are_all_alike_share_however_few_they_are() -> None:
    assert families([(*PREAMBLE[:4], row) for row in range(3)], 1) == [Family(PREAMBLE[:4], (0, 1, 2))]


def test_a_longer_beginning_comes_before_a_shorter_one() -> None:
    long = [(*PREAMBLE, row) for row in range(40)]
    short = [(*PREAMBLE[:3], row, 0, 0, 0, 0, 0) for row in range(40)]
    assert families(long + short, 10) == [
        Family(PREAMBLE, tuple(range(40))),
        Family(PREAMBLE[:3], tuple(range(40, 80))),
    ]


def test_equal_rows_keep_a_token_of_their_own() -> None:
    assert families([PREAMBLE, PREAMBLE], 1) == [Family(PREAMBLE[:-1], (0, 1))]


@given(
    st.integers(1, 40),
    st.lists(st.integers(1, 90), min_size=1, max_size=30),
    st.integers(1, 4000),
    st.booleans(),
    st.booleans(),
    st.booleans(),
)
def test_jobs_cover_every_cell_once_longest_rows_first(
    population: int, sizes: list[int], cache: int, split: bool, shared: bool, alone: bool
) -> None:
    family = Family((1, 2) if shared else (), tuple(range(len(sizes))))
    found = jobs(family, sizes, population, cache, split, alone)
    cells = Counter((particle, row) for job in found for particle in job.particles for row in job.rows)
    assert cells == Counter((particle, row) for particle in range(population) for row in range(len(sizes)))
    for job in found:
        lengths = [sizes[row] for row in job.rows]
        assert lengths == sorted(lengths, reverse=True)
        assert len(job.particles) == 1 or len(job.particles) * max(sizes) <= cache


def test_what_is_shared_is_read_once_a_particle_unless_it_is_short() -> None:
    rows = tuple(range(200))
    long = jobs(Family(PREAMBLE * 14, rows), [40] * 200, 8, 10**6, split=True)
    assert [job.particles for job in long] == [range(i, i + 1) for i in range(8)]
    short = jobs(Family(PREAMBLE, rows), [40] * 200, 8, 10**6, split=True)
    assert [(job.particles, job.rows) for job in short[:2]] == [(range(1), rows[::2]), (range(1), rows[1::2])]
    assert len(short) == 16


def test_a_particle_alone_keeps_two_workers_busy_with_each_of_its_families() -> None:
    found = jobs(Family(PREAMBLE[:3], tuple(range(100))), [40] * 100, 1, 10**6, split=True)
    assert [len(job.rows) for job in found] == [50, 50]


def test_jobs_of_unlike_rows_cost_alike() -> None:
    found = jobs(Family((), tuple(range(64))), list(range(1, 65)), 4, 10**6, split=True)
    assert [sum(row + 1 for row in job.rows) for job in found] == [544, 528, 512, 496]


def test_a_few_cells_are_one_job_and_so_is_everything_on_a_gpu() -> None:
    few = Family((), (0, 1, 2))
    many = Family((), tuple(range(200)))
    assert jobs(few, [5, 6, 7], 4, 1000, split=True) == [Job(range(4), (), (2, 1, 0))]
    assert len(jobs(many, [5] * 200, 8, 10**6, split=False)) == 1


def test_a_family_that_is_all_there_is_to_do_is_halved_sooner() -> None:
    few = Family(PREAMBLE, (0, 1))
    assert [job.particles for job in jobs(few, [40] * 2, 16, 10**6, split=True, alone=True)] == [range(8), range(8, 16)]
    assert len(jobs(few, [40] * 2, 16, 10**6, split=True)) == 1
    assert len(jobs(few, [40] * 2, 15, 10**6, split=True, alone=True)) == 1
    assert len(jobs(few, [40] * 2, 16, 10**6, split=False, alone=True)) == 1
    rows = Family((), tuple(range(32)))
    assert [len(job.rows) for job in jobs(rows, [40] * 32, 1, 10**6, split=True, alone=True)] == [16, 16]


@given(st.lists(st.integers(1, 60), max_size=30), st.integers(1, 25), st.integers(1, 300))
def test_a_chunk_keeps_to_the_budget_unless_it_is_one_row(lengths: list[int], population: int, budget: int) -> None:
    cut = chunks(lengths, population, budget)
    assert [row for part in cut for row in part] == list(range(len(lengths)))
    assert all(len(part) == 1 or population * sum(lengths[row] for row in part) <= budget for part in cut)


def test_runs_are_of_like_rows() -> None:
    assert list(similar_runs([100, 90, 75, 74, 60, 20])) == [range(3), range(3, 5), range(5, 6)]


def test_rows_with_long_answers_are_not_halved_gladly() -> None:
    assert halved_gladly([20] * 32, [27] * 32, 1)
    assert halved_gladly([100] * 16, [300] * 16, 4)
    assert not halved_gladly([99] * 16, [299] * 16, 4)
    assert not halved_gladly([20] * 32, [21] * 31 + [41], 1)
