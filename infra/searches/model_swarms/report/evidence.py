"""Everything that a report tells of a run, read from the records once."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from infra.records.store import Records
from infra.records.values import EvaluationRecord, Purpose, RunRecord
from infra.report.tasks import is_graded, task_names
from swarm.ensemble import top_k
from swarm.recipes import BASE
from swarm.state import Extreme, State


@dataclass(frozen=True)
class Evidence:
    """What the records hold of one run.

    Attributes:
        run: the run itself; its summary is None before the end.
        names: the n names that a recipe's coefficients belong to: the experts', then the base model's if it is one.
        tasks: the names of the objective's tasks.
        states: the states of iterations 0, 1, …, with their utilities; none before iteration 0 is finished.
        search_evaluations: (iteration, particle) → its evaluation on the dev split; unevaluated ones are missing.
        test_evaluations: purpose → evaluation on the test split; empty before the test, or without test examples.
        seconds: part → seconds over the whole run, the longest first.

    """

    run: RunRecord
    names: tuple[str, ...]
    tasks: tuple[str, ...]
    states: tuple[State, ...]
    search_evaluations: Mapping[tuple[int, int], EvaluationRecord]
    test_evaluations: Mapping[Purpose, EvaluationRecord]
    seconds: Mapping[str, float]

    @property
    def best(self) -> Extreme | None:
        """The global best so far; None before iteration 0 is finished."""
        return self.states[-1].global_best if self.states else None

    @property
    def best_expert(self) -> int | None:
        """The index of the initial expert with the best dev utility; the first wins ties."""
        return top_k(self.states[0].utilities[: len(self.names)], 1)[0] if self.states else None

    @property
    def experts(self) -> tuple[EvaluationRecord, ...]:
        """The initial experts' evaluations on the dev split, in the order of `names`."""
        keys = [(0, particle) for particle in range(len(self.names))]
        return tuple(self.search_evaluations[key] for key in keys if key in self.search_evaluations)

    @property
    def is_graded(self) -> bool:
        """Whether every task's answers are right or wrong, so that examples get solved and utilities are shares."""
        return is_graded(self.run)

    def pair(self, split: str) -> tuple[EvaluationRecord, EvaluationRecord] | None:
        """Return the evaluations of the best expert and of the global best on `split` (dev or test), if both exist."""
        if split == "test":
            evaluations = [self.test_evaluations.get(p) for p in (Purpose.STARTING_BEST, Purpose.ENDING_BEST)]
        elif self.best is not None and self.best_expert is not None:
            keys = [(0, self.best_expert), (self.best.iteration, self.best.particle)]
            evaluations = [self.search_evaluations.get(key) for key in keys]
        else:
            return None
        before, after = evaluations
        return None if before is None or after is None else (before, after)


def read_evidence(records: Records, run: str) -> Evidence:
    """Return what `records` hold of `run`, finished or not.

    Raises:
        InputError: there is no such run.

    """
    record = records.run(run)
    evaluations = records.run_evaluations(run)
    return Evidence(
        run=record,
        names=_names(record.config),
        tasks=task_names(record),
        states=tuple(State.from_json(iteration.state) for iteration in records.iterations(run)),
        search_evaluations={
            (e.iteration, e.particle): e.evaluation for e in evaluations if e.purpose is Purpose.SEARCH
        },
        test_evaluations={
            e.purpose: e.evaluation for e in evaluations if e.purpose in (Purpose.STARTING_BEST, Purpose.ENDING_BEST)
        },
        seconds=records.timings(run),
    )


def _names(config: dict[str, Any]) -> tuple[str, ...]:
    return (*config["experts"], BASE) if config["include_base"] else tuple(config["experts"])
