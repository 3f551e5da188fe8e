"""G-Decode: a graph from a continuous adjacency (Heterogeneous Swarms, arXiv 2502.04510, §2; docs/algorithms.md §2).

    end ~ softmax(1 / out-degree);  then, until no node remains:
    node ~ softmax(out-degree) of the remaining;  successor ~ softmax(A[node, ·]) of those in the graph

Each ~ is a top-p draw. What may not be drawn is masked; the public code drops what is exactly 0.
"""

import numpy as np
from numpy.typing import NDArray

from swarm.arrays import Floats
from swarm.graphs import MAX_NODES, MIN_NODES, Dag

EPSILON = 1e-6
"""Adjacencies count as at least this and as at most its inverse, so that every out-degree has an inverse."""

Indices = NDArray[np.intp]
Mask = NDArray[np.bool_]


def decode(adjacency: Floats, draws: np.random.Generator, top_p: float) -> Dag:
    """Return the graph of one adjacency; 2n − 1 uniform numbers are drawn.

    Args:
        adjacency: A [n, n], 2 ≤ n ≤ 32, finite; A[i, j] is how likely i's answer goes to j. It is not changed, and
            its diagonal is not read.
        draws: where the picks come from.
        top_p: picks are made among the most probable that have this probability together; 0: the most probable.

    Raises:
        ValueError: a number is not finite, or the shape is another.

    """
    uniforms = draws.random(2 * len(adjacency) - 1)
    successors = decode_all(adjacency[None], uniforms[None], top_p)[0].tolist()
    return Dag(tuple(None if after < 0 else after for after in successors))


def decode_all(adjacencies: Floats, uniforms: Floats, top_p: float) -> Indices:
    """Return the successors [B, n] of the nodes of B graphs; −1 for the end nodes.

    Args:
        adjacencies: [B, n, n], as for `decode`.
        uniforms: [B, 2n − 1] in [0, 1): one a pick, in the order of the picks.
        top_p: as for `decode`.

    Raises:
        ValueError: a number is not finite, or a shape is another.

    """
    _check(adjacencies, uniforms)
    graphs, n = adjacencies.shape[:2]
    graph_indices = np.arange(graphs)
    likelihood = np.clip(adjacencies, EPSILON, 1 / EPSILON)
    likelihood[:, np.arange(n), np.arange(n)] = 0
    out_degree = likelihood.sum(axis=2)
    inside = np.zeros((graphs, n), dtype=bool)
    successor = np.full((graphs, n), -1, dtype=np.intp)
    end = _top_p_pick(1 / out_degree, ~inside, uniforms[:, 0], top_p)
    inside[graph_indices, end] = True
    for pick in range(1, n):
        node = _top_p_pick(out_degree, ~inside, uniforms[:, 2 * pick - 1], top_p)
        successor[graph_indices, node] = _top_p_pick(
            likelihood[graph_indices, node], inside, uniforms[:, 2 * pick], top_p
        )
        inside[graph_indices, node] = True
    return successor


def _check(adjacencies: Floats, uniforms: Floats) -> None:
    graphs, n = adjacencies.shape[:2]
    if adjacencies.shape != (graphs, n, n) or not MIN_NODES <= n <= MAX_NODES:
        raise ValueError(f"an adjacency is [n, n] with {MIN_NODES} ≤ n ≤ {MAX_NODES}, not {adjacencies.shape[1:]}")
    if uniforms.shape != (graphs, 2 * n - 1):
        raise ValueError(f"{graphs} graphs of {n} nodes take draws {(graphs, 2 * n - 1)}, not {uniforms.shape}")
    if not np.isfinite(adjacencies).all():
        raise ValueError("an adjacency is not finite")


def _top_p_pick(scores: Floats, mask: Mask, uniforms: Floats, top_p: float) -> Indices:
    """Return [B], an allowed index of each row of `scores` [B, n]: a softmax, cut to its nucleus, then drawn from."""
    masked_scores = np.where(mask, scores, -np.inf)
    weights = np.exp(masked_scores - masked_scores.max(axis=1, keepdims=True))
    order = np.argsort(-weights, axis=1, kind="stable")  # the lower index wins ties
    probabilities = np.take_along_axis(weights, order, axis=1)
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    nucleus = (probabilities.cumsum(axis=1) - probabilities < top_p) & (probabilities > 0)
    nucleus[:, 0] = True
    cumulative = np.where(nucleus, probabilities, 0.0).cumsum(axis=1)
    rank = (cumulative <= uniforms[:, None] * cumulative[:, -1:]).sum(axis=1)
    last = nucleus.sum(axis=1) - 1  # rounding may carry a draw just past it
    indices: Indices = order[np.arange(len(order)), np.minimum(rank, last)]
    return indices
