"""An objective: data, prompts and scorers; it makes the requests to an engine and scores the answers."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import accumulate, islice

from data.aggregates import Aggregate, combine
from data.examples import Example, Split
from data.kinds.rated import RatedTask
from data.kinds.reward_model import scale_of
from data.loading import count_overlap
from data.objective_config import ObjectiveConfig
from data.outside import Identify, Rating, RatingRequest, RewardScale
from data.prompts import Chat
from data.requests import Request, Response
from data.scores import Evaluation, output_text
from data.task import Case, Task, load_task
from swarm.canonical import content_hash
from swarm.errors import EvaluationError, InputError

__all__ = ["Evaluation", "Objective", "ObjectiveConfig", "load_objective"]


@dataclass(frozen=True)
class Objective:
    """What a search maximises: a deterministic function of an engine's answers.

    Attributes:
        tasks: its tasks, in the config's order.
        rule: how their utilities become one.
        overlap: how many test questions are dev questions too; above 0 only if the config allows it.

    """

    tasks: tuple[Task, ...]
    rule: Aggregate
    overlap: int

    @cached_property
    def key(self) -> str:
        """The content hash of everything that decides a score: prompts, answers, scorers, weights; no paths."""
        return content_hash({"dev": self.split_key("dev"), "test": self.split_key("test")})

    def split_key(self, split: Split) -> str:
        """Return the content hash of everything that decides a score on `split`; the other split changes nothing."""
        return content_hash({"aggregate": self.rule, "tasks": [task.to_json(split) for task in self.tasks]})

    @property
    def data_sha256(self) -> dict[str, str]:
        """The SHA-256 of each task's data file, by the task's name."""
        return {task.name: task.data_sha256 for task in self.tasks}

    @property
    def warnings(self) -> list[str]:
        """What a person should know of the data, a line each: fields that neither prompts nor scores read."""
        return list(dict.fromkeys(task.warning for task in self.tasks if task.warning is not None))

    def examples(self, split: Split) -> list[Example]:
        """Return the examples of `split`, task after task."""
        return [case.example for case in self._cases(split)]

    def requests(self, split: Split) -> list[Request]:
        """Return the request to an engine for each of `examples(split)`."""
        return [case.request for case in self._cases(split)]

    def requests_by_task(self, split: Split) -> list[list[Request]]:
        """Return `requests(split)` as one list a task."""
        return [[case.request for case in task.cases(split)] for task in self.tasks]

    def follow_ups(self, split: Split, responses: Sequence[Response]) -> dict[int, Request]:
        """Return the second requests that depend on these answers to `requests(split)`, by the index of the example."""
        self._check_count(split, responses)
        cases = ((task, case) for task in self.tasks for case in task.cases(split))
        requests = [task.follow_up(case, response) for (task, case), response in zip(cases, responses, strict=True)]
        return {index: request for index, request in enumerate(requests) if request is not None}

    def rating_requests(self, split: Split, responses: Sequence[Response]) -> list[RatingRequest | None]:
        """Return what an outside scorer rates of these answers: one entry an example, None where it rates nothing."""
        self._check_count(split, responses)
        return [case.rating_request(response) for case, response in zip(self._cases(split), responses, strict=True)]

    def score(
        self,
        split: Split,
        responses: Sequence[Response],
        ratings: Sequence[Rating | None] | None = None,
        scales: Mapping[str, RewardScale] | None = None,
    ) -> Evaluation:
        """Score answers to `requests(split)`, follow-ups included.

        Args:
            split: which examples.
            responses: one an example; a `FollowUpResponse` where `follow_ups` asked for one.
            ratings: one an entry of `wanted(split, responses)`; needed where that has any.
            scales: the scales of `scale_objective`'s tasks, by name; without them these tasks score bare rewards.

        Raises:
            EvaluationError: an answer is missing, of the wrong type, not finite, or can't be scored.
            ValueError: ratings are missing.

        """
        cases = self._cases(split)
        self._check_count(split, responses)
        predictions = tuple(
            case.task.read(case.example, case.request, response)
            for case, response in zip(cases, responses, strict=True)
        )
        predictions = self._with_ratings(split, predictions, ratings, scales or {})
        scores = self.score_predictions(split, predictions)
        outputs = tuple(output_text(case.example, response) for case, response in zip(cases, responses, strict=True))
        return Evaluation(
            self.aggregate(split, scores), self.task_utilities(split, scores), scores, predictions, outputs
        )

    @cached_property
    def scale_objective(self) -> "Objective | None":
        """The tasks that need a scale, on which the initial experts are scored once; None if no task needs one."""
        tasks = tuple(task for task in self.tasks if isinstance(task.config, RatedTask) and task.config.needs_scale)
        return replace(self, tasks=tasks, rule="mean") if tasks else None

    def scales(self, predictions: Sequence[Sequence[str]]) -> dict[str, RewardScale]:
        """Return the scale of each task of this `scale_objective`, from the dev predictions of each expert."""
        sizes = [len(task.dev) for task in self.tasks]
        ends = list(accumulate(sizes))
        return {
            task.name: scale_of(text for texts in predictions for text in texts[end - size : end])
            for task, size, end in zip(self.tasks, sizes, ends, strict=True)
        }

    def score_predictions(self, split: Split, predictions: Sequence[str]) -> tuple[float, ...]:
        """Return the score of one prediction an example, for instance of those that an ensemble voted for."""
        cases = self._cases(split)
        return tuple(
            case.task.judge(case.example, prediction) for case, prediction in zip(cases, predictions, strict=True)
        )

    def by_task(self, split: Split, scores: Sequence[float]) -> list[list[float]]:
        """Return one score an example as one list a task; `ValueError` if there are more or fewer than examples."""
        sizes = [len(task.cases(split)) for task in self.tasks]
        if len(scores) != sum(sizes):
            raise ValueError(f"{len(scores)} scores for {sum(sizes)} examples")
        rest = iter(scores)
        return [list(islice(rest, size)) for size in sizes]

    def task_utilities(self, split: Split, scores: Sequence[float]) -> tuple[float, ...]:
        """Return the mean score of each task, from one score an example."""
        return tuple(math.fsum(task) / len(task) for task in self.by_task(split, scores))

    def combine(self, task_utilities: Sequence[float]) -> float:
        """Return the objective's utility from its tasks' utilities: between the least and the greatest of them."""
        return combine(self.rule, task_utilities, [task.config.weight for task in self.tasks])

    def aggregate(self, split: Split, scores: Sequence[float]) -> float:
        """Return the objective's utility from one score an example."""
        return self.combine(self.task_utilities(split, scores))

    def _cases(self, split: Split) -> list[Case]:
        return [case for task in self.tasks for case in task.cases(split)]

    def _check_count(self, split: Split, responses: Sequence[Response]) -> None:
        if len(responses) != len(self._cases(split)):
            raise EvaluationError(f"the engine gave {len(responses)} answers to {len(self._cases(split))} requests")

    def _with_ratings(
        self,
        split: Split,
        predictions: tuple[str, ...],
        ratings: Sequence[Rating | None] | None,
        scales: Mapping[str, RewardScale],
    ) -> tuple[str, ...]:
        """Return `predictions`, with the ratings written into those that outside scorers rated."""
        cases = self._cases(split)
        if ratings is None:
            if any(isinstance(case.task, RatedTask) for case in cases):
                raise ValueError("an objective that is rated from outside is scored with ratings only")
            return predictions
        return tuple(
            case.task.write_prediction(text, rating, scales.get(case.task.label))
            if isinstance(case.task, RatedTask)
            else text
            for case, text, rating in zip(cases, predictions, ratings, strict=True)
        )


def load_objective(config: ObjectiveConfig, chat: Chat | None = None, identify: Identify | None = None) -> Objective:
    """Read the data of `config` and make every prompt.

    Args:
        config: the tasks.
        chat: the base model's chat template, which tasks with `prompt: chat` need.
        identify: says what an outside scorer's ratings depend on, which tasks that are rated from outside need.

    Raises:
        InputError: a data file is missing or invalid, a score function can't be loaded, test examples stand in a dev
            split, `chat` is missing, or a scorer can't be had.

    """
    tasks = tuple(load_task(task, chat, identify) for task in config.tasks)
    dev = [example for task in tasks for example in (*task.in_context_examples, *(case.example for case in task.dev))]
    overlaps = [count_overlap(dev, (case.example for case in task.test)) for task in tasks]
    for task, overlap in zip(tasks, overlaps, strict=True):
        if overlap and not config.allow_overlap:
            raise InputError(
                f"{task.config.data}: {overlap} of its test questions are dev questions too, so their score would "
                "be no test: use data without overlap or set allow_overlap: true"
            )
    return Objective(tasks, config.aggregate, sum(overlaps))
