"""Make evaluations: ask the engine, let outside scorers rate the answers, score them, and save the scores.

The groups of a run and `swarm evaluate` both use it. Where a kind asks follow-ups, the engine is asked twice.
"""

import logging
import threading
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from data.examples import Split
from data.objective import Objective, load_objective
from data.objective_config import ObjectiveConfig
from data.outside import Item, Rating, RatingRequest, RewardScale, ScorerConfig
from data.requests import Request, Response, request_json
from data.scores import Evaluation
from experts.base_models import BaseModel, chat_template
from experts.bases import AnyBasis
from experts.seed_basis import SeedBasis
from infra.evaluation.answers import Answers, Ask, answer_objective
from infra.observing.clock import RunClock
from infra.records.request_texts import GroupRequests
from infra.records.store import Records
from infra.records.values import EvaluationRecord
from infra.scorers.open_scorers import Scorers, identify
from infra.settings import Settings
from swarm.canonical import content_hash
from swarm.recipes import BASE, Recipe, Space
from swarm.seeds import Journal, SeedRecipe

_SCALE_VERSION = 1

logger = logging.getLogger(__name__)


def open_objective(config: ObjectiveConfig, base: BaseModel, settings: Settings) -> Objective:
    """Read an objective that is asked of `base`; raises `InputError` as `data.objective.load_objective` does."""
    chat = chat_template(base) if any(task.prompt == "chat" for task in config.tasks) else None
    return load_objective(config, chat, identify(settings))


def initial_recipes(basis: AnyBasis) -> tuple[Recipe, ...]:
    """Return the recipes whose dev answers set the scales: each expert alone, or the base model without experts."""
    bases = basis.ids or (BASE,)
    alone = [Recipe(bases, tuple(float(i == j) for j in bases), Space.FACTORS) for i in bases]
    if not isinstance(basis, SeedBasis):
        return tuple(alone)
    return tuple(SeedRecipe(r.bases, r.coefficients, r.space, basis.perturbation, Journal(), None, 0.0) for r in alone)


