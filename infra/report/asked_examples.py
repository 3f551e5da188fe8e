"""Examples word for word, from the records alone: the request, the answer, and its score."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from data.examples import Split
from data.requests import Generate, Request, request_from_json, request_json
from infra.records.store import Records
from infra.records.values import EvaluationRecord, Purpose, RunRecord
from infra.report.tasks import task_names
from swarm.errors import InputError
from swarm.systems import System

MOST_EXAMPLES = 3
"""A report shows so many examples."""

START, BEST = "starting best", "best"

Pair = tuple[EvaluationRecord | None, EvaluationRecord | None]
"""The evaluations of the starting best and of the best, where there are such."""


@dataclass(frozen=True)
class Exchange:
    """A request to a model, and its answer.

    Attributes:
        who: the starting best, the best, or a node of the best system.
        request: what was sent; None where the records don't hold it.
        output: the answer; None where the records hold it with another group (`infra.systems.group`).
        prediction: what was read from it; None of a node whose answer others read.
        score: what that came to; None likewise.

    """

    who: str
    request: Request | None
    output: str | None
    prediction: str | None = None
    score: float | None = None

    @property
    def continuations(self) -> tuple[str, ...]:
        """The continuations that were scored after the prompt; none where a text was generated."""
        return () if self.request is None or isinstance(self.request, Generate) else self.request.continuations

    def to_json(self) -> dict[str, Any]:
        """Return this as plain JSON."""
        kind, fields = (None, {}) if self.request is None else request_json(self.request)
        request = None if kind is None else {"kind": kind, **fields}
        return {
            "who": self.who,
            "request": request,
            "output": self.output,
            "prediction": self.prediction,
            "score": self.score,
        }


@dataclass(frozen=True)
class AskedExample:
    """An example of a split (the first is 1, over all tasks), and the exchanges about it."""

    split: Split
    number: int
    task: str
    exchanges: tuple[Exchange, ...]

    def to_json(self) -> dict[str, Any]:
        """Return this as plain JSON."""
        return {
            "split": self.split,
            "example": self.number,
            "task": self.task,
            "exchanges": [exchange.to_json() for exchange in self.exchanges],
        }


class AskedExamples:
    """The examples of a split that the starting best and the best of a run were both asked.

    Where an algorithm evaluates its best on a part of dev, these are the examples of that part.
    """

    def __init__(self, records: Records, run: RunRecord, split: Split, finalists: Pair) -> None:
        """Take the evaluations of the starting best and of the best on `split`.

        Raises:
            InputError: there is no best yet that was asked `split`.

        """
        self.split: Split = split
        self._records, self._run = records, run
        start, best = finalists
        if best is None:
            remedy = (
                "wait for its first iteration" if split == "dev" else "it is read after the search: try --split dev"
            )
            raise InputError(f"run {run.name!r} has no best that was asked the {split} split yet: {remedy}")
        self._start, self._best = start, best

    def __len__(self) -> int:
        return len(self._best.scores)

    def __getitem__(self, number: int) -> AskedExample:
        """Return the example of that number; raises `InputError` if there is none."""
        if not 1 <= number <= len(self):
            raise InputError(f"the {self.split} split has no example {number}: it has 1 to {len(self)}")
        index = number - 1
        start = [] if self._start is None else [self._alone(START, self._start, index)]
        return AskedExample(self.split, number, self._tasks[index], (*start, *self._of_best(index)))

    def first(self, count: int) -> list[AskedExample]:
        """Return the first examples of each task in turn, `count` in all if there are so many."""
        counts: Counter[str] = Counter()
        turns = []
        for index, task in enumerate(self._tasks):
            turns.append((counts[task], index))
            counts[task] += 1
        return [self[index + 1] for index in sorted(index for _, index in sorted(turns)[:count])]

    @cached_property
    def _tasks(self) -> list[str]:
        """The task of each example; "" where the records don't tell."""
        names = task_names(self._run)
        sizes = [len(task) for task in self._requests]
        if len(names) == 1:
            return [names[0]] * len(self)
        if len(sizes) != len(names) or sum(sizes) != len(self):
            return [""] * len(self)
        return [name for name, size in zip(names, sizes, strict=True) for _ in range(size)]

    @cached_property
    def _requests(self) -> tuple[tuple[Any, ...], ...]:
        """The requests to a model that answers alone, by task; () where the records don't hold them."""
        alone = self._start or self._best
        [group] = self._records.evaluation_groups([alone.group])
        return self._records.objective_requests(group.objective) or ()

    @cached_property
    def _of_nodes(self) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
        """The answers of the best system's nodes, and their requests."""
        group = self._best.group
        return self._records.node_answers(group) or {}, self._records.node_requests(group)

    def _alone(self, who: str, evaluation: EvaluationRecord, index: int) -> Exchange:
        requests = [request for task in self._requests for request in task]
        return _exchange(who, request_from_json(requests[index]) if requests else None, evaluation, index)

    def _of_best(self, index: int) -> list[Exchange]:
        node_answers, requests = self._of_nodes
        if not node_answers:
            return [self._alone(BEST, self._best, index)]
        order = System.from_json(self._best.recipe).dag.order
        exchanges = []
        for node, row in zip(order, node_answers["nodes"][self._best.index], strict=True):
            request, answer = None, None
            if row[index] is not None:
                _, key, (answer, _) = node_answers["answers"][row[index]]
                request = request_from_json(requests[key]) if key in requests else None
            exchanges.append(Exchange(f"node {node}", request, answer if isinstance(answer, str) else None))
        return [*exchanges[:-1], _exchange(f"{BEST} (node {order[-1]})", exchanges[-1].request, self._best, index)]


def split_to_show(records: Records, run: str) -> Split:
    """Return the test split once it is read, and dev before that."""
    return "test" if records.run_evaluations(run, Purpose.ENDING_BEST) else "dev"


def first_examples(records: Records, run: RunRecord, finalists: Callable[[Split], Pair]) -> list[AskedExample]:
    """Return the first few examples of `split_to_show`; none before there is a best.

    `finalists` returns the evaluations of the starting best and of the best on a split.
    """
    split = split_to_show(records, run.name)
    pair = finalists(split)
    return [] if pair[1] is None else AskedExamples(records, run, split, pair).first(MOST_EXAMPLES)


def _exchange(who: str, request: Request | None, evaluation: EvaluationRecord, index: int) -> Exchange:
    return Exchange(who, request, evaluation.outputs[index], evaluation.predictions[index], evaluation.scores[index])
