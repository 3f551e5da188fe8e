"""An objective: data, prompts and scorers, ready to ask an engine and to score what it answers."""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice

from data.aggregates import Aggregate, combine
from data.examples import Example, Split
from data.loading import count_overlap
from data.objective_config import ObjectiveConfig
from data.prompts import Chat
from data.requests import Completion, Request, Response
from data.task import Case, Task, load_task
from swarm.canonical import content_hash
from swarm.errors import EvaluationError, InputError

__all__ = ["Evaluation", "Objective", "ObjectiveConfig", "load_objective"]


@dataclass(frozen=True)
class Evaluation:
    """A split's scores; the flat tuples have one entry an example, task after task, as `Objective.requests` has.

    Attributes:
        utility: of the whole objective; higher is better.
        task_utilities: the mean score of each task, within the task's `bounds`.
        scores: of each example, within its task's `bounds`.
        predictions: the answer read from each output.
        outputs: the completion as the engine gave it, or the log-likelihoods as JSON.

    """

    utility: float
    task_utilities: tuple[float, ...]
    scores: tuple[float, ...]
    predictions: tuple[str, ...]
    outputs: tuple[str, ...]


@dataclass(frozen=True)
class Objective:
    """What a search maximises: a deterministic function of an engine's answers.

    Attributes:
        tasks: its tasks, in the config's order.
        rule: how their utilities become one.
        overlap: test questions that are dev questions too; above 0 only where the config allows it.

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

    def examples(self, split: Split) -> list[Example]:
        """Return the examples of `split`, task after task."""
        return [case.example for case in self._cases(split)]

    def requests(self, split: Split) -> list[Request]:
        """Return what an engine is asked for each of `examples(split)`."""
        return [case.request for case in self._cases(split)]

    def score(self, split: Split, responses: Sequence[Response]) -> Evaluation:
        """Score an engine's answers to `requests(split)`.

        Raises:
            EvaluationError: an answer is missing, of the wrong type, not finite, or can't be scored.

        """
        cases = self._cases(split)
        if len(responses) != len(cases):
            raise EvaluationError(f"the engine gave {len(responses)} answers to {len(cases)} requests")
        predictions = tuple(
            case.task.read(case.example, case.request, response)
            for case, response in zip(cases, responses, strict=True)
        )
        scores = self.score_predictions(split, predictions)
        outputs = tuple(_output(case.example, response) for case, response in zip(cases, responses, strict=True))
        return Evaluation(
            self.aggregate(split, scores), self.task_utilities(split, scores), scores, predictions, outputs
        )

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
        """Return the utility that the tasks' utilities come to: not below the least, nor above the greatest."""
        return combine(self.rule, task_utilities, [task.config.weight for task in self.tasks])

    def aggregate(self, split: Split, scores: Sequence[float]) -> float:
        """Return the utility that one score an example comes to."""
        return self.combine(self.task_utilities(split, scores))

    def _cases(self, split: Split) -> list[Case]:
        return [case for task in self.tasks for case in task.cases(split)]


def load_objective(config: ObjectiveConfig, chat: Chat | None = None) -> Objective:
    """Read the data of `config` and make every prompt.

    Args:
        config: the tasks.
        chat: the base model's chat template, which tasks with `prompt: chat` need.

    Raises:
        InputError: a data file is missing or invalid, a score function can't be loaded, test examples stand in a dev
            split, or `chat` is missing.

    """
    tasks = tuple(load_task(task, chat) for task in config.tasks)
    dev = [case.example for task in tasks for case in task.dev]
    overlaps = [count_overlap(dev, (case.example for case in task.test)) for task in tasks]
    for task, overlap in zip(tasks, overlaps, strict=True):
        if overlap and not config.allow_overlap:
            raise InputError(
                f"{task.config.data}: {overlap} of its test questions are dev questions too, so their score would "
                "be no test: use data without overlap or set allow_overlap: true"
            )
    return Objective(tasks, config.aggregate, sum(overlaps))


def _output(example: Example, response: Response) -> str:
    if isinstance(response, Completion):
        return response.text
    keys = [key for key, _ in example.choices]
    # One value of an example with choices, or without: that of the right answer.
    named = keys if len(keys) == len(response.values) else [example.answer]
    return json.dumps(dict(zip(named, response.values, strict=True)))
