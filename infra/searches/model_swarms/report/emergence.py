"""Correctness emergence over a search: what comes to be solved that no initial expert solved (§1, "extra records")."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from infra.records.values import EvaluationRecord
from infra.searches.model_swarms.report.evidence import Evidence
from swarm.arrays import Floats
from swarm.state import State
from swarm.statistics import correctness_emergence

SOLVED_SCORE = 1.0
"""The least score of a solved example."""


@dataclass(frozen=True)
class Emergence:
    """How the m examples that no initial expert solved come to be solved, over T iterations.

    Attributes:
        examples: [m], the examples' numbers, the first is 0; those that most personal bests end up solving first.
        shares: [m, T], the share of the particles whose personal best of that iteration solves the example.
        global_best: [T], the share of these examples that the global best of that iteration solves.

    """

    examples: tuple[int, ...]
    shares: Floats
    global_best: tuple[float, ...]

    @property
    def solved(self) -> int:
        """How many of the examples the latest global best solves."""
        return round(self.global_best[-1] * len(self.examples))


def emergence(evidence: Evidence) -> Emergence | None:
    """Return the emergence on the dev split.

    None if the experts solve everything, nothing is evaluated yet, or answers are not right or wrong.
    """
    experts = [evaluation.scores for evaluation in evidence.experts]
    if not experts or not evidence.states or not evidence.is_graded:
        return None
    unsolved = np.flatnonzero((np.asarray(experts) < SOLVED_SCORE).all(axis=0))
    if not unsolved.size:
        return None
    shares = np.stack([_solved_shares(evidence, state)[unsolved] for state in evidence.states], axis=1)
    order = np.lexsort((unsolved, *-shares.T))
    best = [_global_best(evidence, experts, state) for state in evidence.states]
    return Emergence(tuple(unsolved[order].tolist()), shares[order], tuple(best))


def _solved_shares(evidence: Evidence, state: State) -> Floats:
    """Return the share [examples] of the personal bests of an iteration that solve each example."""
    keys = zip(state.personal_best_iterations, range(len(state.positions)), strict=True)
    scores = [evidence.search_evaluations[key].scores for key in keys if key in evidence.search_evaluations]
    share: Floats = (np.asarray(scores) >= SOLVED_SCORE).mean(axis=0)
    return share


def _global_best(evidence: Evidence, experts: Sequence[Sequence[float]], state: State) -> float:
    assert state.global_best is not None
    key = (state.global_best.iteration, state.global_best.particle)
    return correctness_emergence(experts, evidence.search_evaluations[key].scores, SOLVED_SCORE) or 0.0


@dataclass(frozen=True)
class Changes:
    """The examples whose score differs between two evaluations: those that were gained, and those that were lost."""

    gains: tuple[int, ...]
    losses: tuple[int, ...]


def changes(before: EvaluationRecord, after: EvaluationRecord) -> Changes:
    """Return which of the same examples score higher or lower in `after`."""
    differences = np.asarray(after.scores) - np.asarray(before.scores)
    gains, losses = np.flatnonzero(differences > 0), np.flatnonzero(differences < 0)
    return Changes(tuple(gains.tolist()), tuple(losses.tolist()))
