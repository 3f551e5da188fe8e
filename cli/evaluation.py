"""One evaluation outside of a search: found in the records, or made by an engine and recorded."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from cli.subject import Subject
from data.examples import Split
from data.objective import Objective
from experts.base_models import BaseModel
from infra.engines.config import EngineConfig
from infra.engines.identity import engine_identity
from infra.engines.opening import open_engine
from infra.records.store import Records
from infra.records.values import EvaluationGroup, EvaluationRecord
from swarm.canonical import content_hash
from swarm.draws import Purpose, generator
from swarm.statistics import Interval, bootstrap_interval

OnRows = Callable[[int, int], None]


@dataclass(frozen=True)
class Question:
    """What is to be known: how good `subject` is on one split of `objective`, answered by the engine of `engine`."""

    subject: Subject
    base: BaseModel
    objective: Objective
    split: Split
    engine: EngineConfig

    @cached_property
    def engine_identity(self) -> str:
        """What the engine's answers depend on."""
        return engine_identity(self.engine, self.base)

    @property
    def key(self) -> str:
        """The key of its evaluation group: the one under which a run would find it (`OpenRun.group_key`)."""
        return content_hash(
            [[self.subject.recipe.to_json()], self.objective.split_key(self.split), self.split, self.engine_identity]
        )


@dataclass(frozen=True)
class Found:
    """An evaluation, its cost, and whether it was in the records before."""

    evaluation: EvaluationRecord
    group: EvaluationGroup
    recorded: bool


def answer(question: Question, records: Records, on_rows: OnRows) -> Found:
    """Return the evaluation that `question` asks for; an engine is opened only if the records don't hold it.

    Raises:
        InputError: this machine can't run the engine.
        EvaluationError: the engine could not answer.

    """
    recorded = records.evaluation_group(question.key)
    evaluations = recorded or _evaluate(question, records, on_rows)
    group = next(group for group in records.evaluation_groups() if group.key == question.key)
    return Found(evaluations[0], group, recorded is not None)


def intervals(question: Question, evaluation: EvaluationRecord) -> tuple[Interval, list[Interval]]:
    """Return the 95 % bootstrap interval of the objective's utility, and of each task's."""
    objective = question.objective
    scores = objective.by_task(question.split, evaluation.scores)
    whole = bootstrap_interval(scores, _draws(), objective.combine)
    return whole, [bootstrap_interval([task], _draws(), lambda utilities: utilities[0]) for task in scores]


def _draws() -> np.random.Generator:
    return generator(0, 0, 0, Purpose.BOOTSTRAP)


def _evaluate(question: Question, records: Records, on_rows: OnRows) -> tuple[EvaluationRecord, ...]:
    objective, recipe = question.objective, question.subject.recipe
    engine = open_engine(question.engine, question.base, question.subject.basis)
    try:
        start = time.perf_counter()
        [responses] = engine.run([recipe], [objective.requests(question.split)], on_rows)
        seconds = time.perf_counter() - start
    finally:
        engine.close()
    scored = objective.score(question.split, responses)
    record = EvaluationRecord(
        question.key,
        0,
        recipe.to_json(),
        scored.utility,
        scored.task_utilities,
        scored.scores,
        scored.predictions,
        scored.outputs,
    )
    tokens = sum(getattr(response, "tokens", 0) for response in responses)
    return records.save_evaluation_group(
        question.key,
        objective.split_key(question.split),
        question.split,
        question.engine_identity,
        [record],
        tokens,
        seconds,
    )
