"""Making an evaluation group: an engine answers, twice where a kind asks on; outside scorers rate; all is scored.

The one place for it: runs and `swarm evaluate` differ only in who answers.
"""

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from data.evaluation import Evaluation
from data.examples import Split
from data.objective import Objective, load_objective
from data.objective_config import ObjectiveConfig
from data.outside import Item, Outside, Rating, Scale, Wanted
from data.requests import Response, request_json
from experts.base_models import BaseModel, chat_template
from experts.bases import AnyBasis
from experts.seed_basis import SeedBasis
from infra.evaluation.answering import Answers, Ask, answered
from infra.records.asked import Asked
from infra.records.store import Records
from infra.records.values import EvaluationRecord
from infra.scorers.opening import Scorers, identify
from infra.settings import Settings
from swarm.canonical import content_hash
from swarm.recipes import BASE, Recipe, Space
from swarm.seeds import Journal, SeedRecipe

Timed = Callable[[str], AbstractContextManager[None]]
"""Counts the seconds of a block as those of a part of the work."""

_SCALE_VERSION = 1

logger = logging.getLogger(__name__)


def open_objective(config: ObjectiveConfig, base: BaseModel, settings: Settings) -> Objective:
    """Read an objective that is asked of `base`; raises `InputError` as `data.objective.load_objective` does."""
    chat = chat_template(base) if any(task.prompt == "chat" for task in config.tasks) else None
    return load_objective(config, chat, identify(settings))


def initial_recipes(basis: AnyBasis) -> tuple[Recipe, ...]:
    """Return whose dev answers set the scales: each expert alone, or the base model where there is none."""
    bases = basis.ids or (BASE,)
    alone = [Recipe(bases, tuple(float(i == j) for j in bases), Space.FACTORS) for i in bases]
    if not isinstance(basis, SeedBasis):
        return tuple(alone)
    return tuple(SeedRecipe(r.bases, r.coefficients, r.space, basis.perturbation, Journal(), None, 0.0) for r in alone)


def scale_key(measuring: Objective, engine: str, initial: Sequence[Recipe]) -> str:
    """Return the key of the group that sets the scales: the initial experts, each scored by bare rewards on dev."""
    members = [recipe.to_json() for recipe in initial]
    return content_hash(["scale", _SCALE_VERSION, members, measuring.split_key("dev"), engine])


def rated(
    objective: Objective, split: Split, responses: Sequence[Sequence[Response]], scorers: Scorers
) -> list[list[Rating | None]]:
    """Have outside scorers rate what the objective wants rated: each scorer is called once, with equal items once.

    Raises:
        EvaluationError: a rating could not be had.

    """
    wanted = [objective.wanted(split, each) for each in responses]
    by_scorer: dict[Outside, dict[Item, None]] = {}
    for each in (want for member in wanted for want in member if want is not None):
        by_scorer.setdefault(each.by, {})[each.item] = None
    ratings: dict[Wanted, Rating] = {}
    for by, items in by_scorer.items():
        for item, rating in zip(items, scorers.rate(by, list(items)), strict=True):
            ratings[Wanted(by, item)] = rating
    return [[None if want is None else ratings[want] for want in member] for member in wanted]


