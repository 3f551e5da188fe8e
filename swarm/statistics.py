"""Statistics of results: intervals, paired tests, and answers that only the search found (§1, "records")."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from swarm.arrays import Floats
from swarm.ensemble import top_k

RESAMPLES = 10_000
_CHUNK = 1 << 20
"""Indices drawn at once: bounds the memory of a test to some megabytes, whatever the number of examples."""


@dataclass(frozen=True)
class Interval:
    """A mean and the bounds between which it lies with the given confidence."""

    mean: float
    low: float
    high: float


Combine = Callable[[Sequence[float]], float]
"""Returns the utility from the mean score of each task."""


def bootstrap_interval(
    tasks: Sequence[ArrayLike],
    draws: np.random.Generator,
    combine: Combine,
    resamples: int = RESAMPLES,
    confidence: float = 0.95,
) -> Interval:
    """Return a utility with its percentile bootstrap interval (Efron & Tibshirani 1993, §13.3).

    Args:
        tasks: [tasks][examples], per-example scores; examples are resampled within their task.
        draws: where the resamples come from.
        combine: makes the tasks' mean scores one utility.
        resamples: how many.
        confidence: of the interval.

    Raises:
        ValueError: no scores, a score that is not finite, or not one dimension.

    """
    values = [_scores(scores) for scores in tasks]
    utilities = _resampled_utilities([values], draws, combine, resamples)[0]
    tail = (1 - confidence) / 2
    low, high = np.quantile(utilities, [tail, 1 - tail])
    return Interval(combine([float(task.mean()) for task in values]), float(low), float(high))


def paired_bootstrap_p_value(
    first: Sequence[ArrayLike],
    second: Sequence[ArrayLike],
    draws: np.random.Generator,
    combine: Combine,
    resamples: int = RESAMPLES,
) -> float:
    """Return the two-sided p value of "both have the same utility", from their scores of the same examples.

    The same resamples are drawn for both; what counts is how often the difference of their utilities strays from the
    observed one by at least as much as that strays from 0 (Efron & Tibshirani 1993, §16.4). The least value is
    1 / (resamples + 1).

    Args:
        first: [tasks][examples], per-example scores of one.
        second: those of the other, of the same examples.
        draws: where the resamples come from.
        combine: makes the tasks' mean scores one utility.
        resamples: how many.

    Raises:
        ValueError: no scores, a score that is not finite, or lengths that disagree.

    """
    both = [[_scores(scores) for scores in group] for group in (first, second)]
    sizes = [[task.size for task in group] for group in both]
    if sizes[0] != sizes[1]:
        raise ValueError(f"a paired test needs the same examples, not {sizes[0]} and {sizes[1]} scores")
    before, after = (combine([float(task.mean()) for task in group]) for group in both)
    resampled_utilities = _resampled_utilities(both, draws, combine, resamples)
    observed_difference = after - before
    strays = np.abs(resampled_utilities[1] - resampled_utilities[0] - observed_difference)
    rounding = 1e-12  # utilities of the same scores in another order are still a tie
    extreme = int(np.count_nonzero(strays >= abs(observed_difference) - rounding))
    return (extreme + 1) / (resamples + 1)


def _scores(scores: ArrayLike) -> Floats:
    values = np.asarray(scores, dtype=np.float64)
    if values.ndim != 1 or values.size == 0:
        raise ValueError(f"scores must be a list of at least one number, not of the shape {values.shape}")
    if not np.isfinite(values).all():
        raise ValueError(f"score {int(np.argmin(np.isfinite(values)))} is not finite")
    return values


def _resampled_utilities(
    groups: Sequence[Sequence[Floats]], draws: np.random.Generator, combine: Combine, resamples: int
) -> Floats:
    """Return utilities [groups, resamples]; all groups share each resample's examples."""
    means = np.empty((len(groups), len(groups[0]), resamples))
    for index, task in enumerate(zip(*groups, strict=True)):
        means[:, index] = _resampled_means(np.stack(task), draws, resamples)
    return np.array([[combine(column) for column in group.T.tolist()] for group in means])


def _resampled_means(values: Floats, draws: np.random.Generator, resamples: int) -> Floats:
    """Return the means [rows, resamples] of as many columns of `values` [rows, m], drawn with replacement."""
    size = values.shape[1]
    step = max(1, _CHUNK // size)
    means = np.empty((len(values), resamples))
    for start in range(0, resamples, step):
        chunk = means[:, start : start + step]
        columns = draws.integers(size, size=(chunk.shape[1], size), dtype=np.int32)
        chunk[:] = values[:, columns].mean(axis=2)
    return means


def correctness_emergence(
    experts: Sequence[Sequence[float]], final: Sequence[float], least_solved_score: float = 1.0
) -> float | None:
    """Return the share of the examples that no initial expert solved that the final one solves.

    Args:
        experts: [experts][examples], per-example scores.
        final: [examples], the final expert's scores of the same examples.
        least_solved_score: the least score of a solved example.

    Returns:
        0 … 1, or None if the experts together solved everything.

    Raises:
        ValueError: the experts and the final one were not scored on the same number of examples.

    """
    is_unsolved = (np.asarray(experts, dtype=np.float64) < least_solved_score).all(axis=0)
    last = np.asarray(final, dtype=np.float64)
    if last.shape != is_unsolved.shape:
        raise ValueError(f"the experts have {is_unsolved.size} examples but the final one {last.size}")
    return float((last[is_unsolved] >= least_solved_score).mean()) if is_unsolved.any() else None


def initial_rank(utilities: Sequence[float | None], particle: int) -> int:
    """Return a particle's rank (1 is best) among the initial utilities; the lower index wins ties.

    A final best whose rank is above 1 is what the paper calls a diamond in the rough.
    """
    return top_k(utilities, len(utilities)).index(particle) + 1
