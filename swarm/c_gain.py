"""C-Gain: the gain of a system's models by working together (Heterogeneous Swarms, arXiv 2502.04510, §4).

Examples are put into buckets by how many of the n models solve them alone. A model drawn at random solves a share k/n
of bucket k; what the system solves beyond that is its gain.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from swarm.statistics import Interval, bootstrap_interval


@dataclass(frozen=True)
class Bucket:
    """The examples that exactly `models` of the n models solve alone.

    Attributes:
        models: k, 0 … n.
        examples: how many examples there are, ≥ 1.
        accuracy: the share of them that the system solves.
        expectation: k/n.
        gain: accuracy − expectation, with its bootstrap interval.

    """

    models: int
    examples: int
    accuracy: float
    expectation: float
    gain: Interval


@dataclass(frozen=True)
class CollaborativeGain:
    """C-Gain, by bucket and as a whole.

    Attributes:
        buckets: those that hold examples, by rising k.
        gain: the mean of the buckets' gains, weighted by their examples: the system's accuracy minus the mean accuracy
            of the models; with its bootstrap interval.

    """

    buckets: tuple[Bucket, ...]
    gain: Interval


def collaborative_gain(
    models: Sequence[ArrayLike], system: ArrayLike, draws: np.random.Generator, least_solved_score: float = 1.0
) -> CollaborativeGain:
    """Return the C-Gain of a system over its models.

    Args:
        models: [n][examples], each model's per-example scores when it answers alone.
        system: [examples], the system's scores of the same examples.
        draws: where the bootstrap's resamples come from.
        least_solved_score: the least score of a solved example.

    Raises:
        ValueError: no models, no examples, lengths that disagree, or a score that is not finite.

    """
    alone, together = _solved_examples(models, system, least_solved_score)
    counts, n = alone.sum(axis=0), len(alone)
    gains = together - counts / n
    return CollaborativeGain(
        tuple(_bucket(k, n, together[counts == k], draws) for k in np.unique(counts).tolist()),
        bootstrap_interval([gains], draws, _mean),
    )


def _solved_examples(
    models: Sequence[ArrayLike], system: ArrayLike, least_solved_score: float
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    if not models:
        raise ValueError("a collaborative gain needs at least one model")
    scores = [np.asarray(values, dtype=np.float64) for values in (*models, system)]
    if len({values.shape for values in scores}) != 1:
        raise ValueError(f"the same examples are needed, not {[values.size for values in scores]}")
    if not all(np.isfinite(values).all() for values in scores):
        raise ValueError("a score is not finite")
    return np.stack(scores[:-1]) >= least_solved_score, scores[-1] >= least_solved_score


def _bucket(k: int, n: int, together: NDArray[np.bool_], draws: np.random.Generator) -> Bucket:
    gains = together - k / n
    return Bucket(k, together.size, float(together.mean()), k / n, bootstrap_interval([gains], draws, _mean))


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)
