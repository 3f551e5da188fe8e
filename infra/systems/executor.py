"""Running systems level by level: what is ready in all of them goes through the engine as one batch."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Self

from data.requests import Request, Response
from infra.configs.systems import SystemConfig
from infra.systems.answers import Call, Memory, call_of
from infra.systems.nodes import Nodes, levels
from infra.systems.questions import Question, node_request, shown
from swarm.recipes import Recipe

Ask = Callable[[Sequence[Recipe], Sequence[Sequence[Request]]], list[list[Response]]]
"""Answers each recipe's own requests, as `Engine.run` does."""


@dataclass(frozen=True)
class Saved:
    """What running systems together, and no call twice, saved.

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

    def __add__(self, other: "Saved") -> "Saved":
        return Saved(*(getattr(self, each.name) + getattr(other, each.name) for each in fields(self)))

    def to_json(self) -> dict[str, int]:
        """Return the counts as plain JSON."""
        return {each.name: getattr(self, each.name) for each in fields(self)}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """Read what `to_json` wrote."""
        return cls(**value)


@dataclass(frozen=True)
class Ran:
    """What came of running systems on questions.

    Attributes:
        calls: [systems][nodes][questions], which call answered.
        made: the answers that were made for it, in the order in which they were asked for.
        asked: what they are answers to, by the request's key.
        known: those and what was known before.
        saved: the counts.

    """

    calls: tuple[tuple[tuple[Call, ...], ...], ...]
    made: Mapping[Call, Response]
    asked: Mapping[str, Request] = field(repr=False)
    known: Mapping[Call, Response] = field(repr=False)
    saved: Saved

    def finals(self, system: int) -> list[Response]:
        """Return the end node's answer to each question."""
        return [self.known[call] for call in self.calls[system][-1]]

    def answers(self, system: int, question: int) -> list[Response]:
        """Return each node's answer to one question."""
        return [self.known[row[question]] for row in self.calls[system]]


def run_systems(
    ask: Ask, systems: Sequence[Nodes], questions: Sequence[Question], config: SystemConfig, memory: Memory
) -> Ran:
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
    running = _Running(systems, questions, config, memory)
    depths = [levels(nodes) for nodes in systems]
    engine_calls = 0
    for level in range(1 + max(map(max, depths), default=-1)):
        ready = [(s, n) for s, depth in enumerate(depths) for n, at in enumerate(depth) if at == level]
        wanted = running.wanted(ready)
        if wanted:
            engine_calls += 1
            running.learn(wanted, ask(list(wanted), [list(calls.values()) for calls in wanted.values()]))
    return running.ended(engine_calls)


Wanted = dict[Recipe, dict[Call, Request]]


class _Running:
    """The calls of systems under way, and what is known so far."""

    def __init__(
        self, systems: Sequence[Nodes], questions: Sequence[Question], config: SystemConfig, memory: Memory
    ) -> None:
        self._systems, self._questions, self._config = systems, questions, config
        self._known: dict[Call, Response] = dict(memory)
        self._made: dict[Call, Response] = {}
        self._sent: dict[str, Request] = {}
        self._calls: list[list[tuple[Call, ...]]] = [[()] * len(nodes) for nodes in systems]
        self._requests: dict[Any, Request] = {}

    def wanted(self, ready: Sequence[tuple[int, int]]) -> Wanted:
        """Return what the `ready` (system, node) pairs ask and nobody knows, by recipe."""
        wanted: Wanted = {}
        for system, place in ready:
            recipe, row = self._systems[system][place].recipe, []
            for request in self._asked(system, place):
                call = call_of(recipe, request)
                row.append(call)
                if call not in self._known:
                    wanted.setdefault(recipe, {})[call] = request
            self._calls[system][place] = tuple(row)
        return wanted

    def learn(self, wanted: Wanted, responses: Sequence[Sequence[Response]]) -> None:
        """Take the engine's answers to `wanted`."""
        for calls, answers in zip(wanted.values(), responses, strict=True):
            self._made.update(zip(calls, answers, strict=True))
            self._sent.update((key, request) for (_, key), request in calls.items())
        self._known.update(self._made)

    def ended(self, engine_calls: int) -> Ran:
        """Return what came of it."""
        used = [call for rows in self._calls for row in rows for call in row]
        saved = Saved(
            calls_public=len(used),
            calls_made=len(self._made),
            tokens_public=sum(tokens_of(self._known[call]) for call in used),
            tokens_made=sum(map(tokens_of, self._made.values())),
            engine_calls=engine_calls,
        )
        return Ran(tuple(map(tuple, self._calls)), self._made, self._sent, self._known, saved)

    def _asked(self, system: int, place: int) -> Iterator[Request]:
        nodes = self._systems[system]
        node, last = nodes[place], place == len(nodes) - 1
        for index, question in enumerate(self._questions):
            answers = tuple(shown(self._known[self._calls[system][read][index]]) for read in node.reads)
            key = (index, node.role, node.share, node.shares, answers, last)
            if key not in self._requests:  # a chat template takes a while
                self._requests[key] = node_request(question, node, answers, self._config, last)
            yield self._requests[key]


def tokens_of(response: Response) -> int:
    """Return how many tokens were generated for `response`."""
    return getattr(response, "tokens", 0)
