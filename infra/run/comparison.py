"""The statistics of a test: the utility of per-example scores with its interval, and the paired test of two models."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from data.objective import Objective
from swarm.draws import Draw, generator
from swarm.statistics import bootstrap_interval, paired_bootstrap_p_value


@dataclass(frozen=True)
class Comparison:
    """The statistics of a run's test; equal seeds give equal draws.

    Attributes:
        objective: what scored the examples.
        seed: the run's.

    """

    objective: Objective
    seed: int

    def test(self, scores: Sequence[float]) -> dict[str, Any]:
        """Return the test utility of `scores`, one an example, with its 95 % interval, as a summary has it."""
        by_task = self.objective.by_task("test", scores)
        interval = bootstrap_interval(by_task, self.draws(Draw.BOOTSTRAP), self.objective.combine)
        return {"test": interval.mean, "test_ci95": [interval.low, interval.high]}

    def p_value(self, before: Sequence[float], after: Sequence[float]) -> float:
        """Return the two-sided p value of the paired test of two models' per-example test scores."""
        return paired_bootstrap_p_value(
            self.objective.by_task("test", before),
            self.objective.by_task("test", after),
            self.draws(Draw.PAIRED_TEST),
            self.objective.combine,
        )

    def draws(self, purpose: Draw) -> np.random.Generator:
        """Return the generator of the draws for `purpose`."""
        return generator(self.seed, 0, 0, purpose)
