"""A run as the records keep it, searched for real by Model Swarms over a made-up utility: no model, no engine."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np

from data.requests import Generate, request_json
from infra.records.request_texts import GroupRequests
from infra.records.store import Records
from infra.records.values import EvaluationRecord, Purpose, RunStatus
from infra.searches.model_swarms.config import ModelSwarmsConfig
from swarm.ensemble import top_k
from swarm.parameters import Parameters
from swarm.population import initialise, recipes
from swarm.pso import ask, tell
from swarm.recipes import Recipe, Space
from swarm.state import State
from swarm.statistics import bootstrap_interval, paired_bootstrap_p_value

NAMES = ("arithmetic", "commonsense", "pick-the-word", "sorting", "cot")
MOMENT = datetime(2026, 11, 21, 12, 50, tzinfo=UTC)


class MadeUpRun:
    """Saves a run step by step; an example is solved by a recipe that lies within its reach."""

    def __init__(
        self,
        folder: Path,
        parameters: Parameters,
        names: Sequence[str] = NAMES,
        tasks: Sequence[str] = ("knowledge",),
        examples: int = 120,
        output: str = "The answer is {}",
    ) -> None:
        self.records = Records(f"sqlite:///{folder / 'records.db'}", clock=lambda: MOMENT)
        self.name = "made-up"
        self._parameters, self._names, self._tasks, self._output = parameters, tuple(names), tuple(tasks), output
        self._bases = tuple(f"{k:064x}" for k in range(len(names)))
        draws = np.random.default_rng(7)
        goal = draws.dirichlet(np.ones(len(names))) * 1.5 - 0.5 / len(names)
        shape = (2, examples, len(names))
        self._centres = {
            "dev": goal + 0.5 * draws.normal(size=shape)[0],
            "test": goal + 0.5 * draws.normal(size=shape)[1],
        }
        self._reach = draws.uniform(0.5, 1.6, size=examples)
        config = ModelSwarmsConfig.model_validate(
            {
                "name": self.name,
                "seed": 3,
                "base_model": "smollm2-135m-instruct",
                "experts": ["one", "two"],
                "objective": {"tasks": [{"kind": "exact_match", "data": "d.json", "name": name} for name in tasks]},
                "search": asdict(parameters),
            }
        ).settings() | {"experts": list(names)}
        identity = {f"expert {name}": base for name, base in zip(names, self._bases, strict=True)}
        self.records.start_run(self.name, "model-swarms", config, {"base model": "b" * 64, **identity}, 3)

    def search(self, iterations: int) -> list[State]:
        """Run and save iterations 0 … `iterations`."""
        state = initialise(self._parameters, 3, len(self._names))
        states = [self._told(state)]
        for _ in range(iterations):
            states.append(self._told(ask(self._parameters, 3, states[-1])))
        return states

    def finish(self, states: list[State], with_test: bool = True) -> dict[str, Any]:
        """Test the finalists, and save the summary."""
        initial, final = states[0], states[-1]
        assert final.global_best is not None
        expert = top_k(initial.utilities[: len(self._names)], 1)[0]
        bests = [initial.positions[expert].tolist(), final.global_best.coefficients.tolist()]
        selection = [Recipe(self._bases, tuple(row), Space.FACTORS) for row in bests]
        purposes = (Purpose.STARTING_BEST, Purpose.ENDING_BEST)
        tested = self._evaluate(final.iteration, "test", list(zip(range(2), selection, purposes, strict=True)))
        before, after = tested if with_test else (None, None)
        summary = self._summary(states, expert, before, after)
        self.records.mark(self.name, RunStatus.FINISHED, stopped_by="patience", summary=summary)
        return summary

    def _summary(
        self, states: list[State], expert: int, before: EvaluationRecord | None, after: EvaluationRecord | None
    ) -> dict[str, Any]:
        best = states[-1].global_best
        assert best is not None
        start = {"expert": self._names[expert], "dev": states[0].utilities[expert], "test": before and before.utility}
        end: dict[str, Any] = {"dev": best.utility, "test": after and after.utility}
        end |= {"test_ci95": None, "p_value_vs_starting_best": None}
        if before and after:
            draws = np.random.default_rng(1)
            first, second = self._by_task(before), self._by_task(after)
            intervals = [bootstrap_interval(scores, draws, fmean) for scores in (first, second)]
            start["test_ci95"], end["test_ci95"] = ([interval.low, interval.high] for interval in intervals)
            end["p_value_vs_starting_best"] = paired_bootstrap_p_value(first, second, draws, fmean)
        return {
            "evaluations": 212,
            "generated_tokens": 1_234_567,
            "stopped_by": "patience",
            "starting_best": start,
            "ending_best": end,
            "ensemble": {"k": 10, "dev": best.utility, "test": end["test"]},
            "best_adapter_sha256": "a" * 64,
        }

    def _by_task(self, evaluation: EvaluationRecord) -> list[np.ndarray]:
        return np.array_split(np.asarray(evaluation.scores), len(self._tasks))

    def _told(self, state: State) -> State:
        expectation = recipes(state, self._bases, Space.FACTORS)
        places = [(i, expectation[i], Purpose.SEARCH) for i, evaluated in enumerate(state.to_evaluate) if evaluated]
        result = self._evaluate(state.iteration, "dev", places)
        utilities: list[float | None] = [None] * len(expectation)
        for (particle, _, _), evaluation in zip(places, result, strict=True):
            utilities[particle] = evaluation.utility
        told = tell(self._parameters, state, utilities)
        self.records.save_iteration(self.name, told.iteration, told.to_json())
        seconds = {"evaluation (dev)": 41.5, "scoring and records": 1.25, "orchestration": 3.0}
        self.records.add_timings(self.name, told.iteration, seconds)
        return told

    def _evaluate(
        self, iteration: int, split: str, places: list[tuple[int, Recipe, Purpose]]
    ) -> list[EvaluationRecord]:
        if not places:
            return []
        key = f"{split}-{iteration}"
        records = [self._score(key, k, split, recipe) for k, (_, recipe, _) in enumerate(places)]
        sizes = [len(part) for part in self._by_task(records[0])]
        prompts = [[f"{self._output.format(split)} {k}?" for k in range(size)] for size in sizes]
        asked = GroupRequests(lambda: [[request_json(Generate(prompt, 5)) for prompt in task] for task in prompts])
        self.records.save_evaluation_group(key, split, split, "made-up", records, 9, 1.0, requests=asked)
        for k, (particle, _, purpose) in enumerate(places):
            self.records.link_evaluations(self.name, iteration, purpose, [(particle, key, k)])
        return records

    def _score(self, key: str, index: int, split: str, recipe: Recipe) -> EvaluationRecord:
        far = np.linalg.norm(self._centres[split] - np.array(recipe.coefficients), axis=1)
        scores = (far < self._reach).astype(float)
        tasks = tuple(float(part.mean()) for part in np.array_split(scores, len(self._tasks)))
        answers = tuple("42" if score else f"{40 - k % 7}" for k, score in enumerate(scores))
        outputs = tuple(self._output.format(answer) for answer in answers)
        utility = float(np.mean(tasks))
        return EvaluationRecord(key, index, recipe.to_json(), utility, tasks, tuple(scores.tolist()), answers, outputs)