class Evaluator:
    """Asks an engine, rates, scores and saves: for one objective and one engine; thread-safe.

    Attributes:
        objective: what is asked and how it is scored.
        engine: the identity of the engine that answers.
        initial: the recipes whose answers set the scales of rewards.
        records: where evaluations are saved.

    """

    def __init__(
        self,
        objective: Objective,
        engine: str,
        initial: Sequence[Recipe],
        ask: Ask,
        scorers: Scorers,
        records: Records,
        clock: RunClock | None = None,
    ) -> None:
        """`ask` is the engine's (`EngineHost.run`); `clock` counts where the time goes, if anybody wants to know."""
        self.objective, self.engine, self.initial, self.records = objective, engine, tuple(initial), records
        self._ask, self._scorers, self._clock = ask, scorers, clock or RunClock()
        self._scale_lock = threading.Lock()

    @property
    def scale_key(self) -> str | None:
        """The key of the group that sets the scales; None if the objective needs none."""
        scale_objective = self.objective.scale_objective
        if scale_objective is None:
            return None
        members = [recipe.to_json() for recipe in self.initial]
        return content_hash(["scale", _SCALE_VERSION, members, scale_objective.split_key("dev"), self.engine])

    def ask(
        self, split: Split, population: Sequence[Recipe], requests: Sequence[Sequence[Request]]
    ) -> tuple[list[list[Response]], float]:
        """Have the engine answer each recipe's own requests; return the answers and the seconds that they took.

        Raises:
            EvaluationError: the engine could not answer.

        """
        responses, seconds = self._ask(population, requests)
        self._clock.count(f"evaluation ({split})", seconds)
        return responses, seconds

    def answer(self, objective: Objective, split: Split, recipes: Sequence[Recipe]) -> Answers:
        """Have the engine answer all of `split` with each of `recipes`, follow-ups included."""
        return answer_objective(objective, split, recipes, lambda *call: self.ask(split, *call))

    def scales(self) -> dict[str, RewardScale]:
        """Return the scales, by task: as the records have them, or measured and saved there; {} if none is needed.

        Raises:
            EvaluationError: the engine could not answer, or a scorer could not rate.

        """
        scale_objective, key = self.objective.scale_objective, self.scale_key
        if scale_objective is None or key is None:
            return {}
        with self._scale_lock:
            evaluations = self.records.evaluation_group(key) or self._measure(scale_objective, key)
        return scale_objective.scales([record.predictions for record in evaluations])

    def score(
        self,
        objective: Objective,
        split: Split,
        responses: Sequence[Sequence[Response]],
        scales: Mapping[str, RewardScale],
    ) -> list[Evaluation]:
        """Let outside scorers rate the answers of a population's members where the objective asks for it; score them.

        Raises:
            EvaluationError: an answer can't be rated or scored.

        """
        with self._clock.measure("ratings from outside"):
            ratings = rate(objective, split, responses, self._scorers)
        with self._clock.measure("scoring and records"):
            pairs = zip(responses, ratings, strict=True)
            return [objective.score(split, answers, of_answers, scales) for answers, of_answers in pairs]

    def save(
        self,
        key: str,
        members: Sequence[Mapping[str, Any]],
        objective: Objective,
        split: Split,
        evaluations: Sequence[Evaluation],
        cost: "Cost",
        requests: GroupRequests,
        node_answers: dict[str, Any] | None = None,
    ) -> tuple[EvaluationRecord, ...]:
        """Save a group under `key`, whole or not at all; return the evaluations that the records hold for it.

        Args:
            key: the group's.
            members: what was evaluated, as JSON.
            objective: what scored it.
            split: on which examples.
            evaluations: one a member.
            cost: tokens generated, and seconds of the engine.
            requests: the texts that were sent.
            node_answers: of systems, what their nodes answered.

        """
        records = [
            EvaluationRecord(key, i, dict(member), e.utility, e.task_utilities, e.scores, e.predictions, e.outputs)
            for i, (member, e) in enumerate(zip(members, evaluations, strict=True))
        ]
        with self._clock.measure("scoring and records"):
            return self.records.save_evaluation_group(
                key,
                objective.split_key(split),
                split,
                self.engine,
                records,
                cost.tokens,
                cost.seconds,
                node_answers=node_answers,
                requests=requests,
            )

    def _measure(self, scale_objective: Objective, key: str) -> tuple[EvaluationRecord, ...]:
        logger.info("measuring the scale of rewards by %d initial recipes", len(self.initial))
        answers = self.answer(scale_objective, "dev", self.initial)
        evaluations = self.score(scale_objective, "dev", answers.responses, {})
        members = [recipe.to_json() for recipe in self.initial]
        requests = GroupRequests(by_task=lambda: requests_of(scale_objective, "dev"))
        return self.save(key, members, scale_objective, "dev", evaluations, answers, requests)


class Cost(Protocol):
    """The cost of answers."""

    @property
    def tokens(self) -> int:
        """Tokens generated, over all members."""
        ...

    @property
    def seconds(self) -> float:
        """Seconds that the engine took."""
        ...


class Evaluable(Protocol):
    """A group that is evaluated together: recipes, or systems of models."""

    def key(self, evaluator: Evaluator) -> str:
        """Return the content hash of everything that the group's scores depend on."""
        ...

    def evaluate(self, evaluator: Evaluator) -> tuple[EvaluationRecord, ...]:
        """Evaluate the group and save it under its key.

        Raises:
            EvaluationError: the engine could not answer, or an answer can't be rated or scored.

        """
        ...


def rate(
    objective: Objective, split: Split, responses: Sequence[Sequence[Response]], scorers: Scorers
) -> list[list[Rating | None]]:
    """Let outside scorers rate what the objective asks for: each scorer is called once, and gets equal items once.

    Raises:
        EvaluationError: a scorer could not rate.

    """
    wishes = [objective.rating_requests(split, answers) for answers in responses]
    by_scorer: dict[ScorerConfig, dict[Item, None]] = {}
    for wish in (wish for member in wishes for wish in member if wish is not None):
        by_scorer.setdefault(wish.by, {})[wish.item] = None
    ratings: dict[RatingRequest, Rating] = {}
    for by, items in by_scorer.items():
        for item, rating in zip(items, scorers.rate(by, list(items)), strict=True):
            ratings[RatingRequest(by, item)] = rating
    return [[None if wish is None else ratings[wish] for wish in member] for member in wishes]


def requests_of(objective: Objective, split: Split) -> list[list[Any]]:
    """Return what an objective asks on `split` as the records hold it: by task, one request an example."""
    return [[request_json(request) for request in task] for task in objective.requests_by_task(split)]
