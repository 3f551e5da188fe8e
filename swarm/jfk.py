"""The JFK-score of a model in a system (Heterogeneous Swarms, arXiv 2502.04510, §2; docs/algorithms.md §2).

Models are put into the nodes of one graph in M ways. A model's score is the mean utility of the systems that use it,
each counted as often as it uses it.
"""

from collections.abc import Sequence

import numpy as np

from swarm.draws import Draw, generator

Assignment = tuple[int, ...]
"""[n], the number of the model in each node."""


def stratified_assignments(
    seed: int, iteration: int, models: Sequence[int], nodes: int, count: int
) -> tuple[Assignment, ...]:
    """Return `count` assignments in which every model is used equally often, ± 1.

    Equally often over all assignments, not in each: if every assignment held every model once, all models would have
    the same score.

    Args:
        seed: the run's seed.
        iteration: the iteration.
        models: the k models that are to be scored, k ≤ nodes; none: there are no assignments.
        nodes: n, the nodes of the graph.
        count: M ≥ 1.

    """
    if not models:
        return ()
    draws = generator(seed, iteration, 0, Draw.ASSIGNMENT)
    first = np.asarray(models)[_permutation(draws, len(models))]
    node_models = np.resize(first, count * nodes)
    node_models = node_models[_permutation(draws, len(node_models))].reshape(count, nodes)
    return tuple(tuple(row) for row in node_models.tolist())


def assignments_with_replacement(seed: int, iteration: int, models: int, count: int) -> tuple[Assignment, ...]:
    """Return `count` assignments as the public code draws them: each node any of the n models, some perhaps never."""
    rows = [generator(seed, iteration, m, Draw.ASSIGNMENT).random(models) for m in range(count)]
    return tuple(tuple(int(u * models) for u in row.tolist()) for row in rows)


def jfk_scores(assignments: Sequence[Assignment], utilities: Sequence[float], models: int) -> tuple[float | None, ...]:
    """Return the JFK-score [n] of each model; None for one that no assignment uses.

    Args:
        assignments: [M][n].
        utilities: [M], those of the systems; finite.
        models: n.

    """
    frequency = np.array([np.bincount(row, minlength=models) for row in assignments]).reshape(-1, models)
    uses = frequency.sum(axis=0)
    # The mean of the difference to one of them, so that equal utilities give exactly that score, whatever the counts.
    middle = float(utilities[0]) if len(utilities) else 0.0
    total = frequency.T @ (np.asarray(utilities, dtype=np.float64) - middle)
    return tuple(middle + float(t) / int(c) if c else None for t, c in zip(total, uses, strict=True))


def _permutation(draws: np.random.Generator, count: int) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
    return np.argsort(draws.random(count), kind="stable")
