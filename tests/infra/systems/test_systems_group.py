"""Groups of systems: scored, saved, found again, and built on each other."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from data.kinds.abstain_qa import AbstainQA
from data.objective import Objective, ObjectiveConfig, load_objective
from data.requests import Request, Response, request_from_json, request_key
from infra.engines.base import Engine
from infra.evaluation.answers import Ask
from infra.evaluation.evaluator import Evaluator
from infra.records.store import Records
from infra.scorers.open_scorers import Scorers
from infra.settings import Settings
from infra.systems.executor import Savings
from infra.systems.group import SystemGroup, group_of, read_memory, transcript
from swarm.recipes import Recipe
from swarm.systems import System
from tests.infra.systems.system_samples import PROMPTS, systems


@pytest.fixture
def records(tmp_path: Path) -> Iterator[Records]:
    with Records(f"sqlite:///{tmp_path / 'records.db'}") as opened:
        yield opened


def evaluator(objective: Objective, records: Records, ask: Ask, engine: str = "engine") -> Evaluator:
    return Evaluator(objective, engine, [], ask, Scorers(Settings()), records)


class Asked:
    """Calls an engine, and counts what it asks."""

    def __init__(self, engine: Engine) -> None:
        self.engine, self.requests = engine, 0
        self.sent: dict[str, Request] = {}

    def __call__(
        self, population: Sequence[Recipe], requests: Sequence[Sequence[Request]]
    ) -> tuple[list[list[Response]], float]:
        self.requests += sum(map(len, requests))
        self.sent |= {request_key(request): request for own in requests for request in own}
        return self.engine.run(population, requests), 0.5


def group(many: Sequence[System], after: tuple[str, ...] = ()) -> SystemGroup:
    return group_of(many, PROMPTS, "dev", after)


def test_a_group_is_saved_with_its_scores_and_its_nodes_answers(
    objective: Objective, engine: Engine, models: tuple[Recipe, ...], records: Records
) -> None:
    many, ask = systems(models), Asked(engine)
    maker = evaluator(objective, records, ask)
    key, result = group(many).key(maker), group(many).evaluate(maker)
    assert result == records.evaluation_group(key)
    assert [System.from_json(record.recipe) for record in result] == many
    assert all(len(record.scores) == 12 for record in result)
    saved = records.node_answers(key)
    assert saved is not None and len(saved["answers"]) == ask.requests
    counts = Savings.from_json(saved["saved"])
    assert (counts.calls_public, counts.calls_made, counts.engine_calls) == (4 * 4 * 12, ask.requests, 4)
    [row] = records.evaluation_groups([key])
    assert (row.generated_tokens, row.seconds) == (counts.tokens_made, 2.0)
    held = records.node_requests(key)
    assert {key: request_from_json(request) for key, request in held.items()} == ask.sent
    assert {request for _, request, _ in saved["answers"]} == set(held)
    assert transcript(saved, 0, 3)[-1] == result[0].outputs[3]
    assert transcript(saved, 0, 9)[-1] is None  # log-likelihoods are no text


def test_a_group_that_builds_on_another_asks_only_what_is_new(
    objective: Objective, engine: Engine, models: tuple[Recipe, ...], records: Records
) -> None:
    star, tree, turned, _ = systems(models)
    once, less = Asked(engine), Asked(engine)
    maker, thrifty = (evaluator(objective, records, ask) for ask in (once, less))
    [first, *_] = {
        result.group for result in group([star, tree]).evaluate(evaluator(objective, records, Asked(engine)))
    }
    alone, after = group([turned]), group([turned], (first,))
    assert alone.key(maker) != after.key(maker)
    assert after.evaluate(thrifty)[0].scores == alone.evaluate(maker)[0].scores
    assert (less.requests, once.requests) == (12, 48)  # the three sources were asked before
    assert set(records.node_requests(after.key(maker))) == set(less.sent)
    assert len(read_memory(records, (first, after.key(maker)))) == len(read_memory(records, (first,))) + 12


def test_a_group_can_t_build_on_one_that_is_not_there(
    objective: Objective, engine: Engine, models: tuple[Recipe, ...], records: Records
) -> None:
    with pytest.raises(LookupError, match="no answers of nodes"):
        group(systems(models)[:1], ("0" * 64,)).evaluate(evaluator(objective, records, Asked(engine)))


def test_the_key_is_of_what_is_computed(
    objective: Objective, engine: Engine, models: tuple[Recipe, ...], records: Records
) -> None:
    star, tree, turned, chain = systems(models)
    maker = evaluator(objective, records, Asked(engine))
    made = group([star])
    assert group([replace(star, assignment=(3, 2, 1, 0))]).key(maker) == made.key(maker)
    others = [group([other]) for other in (tree, turned, chain)]
    others += [replace(made, config=PROMPTS.model_copy(update={"source": "{question}"})), replace(made, split="test")]
    others += [group([star, tree]), group([star], ("0" * 64,))]
    elsewhere = evaluator(objective, records, Asked(engine), engine="other")
    keys = {made.key(maker), made.key(elsewhere), *(other.key(maker) for other in others)}
    assert len(keys) == len(others) + 2


def test_the_end_node_s_model_is_asked_a_follow_up(
    data_file: Path, engine: Engine, models: tuple[Recipe, ...], records: Records
) -> None:
    task = AbstainQA(kind="abstain_qa", data=data_file, max_new_tokens=6)
    abstaining = load_objective(ObjectiveConfig(tasks=[task]))
    ask = Asked(engine)
    [result] = group(systems(models)[:1]).evaluate(evaluator(abstaining, records, ask))
    assert all("Is the proposed answer true or false?" in output for output in result.outputs)
    saved = records.node_answers(result.group)
    assert saved is not None
    assert saved["saved"]["calls_made"] == ask.requests == 4 * 6 + 6
    assert saved["saved"]["engine_calls"] == 3
    assert records.evaluation_groups([result.group])[0].generated_tokens == saved["saved"]["tokens_made"]
