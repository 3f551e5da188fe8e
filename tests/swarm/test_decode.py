import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from swarm.decode import EPSILON, decode, decode_all
from swarm.draws import Draw, generator
from swarm.graphs import Dag

sizes = st.shared(st.integers(2, 32), key="n")
any_finite = st.floats(allow_nan=False, allow_infinity=False)
adversarial = st.one_of(
    any_finite, st.sampled_from([0.0, -0.0, 1.0, -1.0, 1e308, -1e308, 5e-324, EPSILON, 1 / EPSILON])
)
matrices = sizes.flatmap(lambda n: arrays(np.float64, (n, n), elements=adversarial, fill=adversarial))
probabilities = st.sampled_from([0.0, 1e-9, 0.3, 0.8, 1.0])


def draws(seed=0):
    return generator(seed, 0, 0, Draw.DECODE)


def many(adjacency, top_p, count=3000):
    """Return the successors [count, n] of one adjacency, decoded with as many draws."""
    adjacency = np.asarray(adjacency, dtype=float)
    uniforms = draws().random((count, 2 * len(adjacency) - 1))
    return decode_all(np.broadcast_to(adjacency, (count, *adjacency.shape)), uniforms, top_p)


def ends(adjacency, top_p):
    """Return how often each node is the end node."""
    return (many(adjacency, top_p) < 0).mean(axis=0)


@settings(max_examples=150)
@given(matrices, probabilities, st.integers(0, 2**40))
def test_any_finite_adjacency_gives_an_in_tree_and_is_not_changed(adjacency, top_p, seed):
    before = adjacency.tobytes()
    dag = decode(adjacency, draws(seed), top_p)
    assert len(dag.successor) == len(adjacency)  # and it is an in-tree: nothing else can be a Dag
    assert adjacency.tobytes() == before
    assert decode(adjacency, draws(seed), top_p) == dag


@settings(max_examples=60)
@given(matrices, probabilities, st.sampled_from([0.0, 5e-324, 0.5, np.nextafter(1, 0)]))
def test_the_extremes_of_the_draws_give_an_in_tree(adjacency, top_p, uniform):
    uniforms = np.full((1, 2 * len(adjacency) - 1), uniform)
    successors = decode_all(adjacency[None], uniforms, top_p)[0].tolist()
    Dag(tuple(None if after < 0 else after for after in successors))


@settings(max_examples=30)
@given(matrices, st.integers(0, 2**40))
def test_the_diagonal_is_not_read(adjacency, seed):
    other = adjacency.copy()
    np.fill_diagonal(other, 1e300)
    assert decode(adjacency, draws(seed), 0.8) == decode(other, draws(seed), 0.8)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_is_refused(value):
    adjacency = np.zeros((3, 3))
    adjacency[0, 1] = value
    with pytest.raises(ValueError, match="not finite"):
        decode(adjacency, draws(), 0.8)


@pytest.mark.parametrize("shape", [(1, 1), (33, 33), (3, 4)])
def test_another_shape_is_refused(shape):
    with pytest.raises(ValueError, match="an adjacency is"):
        decode(np.zeros(shape), draws(), 0.8)


def test_without_a_nucleus_the_most_probable_is_always_taken():
    """The public code's example, by hand: node 3 has the least out-degree (.6); then 0, 1 and 2 by theirs."""
    adjacency = np.array([[0, 0.9, 0.8, 0.1], [0.5, 0, 0.3, 0.6], [0.6, 0.2, 0, 0.4], [0.2, 0.2, 0.2, 0]])
    found = {decode(adjacency, draws(seed), 0.0) for seed in range(50)}
    assert found == {Dag((3, 3, 0, None))}


OUT_DEGREES = [[0, 1, 1], [0.5, 0, 0.5], [0.25, 0.25, 0]]  # 2, 1 and ½: the end node's probabilities: .14, .23, .63


def test_the_end_node_is_drawn_by_the_inverse_of_its_out_degree():
    expected = np.exp([0.5, 1, 2]) / np.exp([0.5, 1, 2]).sum()
    assert ends(OUT_DEGREES, 1.0) == pytest.approx(expected, abs=0.03)


def test_a_successor_is_drawn_by_its_edge():
    adjacency = np.zeros((3, 3))
    adjacency[2] = [9.0, 8.0, 0.0]  # out-degree 17: node 2 is the last choice for the end
    adjacency[1] = [20.0, 0.0, 20.0]  # and node 1 joins before it, so node 2 has the choice between 0 and 1
    chosen = many(adjacency, 1.0)
    assert np.unique(chosen[:, :2], axis=0).tolist() == [[-1, 0]]
    assert (chosen[:, 2] == 0).mean() == pytest.approx(np.e / (1 + np.e), abs=0.03)


def test_what_is_outside_of_the_nucleus_is_never_drawn():
    for top_p, drawn in ((0.6, [2]), (0.8, [1, 2]), (0.9, [0, 1, 2])):
        assert np.flatnonzero(ends(OUT_DEGREES, top_p)).tolist() == drawn


def test_equal_likelihoods_reach_every_graph_of_three_nodes():
    assert len(np.unique(many(np.ones((3, 3)), 1.0), axis=0)) == 9  # 3² rooted labelled trees


def test_many_graphs_at_once_are_the_same_as_one_by_one():
    adjacencies = np.random.default_rng(1).normal(size=(200, 7, 7))
    uniforms = np.random.default_rng(2).random((200, 13))
    together = decode_all(adjacencies, uniforms, 0.8)
    alone = [decode_all(adjacencies[i : i + 1], uniforms[i : i + 1], 0.8)[0].tolist() for i in range(200)]
    assert together.tolist() == alone
