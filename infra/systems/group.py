"""An evaluation group of systems: scored together on one split of an objective, and saved whole."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from data.examples import Split
from data.objective import Objective
from data.requests import Request, Response, request_json
from infra.configs.systems import SystemConfig
from infra.evaluation.answers import with_follow_ups
from infra.evaluation.evaluator import Evaluator
from infra.records.request_texts import GroupRequests
from infra.records.store import Records
from infra.records.values import EvaluationRecord
from infra.systems.answers import Memory, response_from_json, response_json
from infra.systems.executor import RunResult, Savings, run_systems, tokens_of
from infra.systems.nodes import Nodes, nodes_of
from infra.systems.questions import case_questions
from swarm.canonical import content_hash
from swarm.recipes import Recipe
from swarm.systems import System


@dataclass(frozen=True)
class Candidate:
    """A system, or a part of one, in a group: its nodes, and its JSON in the records."""

    nodes: Nodes
    record: Mapping[str, Any]


def candidate_of(system: System) -> Candidate:
    """Return `system` as a candidate."""
    return Candidate(nodes_of(system), system.to_json())


def group_of(
    systems: Sequence[System], prompts: SystemConfig, split: Split, after: Sequence[str] = ()
) -> "SystemGroup":
    """Return the group of whole `systems`."""
    return SystemGroup(tuple(map(candidate_of, systems)), prompts, split, tuple(after))


def savings_of(records: Records, group: str) -> dict[str, Any]:
    """Return what sharing answers saved in a recorded group of systems: `Savings` as JSON."""
    savings: dict[str, Any] = (records.node_answers(group) or {})["saved"]
    return savings


@dataclass(frozen=True)
class SystemGroup:
    """Systems that are evaluated together; see `infra.evaluation.evaluator.Evaluable`.

    Attributes:
        candidates: the systems, or parts of them.
        config: their nodes' prompts.
        split: on which examples.
        after: the keys of saved groups of systems: what their nodes were asked is not asked again.

    """

    candidates: tuple[Candidate, ...]
    config: SystemConfig
    split: Split
    after: tuple[str, ...] = ()

    def key(self, evaluator: Evaluator) -> str:
        """Return the content hash of everything that the answers depend on.

        It holds `after`, too: what is known before decides which calls share a batch, and so their rounding.
        """
        return content_hash(
            [
                [_nodes_json(candidate.nodes) for candidate in self.candidates],
                self.config.model_dump(mode="json"),
                evaluator.objective.split_key(self.split),
                self.split,
                evaluator.engine,
                evaluator.scale_key,
                list(self.after),
            ]
        )

    def evaluate(self, evaluator: Evaluator) -> tuple[EvaluationRecord, ...]:
        """Let the systems answer, have `evaluator` score them, and save the group.

        Raises:
            EvaluationError: somebody could not answer, or an answer not be rated or scored.
            LookupError: the records hold no group of `after`.

        """
        objective, engine = evaluator.objective, _Engine(evaluator, self.split)
        scales = evaluator.scales() if objective.scale_objective is not None else {}
        systems = [candidate.nodes for candidate in self.candidates]
        memory = read_memory(evaluator.records, self.after)
        result = run_systems(engine, systems, case_questions(objective, self.split), self.config, memory)
        finals, follow_ups = self._ask_on(objective, result, engine)
        savings = result.savings + follow_ups
        return evaluator.save(
            self.key(evaluator),
            [candidate.record for candidate in self.candidates],
            objective,
            self.split,
            evaluator.score(objective, self.split, finals, scales),
            GroupCost(savings.tokens_made, engine.seconds),
            GroupRequests(nodes=[request_json(request) for request in result.requests.values()]),
            node_answers(result, savings),
        )

    def _ask_on(
        self, objective: Objective, result: RunResult, engine: "_Engine"
    ) -> tuple[list[list[Response]], Savings]:
        """Return the end nodes' answers, follow-ups included, and what the follow-ups cost."""
        finals = [result.finals(index) for index in range(len(self.candidates))]
        follow_ups = [objective.follow_ups(self.split, answers) for answers in finals]
        if not any(follow_ups):
            return finals, Savings()
        recipes = [candidate.nodes[-1].recipe for candidate in self.candidates]
        more = engine(recipes, [list(requests.values()) for requests in follow_ups])
        both = [with_follow_ups(*parts) for parts in zip(finals, follow_ups, more, strict=True)]
        calls, tokens = sum(map(len, more)), sum(tokens_of(answer) for answers in more for answer in answers)
        return both, Savings(calls, calls, tokens, tokens, 1)


@dataclass(frozen=True)
class GroupCost:
    """The cost of a group's answers; see `infra.evaluation.evaluator.Cost`."""

    tokens: int
    seconds: float


class _Engine:
    """Calls the engine of an evaluator, and adds up the seconds that it takes."""

    def __init__(self, evaluator: Evaluator, split: Split) -> None:
        self._evaluator, self._split = evaluator, split
        self.seconds = 0.0

    def __call__(self, population: Sequence[Recipe], requests: Sequence[Sequence[Request]]) -> list[list[Response]]:
        responses, seconds = self._evaluator.ask(self._split, population, requests)
        self.seconds += seconds
        return responses


def node_answers(result: RunResult, savings: Savings) -> dict[str, Any]:
    """Return what the records hold of `result` and `savings` beside the scores, as plain JSON.

    - `answers`: [recipe, request, response] of each call that was made; recipe and request are content hashes, and
      `Records.node_requests` has the requests;
    - `nodes`: [systems][nodes][examples], the number of the answer in `answers`; None if it was known before;
    - `saved`: the counts.
    """
    number = {call: index for index, call in enumerate(result.new_responses)}
    return {
        "answers": [[*call, response_json(response)] for call, response in result.new_responses.items()],
        "nodes": [[[number.get(call) for call in row] for row in rows] for rows in result.calls],
        "saved": savings.to_json(),
    }


def read_memory(records: Records, groups: Iterable[str]) -> Memory:
    """Return every answer that was made for `groups`; `LookupError` if the records don't hold one of them."""
    memory = {}
    for group in groups:
        record = records.node_answers(group)
        if record is None:
            raise LookupError(f"the records hold no answers of nodes for the group {group}")
        memory.update({(recipe, request): response_from_json(value) for recipe, request, value in record["answers"]})
    return memory


def transcript(record: Mapping[str, Any], system: int, example: int) -> list[str | None]:
    """Return each node's answer to one example, in the nodes' order, from what `node_answers` returned.

    None where it is not text, or was known before.
    """
    numbers = [row[example] for row in record["nodes"][system]]
    values = [None if number is None else record["answers"][number][2][0] for number in numbers]
    return [value if isinstance(value, str) else None for value in values]


def _nodes_json(nodes: Nodes) -> list[dict[str, Any]]:
    return [{**asdict(node), "recipe": node.recipe.key} for node in nodes]
