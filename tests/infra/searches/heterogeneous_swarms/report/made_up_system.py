"""A Heterogeneous Swarms run as the records keep it, searched for real over made-up answers: no model, no engine."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np

from infra.records.store import Records
from infra.records.values import EvaluationRecord, Purpose, RunStatus
from infra.searches.heterogeneous_swarms.config import HeterogeneousSwarmsConfig
from infra.systems.contributions import contributions, describe, parts_of
from infra.systems.executor import Savings
from swarm.c_gain import collaborative_gain
from swarm.heterogeneous import ask, tell_graphs, tell_models
from swarm.heterogeneous_plan import SystemTemplate, best_system, graph_systems, model_systems
from swarm.heterogeneous_population import initialise
from swarm.heterogeneous_state import HeterogeneousState
from swarm.recipes import Space
from swarm.statistics import bootstrap_interval, paired_bootstrap_p_value
from swarm.systems import System

NAMES = ("arithmetic", "commonsense", "pick-the-word", "sorting", "cot")
ROLES = ("", "You look for mistakes.", "", "", "Explain in one sentence, then answer.", "")
MOMENT = datetime(2026, 11, 21, 12, 50, tzinfo=UTC)
EXAMPLES = 60


class MadeUpSystemRun:
    """Saves a run; whoever's coefficients lie near an example's goal solves it, and an end node repeats its readers."""

    def __init__(self, folder: Path, names: Sequence[str] = NAMES, roles: Sequence[str] = ROLES, output: str = "{}"):
        self.records = Records(f"sqlite:///{folder / 'records.db'}", clock=lambda: MOMENT)
        self.name, self._names, self._roles, self._output = "made-up", tuple(names), tuple(roles), output
        self._bases = tuple(f"{k:064x}" for k in range(len(names)))
        config = HeterogeneousSwarmsConfig.model_validate(
            {
                "name": self.name,
                "seed": 3,
                "base_model": "smollm2-135m-instruct",
                "experts": [f"experts/{number}" for number in range(len(names))],
                "objective": {"tasks": [{"kind": "exact_match", "data": "d.json", "name": "facts"}]},
                "search": {"graphs": 6, "assignments": 6},
                "roles": list(roles),
            }
        )
        self._parameters = config.search.parameters(len(roles))
        self._nodes = SystemTemplate(self._bases, Space.FACTORS, self._roles)
        draws = np.random.default_rng(7)
        self._goals = draws.normal(0.2, 0.5, size=(EXAMPLES, len(names)))
        self._reach = draws.uniform(0.4, 1.5, size=EXAMPLES)
        settings = config.settings() | {"experts": list(names)}
        identity = {f"expert {name}": base for name, base in zip(names, self._bases, strict=True)}
        self.records.start_run(self.name, "heterogeneous-swarms", settings, {"base model": "b" * 64, **identity}, 3)

    def search(self, iterations: int) -> list[HeterogeneousState]:
        """Run and save iterations 0 … `iterations`."""
        states = [self._told(initialise(self._parameters, 3, len(self._names)))]
        for _ in range(iterations):
            states.append(self._told(ask(self._parameters, 3, states[-1])))
        return states

    def finish(self, states: Sequence[HeterogeneousState]) -> dict[str, Any]:
        """Test the best system and its models, and save the summary."""
        final, best = states[-1], best_system(states[-1], self._nodes)
        assert final.best is not None
        components = [self._alone(recipe.coefficients) for recipe in dict.fromkeys(best.recipes)]
        scores = self._scores(best)
        self._save(final.iteration, Purpose.COMPONENT, "components", [({}, item) for item in components])
        self._save(final.iteration, Purpose.ENDING_BEST, "best", [(best.to_json(), scores)], self._said(best))
        parts = [final.best.utility - 0.03 * ((7 * number) % 5 - 1) for number in range(len(parts_of(best)))]
        summary = self._summary(final, best, components, scores, parts)
        self.records.mark(self.name, RunStatus.FINISHED, stopped_by="patience", summary=summary)
        return summary

    def _summary(
        self,
        final: HeterogeneousState,
        best: System,
        components: list[list[float]],
        scores: list[float],
        parts: list[float],
    ) -> dict[str, Any]:
        assert final.best is not None
        first, draws = self._alone(np.eye(len(self._names))[0]), np.random.default_rng(1)
        before, after = (bootstrap_interval([item], draws, fmean) for item in (first, scores))
        gain = collaborative_gain(components, scores, draws)
        return {
            "experts": dict(zip(self._names, self._bases, strict=True)),
            "evaluations": 84,
            "generated_tokens": 654_321,
            "saved": Savings(5040, 2911, 120_000, 66_000, 48).to_json(),
            "starting_best": {
                "expert": self._names[0],
                "dev": 0.5,
                "test": before.mean,
                "test_ci95": [before.low, before.high],
            },
            "ending_best": {
                "iteration": final.best.iteration,
                "step": final.best.step,
                "system": best.to_json(),
                "nodes": describe(best, contributions(best, final.best.utility, parts)),
                "dev": final.best.utility,
                "test": after.mean,
                "test_ci95": [after.low, after.high],
                "p_value_vs_starting_best": paired_bootstrap_p_value([first], [scores], draws, fmean),
            },
            "ensemble": None,
            "c_gain": {"models": len(components), **asdict(gain)},
            "best_system_sha256": "a" * 64,
        }

    def _told(self, state: HeterogeneousState) -> HeterogeneousState:
        utilities = [fmean(self._scores(system)) for system in graph_systems(state, self._nodes)]
        graphs = tell_graphs(self._parameters, state, utilities)
        planned = model_systems(self._parameters, 3, graphs, self._nodes)
        told = tell_models(self._parameters, 3, graphs, [fmean(self._scores(system)) for system in planned])
        self.records.save_iteration(self.name, told.iteration, told.to_json())
        self.records.add_timings(self.name, told.iteration, {"evaluation (dev)": 41.5, "orchestration": 3.0})
        return told

    def _alone(self, coefficients: Any) -> list[float]:
        far = np.linalg.norm(self._goals - np.asarray(coefficients), axis=1)
        solved: list[float] = (far < self._reach).astype(float).tolist()
        return solved

    def _scores(self, system: System) -> list[float]:
        """Return the share of examples that the end node, or half of its readers, or more, solve."""
        solved = np.array([self._alone(recipe.coefficients) for recipe in system.recipes])
        sources = solved[list(system.dag.predecessors[system.dag.end])].mean(axis=0) >= 0.5
        scores: list[float] = (sources | (solved[system.dag.end] > 0)).astype(float).tolist()
        return scores

    def _said(self, system: System) -> dict[str, Any]:
        order = system.dag.order
        answers = [
            [system.recipes[node].key, f"{node} {example}", [self._output.format(f"node {node}: {example}"), 5]]
            for node in order
            for example in range(EXAMPLES)
        ]
        numbers = np.arange(len(order) * EXAMPLES).reshape(1, len(order), EXAMPLES)
        return {"answers": answers, "nodes": numbers.tolist(), "saved": Savings().to_json()}

    def _save(
        self,
        iteration: int,
        purpose: Purpose,
        key: str,
        rows: list[tuple[dict[str, Any], list[float]]],
        said: dict[str, Any] | None = None,
    ) -> None:
        texts = ("42",) * EXAMPLES
        records = [
            EvaluationRecord(key, k, what, fmean(scores), (fmean(scores),), tuple(scores), texts, texts)
            for k, (what, scores) in enumerate(rows)
        ]
        self.records.save_evaluation_group(key, "o", "test", "made-up", records, 9, 1.0, said)
        places = [(k, key, k) for k in range(len(rows))]
        self.records.link_evaluations(self.name, iteration, purpose, places)
