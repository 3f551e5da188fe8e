"""One evaluation outside of a search: read from the records, or made by an engine and recorded."""

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass

import numpy as np

from data.examples import Split
from data.objective import Objective
from experts.base_models import BaseModel
from infra.engines.config import EngineConfig
from infra.engines.host import EngineHost
from infra.engines.kinds import engine_identity
from infra.engines.kinds import open_engine
from experts.bases import AnyBasis
from infra.evaluation.evaluator import Evaluator, initial_recipes
from infra.evaluation.subject import Subject
from infra.records.store import Records
from infra.records.values import EvaluationGroup, EvaluationRecord
from infra.scorers.open_scorers import Scorers
from infra.settings import Settings
from swarm.draws import Draw, generator
from swarm.statistics import Interval, bootstrap_interval

OnRows = Callable[[int, int], None]


@dataclass(frozen=True)
class EvaluationRequest:
    """The question of `swarm evaluate`: how good `subject` is on one split of `objective`, answered by the engine of `engine`.

    `initial` is what the experts that set the objective's scales are made from; None if it needs no scales.
    """

    subject: Subject
    base: BaseModel
    objective: Objective
    split: Split
    engine: EngineConfig
    settings: Settings
    initial: AnyBasis | None = None

    def evaluator(self, host: EngineHost, scorers: Scorers, records: Records) -> Evaluator:
        """Return what makes the evaluation as a run would."""
        initial = () if self.initial is None else initial_recipes(self.initial)
        identity = engine_identity(self.engine, self.base)
        return Evaluator(self.objective, identity, initial, host.run, scorers, records)

    def host(self, basis: AnyBasis, on_rows: OnRows) -> EngineHost:
        """Return what opens an engine over `basis` when it is first asked."""
        return EngineHost(lambda: open_engine(self.engine, self.base, basis), on_rows)


@dataclass(frozen=True)
class EvaluationResult:
    """An evaluation, its cost, and whether it was in the records before."""

    evaluation: EvaluationRecord
    group: EvaluationGroup
    is_recorded: bool


def evaluate_subject(request: EvaluationRequest, records: Records, on_rows: OnRows) -> EvaluationResult:
    """Return the evaluation that `request` asks for; an engine is opened only if the records don't hold it.

    Raises:
        InputError: this machine can't run the engine.
        EvaluationError: the engine could not answer.

    """
    group = request.subject.group(request.split)
    with closing(Scorers(request.settings)) as scorers, closing(request.host(request.subject.basis, on_rows)) as host:
        evaluator = request.evaluator(host, scorers, records)
        key = group.key(evaluator)
        recorded_evaluations = records.evaluation_group(key)
        if recorded_evaluations is None and request.initial is not None:
            _measure_scales(request, request.initial, scorers, records, on_rows)
        evaluations = recorded_evaluations or group.evaluate(evaluator)
    [row] = records.evaluation_groups([key])
    return EvaluationResult(evaluations[0], row, recorded_evaluations is not None)


def intervals(request: EvaluationRequest, evaluation: EvaluationRecord) -> tuple[Interval, list[Interval]]:
    """Return the 95 % bootstrap interval of the objective's utility, and of each task's."""
    objective = request.objective
    scores = objective.by_task(request.split, evaluation.scores)
    whole = bootstrap_interval(scores, _draws(), objective.combine)
    return whole, [bootstrap_interval([task], _draws(), lambda utilities: utilities[0]) for task in scores]


def _measure_scales(
    request: EvaluationRequest, initial: AnyBasis, scorers: Scorers, records: Records, on_rows: OnRows
) -> None:
    """Measure the scales first, and give their engine back: two engines may not fit beside each other."""
    with closing(request.host(initial, on_rows)) as host:
        request.evaluator(host, scorers, records).scales()


def _draws() -> np.random.Generator:
    return generator(0, 0, 0, Draw.BOOTSTRAP)