class Evaluator:
    """Makes the evaluation groups of one objective, and the scales that it needs; thread-safe."""

    def __init__(
        self,
        objective: Objective,
        engine: str,
        initial: Sequence[Recipe],
        scorers: Scorers,
        records: Records,
        timed: Timed = lambda part: nullcontext(),
    ) -> None:
        """`engine` is the identity of who will answer; `initial` is whose answers set the scales."""
        self.objective, self.engine, self.initial = objective, engine, tuple(initial)
        self._scorers, self._records, self._timed = scorers, records, timed
        self._measuring = threading.Lock()

    def key(self, recipes: Sequence[Recipe], split: Split, part: Objective | None = None) -> str:
        """Return the content hash of an evaluation group: who is evaluated together, on what, by which engine.

        `part` is the part of the objective that is asked, if not all of it. Where scales count, whose answers set them
        is in the key, too: they are a function of that.
        """
        asked = part or self.objective
        members = [recipe.to_json() for recipe in recipes]
        content: list[Any] = [members, asked.split_key(split), split, self.engine]
        return content_hash(content if asked.measuring is None else [*content, self.scale_key])

    @property
    def scale_key(self) -> str | None:
        """The key of the group that sets the scales; None if the objective needs none."""
        measuring = self.objective.measuring
        return None if measuring is None else scale_key(measuring, self.engine, self.initial)

    def evaluate(
        self, recipes: Sequence[Recipe], split: Split, ask: Ask, part: Objective | None = None
    ) -> tuple[EvaluationRecord, ...]:
        """Evaluate a group on the objective, or the `part` of it, and save it under its `key`.

        Scales that are needed and not recorded are measured first: `ask` answers for the initial recipes, too.

        Raises:
            EvaluationError: somebody could not answer, or an answer not be rated or scored.

        """
        asked = part or self.objective
        scales = self.scales(ask) if asked.measuring is not None else {}
        answers = answered(asked, split, recipes, ask)
        evaluations = self.score(asked, split, answers.responses, scales)
        return self._save(self.key(recipes, split, part), recipes, asked, split, evaluations, answers)

    def scales(self, ask: Ask) -> dict[str, Scale]:
        """Return the scales, by task: as the records have them, or measured and saved there; {} if none is needed.

        Raises:
            EvaluationError: somebody could not answer or rate.

        """
        measuring, key = self.objective.measuring, self.scale_key
        if measuring is None or key is None:
            return {}
        with self._measuring:
            found = self._records.evaluation_group(key) or self._measured(measuring, key, ask)
        return measuring.scales([record.predictions for record in found])

    def score(
        self, objective: Objective, split: Split, responses: Sequence[Sequence[Response]], scales: Mapping[str, Scale]
    ) -> list[Evaluation]:
        """Have what the members of a population answered rated where it is to be, and score it.

        Raises:
            EvaluationError: an answer can't be rated or scored.

        """
        with self._timed("ratings from outside"):
            ratings = rated(objective, split, responses, self._scorers)
        with self._timed("scoring and records"):
            pairs = zip(responses, ratings, strict=True)
            return [objective.score(split, answers, each, scales) for answers, each in pairs]

    def _measured(self, measuring: Objective, key: str, ask: Ask) -> tuple[EvaluationRecord, ...]:
        logger.info("measuring the scale of rewards by %d initial recipes", len(self.initial))
        answers = answered(measuring, "dev", self.initial, ask)
        evaluations = self.score(measuring, "dev", answers.responses, {})
        return self._save(key, self.initial, measuring, "dev", evaluations, answers)

    def _save(
        self,
        key: str,
        recipes: Sequence[Recipe],
        objective: Objective,
        split: Split,
        evaluations: Sequence[Evaluation],
        answers: Answers,
    ) -> tuple[EvaluationRecord, ...]:
        records = [
            EvaluationRecord(key, i, recipe.to_json(), e.utility, e.task_utilities, e.scores, e.predictions, e.outputs)
            for i, (recipe, e) in enumerate(zip(recipes, evaluations, strict=True))
        ]
        with self._timed("scoring and records"):
            return self._records.save_evaluation_group(
                key,
                objective.split_key(split),
                split,
                self.engine,
                records,
                answers.tokens,
                answers.seconds,
                asked=Asked(by_task=lambda: requests_of(objective, split)),
            )


def requests_of(objective: Objective, split: Split) -> list[list[Any]]:
    """Return what an objective asks on `split` as the records hold it: by task, one request an example."""
    return [[request_json(request) for request in task] for task in objective.requests_by_task(split)]
