from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

import tests.infra.systems.plain_way as plain_way
from data.objective import Objective
from data.requests import Completion, Generate, LogLikelihood, LogLikelihoods, Request, Response
from infra.engines.base import Engine
from infra.systems.executor import Savings, run_systems
from infra.systems.nodes import levels, nodes_of
from infra.systems.questions import case_questions
from swarm.graphs import Dag
from swarm.recipes import Recipe, Space
from swarm.systems import System
from tests.infra.systems.system_samples import PROMPTS, systems


class Recorded:
    """Passes calls on to an engine, and keeps them."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.calls: list[list[tuple[Recipe, Request]]] = []

    def __call__(self, population: Sequence[Recipe], requests: Sequence[Sequence[Request]]) -> list[list[Response]]:
        self.calls.append([(r, item) for r, asked in zip(population, requests, strict=True) for item in asked])
        return self.engine.run(population, requests)


@pytest.fixture
def ask(engine: Engine) -> Recorded:
    return Recorded(engine)


@pytest.mark.slow
def test_every_node_answers_as_it_does_alone(
    ask: Recorded, engine: Engine, models: tuple[Recipe, ...], objective: Objective
) -> None:
    many = systems(models)
    ran = run_systems(ask, list(map(nodes_of, many)), case_questions(objective, "dev"), PROMPTS, {})
    cases = [(task, case) for task in objective.tasks for case in task.dev]
    for index, system in enumerate(many):
        for number, (task, case) in enumerate(cases):
            alone = plain_way.answer(engine, system, task, case)
            together = ran.answers(index, number)
            assert [_text(item) for item in together] == [_text(alone[node]) for node in system.dag.order]
            assert ran.finals(index)[number] == together[-1]


def _text(response: Response) -> object:
    return response if isinstance(response, Completion) else [pytest.approx(v, abs=1e-4) for v in response.values]


def test_each_level_of_all_systems_is_one_call_and_nothing_is_asked_twice(
    ask: Recorded, models: tuple[Recipe, ...], objective: Objective
) -> None:
    many = [nodes_of(system) for system in systems(models)]
    ran = run_systems(ask, many, case_questions(objective, "dev"), PROMPTS, {})
    assert len(ask.calls) == max(max(levels(nodes)) for nodes in many) + 1 == 4
    asked = [item for call in ask.calls for item in call]
    assert len(set(asked)) == len(asked) == ran.savings.calls_made == len(ran.new_responses)
    assert ran.savings.calls_public == 4 * 4 * 12
    made = sum(getattr(answer, "tokens", 0) for answer in ran.new_responses.values())
    assert ran.savings.tokens_made == made < ran.savings.tokens_public
    assert ran.savings.engine_calls == 4


def test_sources_are_asked_once_a_model_however_many_systems_have_them(
    ask: Recorded, models: tuple[Recipe, ...], objective: Objective
) -> None:
    star, _, turned, _ = (nodes_of(system) for system in systems(models))
    run_systems(ask, [star, turned], case_questions(objective, "dev"), PROMPTS, {})
    assert len(ask.calls[0]) == 3 * 12  # 3 models, though the two stars have 6 sources


def test_an_intermediate_node_has_its_own_limit_and_the_end_node_the_tasks(
    ask: Recorded, models: tuple[Recipe, ...], objective: Objective
) -> None:
    star = nodes_of(systems(models)[0])
    run_systems(ask, [star], case_questions(objective, "dev"), PROMPTS, {})
    first, last = ask.calls
    assert {request.max_new_tokens for _, request in first if isinstance(request, Generate)} == {5}
    assert [type(request) for _, request in last] == [Generate] * 6 + [LogLikelihood] * 6
    assert {request.max_new_tokens for _, request in last if isinstance(request, Generate)} == {6}


def test_what_is_remembered_is_not_asked_again_and_counts_as_saved(
    ask: Recorded, models: tuple[Recipe, ...], objective: Objective
) -> None:
    questions, many = case_questions(objective, "dev"), [nodes_of(system) for system in systems(models)]
    first = run_systems(ask, many, questions, PROMPTS, {})
    ask.calls.clear()
    again = run_systems(ask, many, questions, PROMPTS, first.new_responses)
    assert ask.calls == [] and again.new_responses == {}
    assert [again.finals(index) for index in range(4)] == [first.finals(index) for index in range(4)]
    assert again.savings == Savings(first.savings.calls_public, 0, first.savings.tokens_public, 0, 0)


def test_the_batches_are_the_same_however_often_it_is_done(
    ask: Recorded, models: tuple[Recipe, ...], objective: Objective
) -> None:
    questions, many = case_questions(objective, "dev"), [nodes_of(system) for system in systems(models)]
    run_systems(ask, many, questions, PROMPTS, {})
    first, ask.calls = ask.calls, []
    run_systems(ask, many, questions, PROMPTS, {})
    assert ask.calls == first


def test_no_systems_and_no_questions_ask_nothing(ask: Recorded, models: tuple[Recipe, ...]) -> None:
    assert run_systems(ask, [], [], PROMPTS, {}).savings == Savings()
    assert run_systems(ask, [nodes_of(systems(models)[0])], [], PROMPTS, {}).savings == Savings()
    assert ask.calls == []


class Echo:
    """Answers every prompt with the model's number and the number of answers that it was shown."""

    def __call__(self, population: Sequence[Recipe], requests: Sequence[Sequence[Request]]) -> list[list[Response]]:
        return [
            [Completion(f" {recipe.coefficients[0]:.0f}[{item.prompt}]\n", 1) for item in asked]
            for recipe, asked in zip(population, requests, strict=True)
        ]


@given(st.integers(2, 12).flatmap(lambda n: st.tuples(*[st.integers(0, max(0, i - 1)) for i in range(n)])))
def test_the_end_node_reads_all_others_through_the_graph(parents: tuple[int, ...]) -> None:
    """Node 0 is the end; node i's answer goes to a node before it: any in-tree but for the names of its nodes."""
    n = len(parents)
    dag = Dag((None, *parents[1:]))
    recipes = tuple(Recipe(("a",), (float(i),), Space.FACTORS) for i in range(n))
    system = System(dag, recipes, ("",) * n, tuple(range(n)))

    def expected(node: int) -> str:
        lines = "".join(f"{i}) {expected(before)}\n" for i, before in enumerate(dag.predecessors[node], 1))
        return f"{node}[{lines}Q: why]".replace("\n", " ")

    [final] = run_systems(Echo(), [nodes_of(system)], [Why()], PROMPTS, {}).finals(0)
    assert isinstance(final, Completion) and final.text.strip().replace("\n", " ") == expected(0)


class Why:
    """The question "why"."""

    stop = ()

    def prompt(self, node: object, wrap: object) -> str:
        return wrap("why")  # type: ignore[operator,no-any-return]

    def final(self, prompt: str) -> Request:
        return Generate(prompt, 1)


def test_an_end_node_of_log_likelihoods_is_no_text_for_others() -> None:
    from infra.systems.questions import answer_text

    with pytest.raises(TypeError, match="not for LogLikelihoods"):
        answer_text(LogLikelihoods((0.0,), (1,)))
