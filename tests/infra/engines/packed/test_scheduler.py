from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from infra.engines.packed.scheduler import (
    Batch,
    PrefixGroup,
    batches,
    prefill_chunks,
    prefill_dominates,
    prefix_groups,
    similar_lengths,
)

PROMPTS = st.lists(st.lists(st.integers(0, 2), min_size=1, max_size=24).map(tuple), min_size=1, max_size=20)
PREAMBLE = tuple(range(100, 130))


@given(PROMPTS, st.booleans(), st.integers(1, 200))
def test_every_request_is_in_one_group_and_begins_with_its_prefix(
    texts: list[tuple[int, ...]], alike: bool, population: int
) -> None:
    prompts = [PREAMBLE + text for text in texts] if alike else texts
    groups = prefix_groups(prompts, population)
    assert sorted(request for group in groups for request in group.requests) == list(range(len(prompts)))
    for group in groups:
        for request in group.requests:
            assert prompts[request][: len(group.prefix)] == group.prefix
            assert len(prompts[request]) > len(group.prefix)


def test_requests_share_what_they_begin_with_alike() -> None:
    first, other = PREAMBLE, tuple(reversed(PREAMBLE))
    prompts = [(*first, 1), (7,), (*other, 1, 2), (*first, 2, 3), (*other, 1, 3)]
    assert prefix_groups(prompts, 20) == [
        PrefixGroup(first, (0, 3)),
        PrefixGroup((*other, 1), (2, 4)),
        PrefixGroup((), (1,)),
    ]


def test_a_prefix_that_saves_little_is_not_shared() -> None:
    short = PREAMBLE[:8]
    assert prefix_groups([short + (i,) * 400 for i in range(4)], 1000) == [PrefixGroup((), (0, 1, 2, 3))]


def test_a_few_requests_decode_apart_only_for_a_population_that_saves_enough() -> None:
    prompts = [(*PREAMBLE[:10], 1), (*PREAMBLE[:10], 2), *((request,) * 12 for request in range(20))]
    ungrouped = PrefixGroup((), tuple(range(22)))
    assert prefix_groups(prompts, 25) == [ungrouped]
    assert prefix_groups(prompts, 26) == [PrefixGroup(PREAMBLE[:10], (0, 1)), PrefixGroup((), tuple(range(2, 22)))]


def test_requests_that_are_all_alike_share_however_few_they_are() -> None:
    assert prefix_groups([(*PREAMBLE[:4], request) for request in range(3)], 1) == [
        PrefixGroup(PREAMBLE[:4], (0, 1, 2))
    ]


def test_a_longer_beginning_comes_before_a_shorter_one() -> None:
    long = [(*PREAMBLE, request) for request in range(40)]
    short = [(*PREAMBLE[:3], request, 0, 0, 0, 0, 0) for request in range(40)]
    assert prefix_groups(long + short, 10) == [
        PrefixGroup(PREAMBLE, tuple(range(40))),
        PrefixGroup(PREAMBLE[:3], tuple(range(40, 80))),
    ]


def test_equal_prompts_keep_a_token_of_their_own() -> None:
    assert prefix_groups([PREAMBLE, PREAMBLE], 1) == [PrefixGroup(PREAMBLE[:-1], (0, 1))]


@given(
    st.integers(1, 40),
    st.lists(st.integers(1, 90), min_size=1, max_size=30),
    st.integers(1, 4000),
    st.booleans(),
    st.booleans(),
    st.booleans(),
)
def test_batches_cover_every_sequence_once_longest_requests_first(
    population: int, sizes: list[int], cache: int, split: bool, shared: bool, halve: bool
) -> None:
    group = PrefixGroup((1, 2) if shared else (), tuple(range(len(sizes))))
    made = batches(group, sizes, population, cache, split, halve)
    sequences = Counter(
        (particle, request) for batch in made for particle in batch.particles for request in batch.requests
    )
    assert sequences == Counter((particle, request) for particle in range(population) for request in range(len(sizes)))
    for batch in made:
        lengths = [sizes[request] for request in batch.requests]
        assert lengths == sorted(lengths, reverse=True)
        assert len(batch.particles) == 1 or len(batch.particles) * max(sizes) <= cache


def test_what_is_shared_is_read_once_a_particle_unless_it_is_short() -> None:
    requests = tuple(range(200))
    long = batches(PrefixGroup(PREAMBLE * 14, requests), [40] * 200, 8, 10**6, split=True)
    assert [batch.particles for batch in long] == [range(i, i + 1) for i in range(8)]
    short = batches(PrefixGroup(PREAMBLE, requests), [40] * 200, 8, 10**6, split=True)
    assert [(batch.particles, batch.requests) for batch in short[:2]] == [
        (range(1), requests[::2]),
        (range(1), requests[1::2]),
    ]
    assert len(short) == 16


def test_a_particle_alone_keeps_two_workers_busy_with_each_of_its_groups() -> None:
    made = batches(PrefixGroup(PREAMBLE[:3], tuple(range(100))), [40] * 100, 1, 10**6, split=True)
    assert [len(batch.requests) for batch in made] == [50, 50]


def test_batches_of_unlike_requests_cost_alike() -> None:
    made = batches(PrefixGroup((), tuple(range(64))), list(range(1, 65)), 4, 10**6, split=True)
    assert [sum(request + 1 for request in batch.requests) for batch in made] == [544, 528, 512, 496]


def test_a_few_sequences_are_one_batch_and_so_is_everything_on_a_gpu() -> None:
    few = PrefixGroup((), (0, 1, 2))
    many = PrefixGroup((), tuple(range(200)))
    assert batches(few, [5, 6, 7], 4, 1000, split=True) == [Batch(range(4), (), (2, 1, 0))]
    assert len(batches(many, [5] * 200, 8, 10**6, split=False)) == 1


def test_a_group_that_is_all_there_is_to_do_is_halved_sooner() -> None:
    few = PrefixGroup(PREAMBLE, (0, 1))
    assert [batch.particles for batch in batches(few, [40] * 2, 16, 10**6, split=True, halve=True)] == [
        range(8),
        range(8, 16),
    ]
    assert len(batches(few, [40] * 2, 16, 10**6, split=True)) == 1
    assert len(batches(few, [40] * 2, 15, 10**6, split=True, halve=True)) == 1
    assert len(batches(few, [40] * 2, 16, 10**6, split=False, halve=True)) == 1
    requests = PrefixGroup((), tuple(range(32)))
    assert [len(batch.requests) for batch in batches(requests, [40] * 32, 1, 10**6, split=True, halve=True)] == [16, 16]


@given(st.lists(st.integers(1, 60), max_size=30), st.integers(1, 25), st.integers(1, 300))
def test_a_chunk_keeps_to_the_budget_unless_it_is_one_request(lengths: list[int], population: int, budget: int) -> None:
    parts = prefill_chunks(lengths, population, budget)
    assert [request for part in parts for request in part] == list(range(len(lengths)))
    assert all(len(part) == 1 or population * sum(lengths[request] for request in part) <= budget for part in parts)


def test_runs_are_of_like_lengths() -> None:
    assert list(similar_lengths([100, 90, 75, 74, 60, 20])) == [range(3), range(3, 5), range(5, 6)]


def test_prefill_dominates_unless_answers_are_long() -> None:
    assert prefill_dominates([20] * 32, [27] * 32, 1)
    assert prefill_dominates([100] * 16, [300] * 16, 4)
    assert not prefill_dominates([99] * 16, [299] * 16, 4)
    assert not prefill_dominates([20] * 32, [21] * 31 + [41], 1)
