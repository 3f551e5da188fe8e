"""One evaluation outside of a search: found in the records, or made by an engine and recorded."""

from collections.abc import Callable
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from cli.subject import Subject
from data.examples import Split
from data.objective import Objective
from experts.base_models import BaseModel
from experts.bases import AnyBasis
from experts.basis import load_basis
from experts.seed_basis import seed_basis
from infra.configs.common import ExpertsConfig, RunConfig
from infra.engines.config import EngineConfig
from infra.engines.host import EngineHost
from infra.engines.kinds import engine_identity, open_engine
from infra.evaluation.evaluator import Evaluator, initial_recipes
from infra.records.store import Records
from infra.records.values import EvaluationGroup, EvaluationRecord
from infra.scorers.opening import Scorers
from infra.searches.evolution_strategies.config import EvolutionStrategiesConfig
from infra.settings import Settings
from swarm.draws import Purpose, generator
from swarm.statistics import Interval, bootstrap_interval

OnRows = Callable[[int, int], None]


@dataclass(frozen=True)
class Question:
    """What is to be known: how good `subject` is on one split of `objective`, answered by the engine of `engine`.

    `initial` is what the experts that set the objective's scales are made from; None if it needs no scales.
    """

    subject: Subject
    base: BaseModel
    objective: Objective
    split: Split
    engine: EngineConfig
    settings: Settings
    initial: AnyBasis | None = None

    @cached_property
    def engine_identity(self) -> str:
        """What the engine's answers depend on."""
        return engine_identity(self.engine, self.base)

    def evaluator(self, scorers: Scorers, records: Records) -> Evaluator:
        """Return what makes the evaluation as a run would."""
        initial = () if self.initial is None else initial_recipes(self.initial)
        return Evaluator(self.objective, self.engine_identity, initial, scorers, records)


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
    with closing(Scorers(question.settings)) as scorers:
        evaluator = question.evaluator(scorers, records)
        key = evaluator.key([question.subject.recipe], question.split)
        recorded = records.evaluation_group(key)
        evaluations = recorded or _evaluate(question, evaluator, on_rows)
    group = next(group for group in records.evaluation_groups() if group.key == key)
    return Found(evaluations[0], group, recorded is not None)


def initial_basis(config: RunConfig, base: BaseModel) -> AnyBasis:
    """Return what the initial experts of `config` are made from; raises `InputError` if one can't be read."""
    if isinstance(config, ExpertsConfig):
        return load_basis(config.experts, base)
    if isinstance(config, EvolutionStrategiesConfig):
        return seed_basis(base, config.perturbation.perturbation(config.search.reference), config.start)
    raise TypeError(f"algorithm {config.algorithm!r} has no initial experts")


def intervals(question: Question, evaluation: EvaluationRecord) -> tuple[Interval, list[Interval]]:
    """Return the 95 % bootstrap interval of the objective's utility, and of each task's."""
    objective = question.objective
    scores = objective.by_task(question.split, evaluation.scores)
    whole = bootstrap_interval(scores, _draws(), objective.combine)
    return whole, [bootstrap_interval([task], _draws(), lambda utilities: utilities[0]) for task in scores]


def _draws() -> np.random.Generator:
    return generator(0, 0, 0, Purpose.BOOTSTRAP)


def _evaluate(question: Question, evaluator: Evaluator, on_rows: OnRows) -> tuple[EvaluationRecord, ...]:
    if question.initial is not None:  # measured first, and kept: two engines may not fit beside each other
        with _engine(question, question.initial, on_rows) as host:
            evaluator.scales(host.run)
    with _engine(question, question.subject.basis, on_rows) as host:
        return evaluator.evaluate([question.subject.recipe], question.split, host.run)


def _engine(question: Question, basis: AnyBasis, on_rows: OnRows) -> AbstractContextManager[EngineHost]:
    return closing(EngineHost(lambda: open_engine(question.engine, question.base, basis), on_rows))
