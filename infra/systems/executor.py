"""Running systems level by level: what is ready in all of them goes through the engine as one batch."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Self

from data.requests import Request, Response
from infra.configs.systems import SystemConfig
from infra.systems.answers import Call, Memory, call_of
from infra.systems.nodes import Nodes, levels
from infra.systems.questions import Question, answer_text, node_request
from swarm.recipes import Recipe

Ask = Callable[[Sequence[Recipe], Sequence[Sequence[Request]]], list[list[Response]]]
"""Answers each recipe's own requests, as `Engine.run` does."""


@dataclass(frozen=True)
class Savings:
    """The calls and tokens that are saved by running systems together and making no call twice.

    Attributes:
        calls_public: answers that the systems use: so many the public code generates, each node of each system alone.
        calls_made: answers that an engine made.
        tokens_public: tokens generated the public way.
        tokens_made: tokens generated.
        engine_calls: how often an engine was called.

    """

    calls_public: int = 0
    calls_made: int = 0
    tokens_public: int = 0
    tokens_made: int = 0
    engine_calls: int = 0

    def __add__(self, other: "Savings") -> "Savings":
        return Savings(*(getattr(self, count.name) + getattr(other, count.name) for count in fields(self)))

    def to_json(self) -> dict[str, int]:
        """Return the counts as plain JSON."""
        return {count.name: getattr(self, count.name) for count in fields(self)}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """Read what `to_json` wrote."""
        return cls(**value)


@dataclass(frozen=True)
class RunResult:
    """The answers of systems to questions.

    Attributes:
        calls: [systems][nodes][questions], which call answered.
        new_responses: the answers that the engine gave, in the order of the calls.
        requests: the requests of these calls, by the request's key.
        responses: every answer: the new ones, and those of the memory.
        savings: the counts.

    """

    calls: tuple[tuple[tuple[Call, ...], ...], ...]
    new_responses: Mapping[Call, Response]
    requests: Mapping[str, Request] = field(repr=False)
    responses: Mapping[Call, Response] = field(repr=False)
    savings: Savings

    def finals(self, system: int) -> list[Response]:
        """Return the end node's answer to each question."""
        return [self.responses[call] for call in self.calls[system][-1]]

    def answers(self, system: int, question: int) -> list[Response]:
        """Return each node's answer to one question."""
        return [self.responses[row[question]] for row in self.calls[system]]


def run_systems(
    ask: Ask, systems: Sequence[Nodes], questions: Sequence[Question], config: SystemConfig, memory: Memory
) -> RunResult:
    """Let every one of `systems` answer every one of `questions`.

    A model answers a text once, however many nodes and systems ask for it; what `memory` holds is not asked for again.
    The batches, and so every answer's bits, are a pure function of the arguments.

    Args:
        ask: calls the engine: at most as often as the deepest system has levels.
        systems: what answers.
        questions: what is asked.
        config: the nodes' prompts.
        memory: answers that are known before.

    """
    execution = _Execution(systems, questions, config, memory)
    depths = [levels(nodes) for nodes in systems]
    engine_calls = 0
    for level in range(1 + max(map(max, depths), default=-1)):
        ready = [(s, n) for s, depth in enumerate(depths) for n, node_level in enumerate(depth) if node_level == level]
        missing = execution.missing_requests(ready)
        if missing:
            engine_calls += 1
            execution.learn(missing, ask(list(missing), [list(calls.values()) for calls in missing.values()]))
    return execution.result(engine_calls)


RequestsByRecipe = dict[Recipe, dict[Call, Request]]


class _Execution:
    """The calls of systems under way, and the answers so far."""

    def __init__(
        self, systems: Sequence[Nodes], questions: Sequence[Question], config: SystemConfig, memory: Memory
    ) -> None:
        self._systems, self._questions, self._config = systems, questions, config
        self._responses: dict[Call, Response] = dict(memory)
        self._new_responses: dict[Call, Response] = {}
        self._sent_requests: dict[str, Request] = {}
        self._calls: list[list[tuple[Call, ...]]] = [[()] * len(nodes) for nodes in systems]
        self._requests: dict[Any, Request] = {}

    def missing_requests(self, ready: Sequence[tuple[int, int]]) -> RequestsByRecipe:
        """Return the requests of the `ready` (system, node) pairs that have no answer yet, by recipe."""
        missing: RequestsByRecipe = {}
        for system, number in ready:
            recipe, row = self._systems[system][number].recipe, []
            for request in self._requests_of(system, number):
                call = call_of(recipe, request)
                row.append(call)
                if call not in self._responses:
                    missing.setdefault(recipe, {})[call] = request
            self._calls[system][number] = tuple(row)
        return missing

    def learn(self, missing: RequestsByRecipe, responses: Sequence[Sequence[Response]]) -> None:
        """Take the engine's answers to `missing`."""
        for calls, answers in zip(missing.values(), responses, strict=True):
            self._new_responses.update(zip(calls, answers, strict=True))
            self._sent_requests.update((key, request) for (_, key), request in calls.items())
        self._responses.update(self._new_responses)

    def result(self, engine_calls: int) -> RunResult:
        """Return the calls, the answers and the counts."""
        calls = [call for rows in self._calls for row in rows for call in row]
        savings = Savings(
            calls_public=len(calls),
            calls_made=len(self._new_responses),
            tokens_public=sum(tokens_of(self._responses[call]) for call in calls),
            tokens_made=sum(map(tokens_of, self._new_responses.values())),
            engine_calls=engine_calls,
        )
        return RunResult(
            tuple(map(tuple, self._calls)), self._new_responses, self._sent_requests, self._responses, savings
        )

    def _requests_of(self, system: int, number: int) -> Iterator[Request]:
        nodes = self._systems[system]
        node, last = nodes[number], number == len(nodes) - 1
        for index, question in enumerate(self._questions):
            answers = tuple(answer_text(self._responses[self._calls[system][source][index]]) for source in node.reads)
            key = (index, node.role, node.share, node.shares, answers, last)
            if key not in self._requests:  # a chat template takes a while
                self._requests[key] = node_request(question, node, answers, self._config, last)
            yield self._requests[key]


def tokens_of(response: Response) -> int:
    """Return how many tokens were generated for `response`."""
    return getattr(response, "tokens", 0)
