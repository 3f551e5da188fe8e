"""An evaluation group of systems: scored together on one split of an objective, and saved whole."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

from data.examples import Split
from data.objective import Objective
from data.requests import Request, Response, request_json
from data.scores import Evaluation
from infra.configs.systems import SystemConfig
from infra.evaluation.answering import Ask, followed
from infra.evaluation.evaluator import Evaluator
from infra.records.request_texts import GroupRequests
from infra.records.store import Records
from infra.records.values import EvaluationRecord
from infra.systems.answers import Memory, response_from_json, response_json
from infra.systems.executor import Ran, Saved, run_systems, tokens_of
from infra.systems.nodes import Nodes, nodes_of
from infra.systems.questions import case_questions
from swarm.canonical import content_hash
from swarm.recipes import Recipe
from swarm.systems import System


@dataclass(frozen=True)
class Candidate:
    """What is evaluated: its nodes, and how the records write it."""

    nodes: Nodes
    record: Mapping[str, Any]


def candidate_of(system: System) -> Candidate:
    """Return `system` as what is evaluated."""
    return Candidate(nodes_of(system), system.to_json())


@dataclass(frozen=True)
class SystemsGroup:
    """Systems that are evaluated together.

    Attributes:
        candidates: the systems.
        config: their nodes' prompts.
        objective: what scores the end nodes' answers.
        split: on which examples.
        engine: the identity of the engine that answers.
        scales: the key of the group that sets the scales of rewards; None if the objective needs none.
        after: the keys of saved groups of systems: what their nodes were asked is not asked again.

    """

    candidates: tuple[Candidate, ...]
    config: SystemConfig
    objective: Objective
    split: Split
    engine: str
    scales: str | None = None
    after: tuple[str, ...] = ()

    @cached_property
    def key(self) -> str:
        """The content hash of everything that its answers depend on.

        It holds `after`, too: what is known before decides which calls share a batch, and so their rounding.
        """
        return content_hash(
            [
                [_nodes_json(candidate.nodes) for candidate in self.candidates],
                self.config.model_dump(mode="json"),
                self.objective.split_key(self.split),
                self.split,
                self.engine,
                self.scales,
                list(self.after),
            ]
        )

    def evaluate(self, evaluator: Evaluator, records: Records, ask: Ask) -> tuple[EvaluationRecord, ...]:
        """Let the systems answer, have `evaluator` score them, and save the group.

        Raises:
            EvaluationError: somebody could not answer, or an answer not be rated or scored.
            LookupError: the records hold no group of `after`.

        """
        asked = _Asked(ask)
        scales = evaluator.scales(ask) if self.objective.scale_objective is not None else {}
        questions = case_questions(self.objective, self.split)
        systems = [candidate.nodes for candidate in self.candidates]
        ran = run_systems(asked, systems, questions, self.config, read_memory(records, self.after))
        finals, follow_ups = self._asked_on(ran, asked)
        saved = ran.saved + follow_ups
        return records.save_evaluation_group(
            self.key,
            self.objective.split_key(self.split),
            self.split,
            self.engine,
            self._records(evaluator.score(self.objective, self.split, finals, scales)),
            generated_tokens=saved.tokens_made,
            seconds=asked.seconds,
            node_answers=node_answers(ran, saved),
            requests=GroupRequests(nodes=[request_json(request) for request in ran.asked.values()]),
        )

    def _asked_on(self, ran: Ran, ask: "_Asked") -> tuple[list[list[Response]], Saved]:
        """Return the end nodes' answers with those to follow-ups, which their models are asked alone; and the cost."""
        finals = [ran.finals(index) for index in range(len(self.candidates))]
        wanted = [self.objective.follow_ups(self.split, answers) for answers in finals]
        if not any(wanted):
            return finals, Saved()
        recipes = [candidate.nodes[-1].recipe for candidate in self.candidates]
        more = ask(recipes, [list(requests.values()) for requests in wanted])
        both = [followed(*each) for each in zip(finals, wanted, more, strict=True)]
        calls, tokens = sum(map(len, more)), sum(tokens_of(each) for answers in more for each in answers)
        return both, Saved(calls, calls, tokens, tokens, 1)

    def _records(self, evaluations: Sequence[Evaluation]) -> list[EvaluationRecord]:
        written = [dict(candidate.record) for candidate in self.candidates]
        return [
            EvaluationRecord(self.key, i, record, e.utility, e.task_utilities, e.scores, e.predictions, e.outputs)
            for i, (record, e) in enumerate(zip(written, evaluations, strict=True))
        ]


class _Asked:
    """Calls an engine, and adds up the seconds that it takes."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self.seconds = 0.0

    def __call__(self, population: Sequence[Recipe], requests: Sequence[Sequence[Request]]) -> list[list[Response]]:
        responses, seconds = self._ask(population, requests)
        self.seconds += seconds
        return responses


def node_answers(ran: Ran, saved: Saved) -> dict[str, Any]:
    """Return what is kept of `ran`, and of what was `saved`, beside the scores, as plain JSON.

    - `answers`: [recipe, request, response] of each call that was made; recipe and request are content hashes, and
      `Records.node_requests` has the requests;
    - `nodes`: [systems][nodes][examples], the number of the answer in `answers`; None if it was known before;
    - `saved`: the counts.
    """
    number = {call: index for index, call in enumerate(ran.made)}
    return {
        "answers": [[*call, response_json(response)] for call, response in ran.made.items()],
        "nodes": [[[number.get(call) for call in row] for row in rows] for rows in ran.calls],
        "saved": saved.to_json(),
    }


def read_memory(records: Records, groups: Iterable[str]) -> Memory:
    """Return every answer that was made for `groups`; `LookupError` if the records don't hold one of them."""
    known = {}
    for group in groups:
        saved = records.node_answers(group)
        if saved is None:
            raise LookupError(f"the records hold no answers of nodes for the group {group}")
        known.update({(recipe, request): response_from_json(value) for recipe, request, value in saved["answers"]})
    return known


def transcript(saved: Mapping[str, Any], system: int, example: int) -> list[str | None]:
    """Return each node's answer to one example, in the nodes' order, from what `node_answers` returned.

    None where it is not text, or was known before.
    """
    numbers = [row[example] for row in saved["nodes"][system]]
    values = [None if number is None else saved["answers"][number][2][0] for number in numbers]
    return [value if isinstance(value, str) else None for value in values]


def _nodes_json(nodes: Nodes) -> list[dict[str, Any]]:
    return [{**asdict(node), "recipe": node.recipe.key} for node in nodes]
