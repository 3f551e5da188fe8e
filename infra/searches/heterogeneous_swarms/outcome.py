"""The end of a search for a system: the test of the best system, and the run's summary."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from infra.evaluation.inputs import RunInputs
from infra.records.values import EvaluationRecord, Purpose
from infra.run.comparison import Comparison
from infra.run.open_run import OpenRun
from infra.searches.heterogeneous_swarms.config import HeterogeneousSwarmsConfig
from infra.systems.contributions import contributions, describe
from infra.systems.executor import Savings
from swarm.c_gain import collaborative_gain
from swarm.draws import Draw
from swarm.heterogeneous_plan import SystemTemplate
from swarm.heterogeneous_state import HeterogeneousState
from swarm.recipes import Recipe
from swarm.systems import System

SystemRun = OpenRun[HeterogeneousSwarmsConfig, RunInputs]


def nodes_of(config: HeterogeneousSwarmsConfig, bases: tuple[str, ...]) -> SystemTemplate:
    """Return what the nodes of a run's systems are made of; `bases` are its experts' ids."""
    roles = tuple(config.roles) or ("",) * config.nodes(len(bases))
    return SystemTemplate(bases, config.space, roles)


def expert_recipes(run: SystemRun) -> list[Recipe]:
    """Return the m initial experts, each alone."""
    bases = run.inputs.bases
    return [Recipe(bases, tuple(row), run.config.space) for row in np.eye(len(bases)).tolist()]


@dataclass(frozen=True)
class SystemFinalists:
    """The models and the system that are compared after the search.

    Attributes:
        expert: the index of the initial expert with the best dev utility alone (the first wins ties).
        expert_dev: its utility.
        starting_best: its recipe.
        best: the best system that was ever evaluated.
        components: its different models.

    """

    expert: int
    expert_dev: float
    starting_best: Recipe
    best: System
    components: tuple[Recipe, ...]


def choose_finalists(experts: Sequence[Recipe], dev: Sequence[EvaluationRecord], best: System) -> SystemFinalists:
    """Choose the starting best by the experts' evaluations on `dev` alone."""
    expert = max(range(len(experts)), key=lambda index: dev[index].utility)
    return SystemFinalists(expert, dev[expert].utility, experts[expert], best, tuple(dict.fromkeys(best.recipes)))


@dataclass(frozen=True)
class SystemTest:
    """The evaluations of the finalists on the test split, which nothing has read before.

    Attributes:
        starting_best: the best expert.
        best: the best system.
        components: its models, each alone.

    """

    starting_best: EvaluationRecord
    best: EvaluationRecord
    components: tuple[EvaluationRecord, ...]


class SystemOutcome:
    """The run's summary."""

    def __init__(self, run: SystemRun, final: HeterogeneousState, finalists: SystemFinalists, test: SystemTest) -> None:
        self._run, self._final, self._finalists, self._test = run, final, finalists, test
        self._compare = Comparison(run.inputs.objective, run.config.seed)

    def summary(self, stopped_by: str, parts: Sequence[float], system_sha256: str) -> dict[str, Any]:
        """Return what `summary.json` holds; `parts` are the utilities of `parts_of` the best system."""
        run, finalists = self._run, self._finalists
        return {
            **run.heading(self._final.iteration, stopped_by),
            "saved": self._savings().to_json(),
            "starting_best": {
                "expert": run.inputs.names[finalists.expert],
                "dev": finalists.expert_dev,
                **self._compare.test(self._test.starting_best.scores),
            },
            "ending_best": self._ending_best(parts),
            "ensemble": None,
            "c_gain": self._c_gain(),
            "best_system_sha256": system_sha256,
            "state_sha256": self._final.sha256,
        }

    def _ending_best(self, parts: Sequence[float]) -> dict[str, Any]:
        best, system = self._final.best, self._finalists.best
        assert best is not None
        before, after = self._test.starting_best.scores, self._test.best.scores
        return {
            "iteration": best.iteration,
            "step": best.step,
            "system": system.to_json(),
            "nodes": describe(system, contributions(system, best.utility, parts)),
            "dev": best.utility,
            **self._compare.test(after),
            "p_value_vs_starting_best": self._compare.p_value(before, after),
        }

    def _c_gain(self) -> Mapping[str, Any]:
        """Return the collaborative gain over the system's different models, as plain JSON."""
        alone = [evaluation.scores for evaluation in self._test.components]
        gain = collaborative_gain(alone, self._test.best.scores, self._compare.draws(Draw.BOOTSTRAP))
        return {"models": len(alone), **asdict(gain), "buckets": [asdict(bucket) for bucket in gain.buckets]}

    def _savings(self) -> Savings:
        """Return what sharing answers saved in the search."""
        links = self._run.records.run_evaluations(self._run.config.name, Purpose.SEARCH)
        groups = sorted({link.evaluation.group for link in links})
        records = [self._run.records.node_answers(group) or {} for group in groups]
        return sum((Savings.from_json(record["saved"]) for record in records), Savings())
