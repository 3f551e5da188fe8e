import json
import re
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from data.kinds.exact_match import ExactMatch
from data.objective import ObjectiveConfig, load_objective
from infra.configs.systems import SystemConfig
from infra.systems.nodes import Node
from infra.systems.questions import case_questions, node_request, wrap_question
from swarm.recipes import Recipe, Space

RECIPE = Recipe(("a",), (1.0,), Space.FACTORS)


def test_the_default_prompts_are_those_of_the_public_code() -> None:
    config = SystemConfig()
    assert wrap_question("Why?", "", [], config) == "Please answer the following question.\nQuestion: Why?"
    assert wrap_question("Why?", "", ["One.", "Two."], config) == (
        "Please answer the following question with the help of previous responses, feel free to ignore wrong or "
        "unhelpful responses.\nPrevious response 1: One.\nPrevious response 2: Two.\nQuestion: Why?"
    )


def test_a_role_is_read_first() -> None:
    assert wrap_question("Why?", "You doubt.", [], SystemConfig(source="{question}")) == "You doubt.\nWhy?"


def test_placeholders_in_questions_and_answers_stay_text() -> None:
    config = SystemConfig(source="{question}", later="{responses} | {question}", response="{number}={response}")
    assert wrap_question("{responses} {number}", "", ["{question} {number}"], config) == (
        "1={question} {number} | {responses} {number}"
    )


@pytest.mark.parametrize(
    "given", [{"source": "Answer."}, {"later": "{question}"}, {"response": "{number}"}, {"max_new_tokens": 0}]
)
def test_prompts_that_leave_something_out_are_refused(given: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        SystemConfig(**given)


def test_each_node_reads_its_share_of_a_long_context(tmp_path: Path) -> None:
    example = {"question": "Who?", "answer": "I", "context_chunks": ["one", "two", "three"]}
    path = tmp_path / "long.json"
    path.write_text(json.dumps({"dataset": "long", "dev": [example], "test": [example | {"question": "Me?"}]}))
    task = ExactMatch(kind="exact_match", match="word", data=path, template="{question}", stop=("\n",))
    [question] = case_questions(load_objective(ObjectiveConfig(tasks=[task])), "dev")
    config = SystemConfig(source="{question}", max_new_tokens=7)
    asked = [node_request(question, Node(RECIPE, "", (), share, 2), [], config, last=False) for share in (0, 1)]
    assert [request.prompt for request in asked] == ["Context: one\ntwo\nWho?", "Context: three\nWho?"]
    assert {(request.max_new_tokens, request.stop) for request in asked} == {(7, ("\n",))}  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("field", "template", "placeholder"),
    [
        ("source", "{question} {responses}", "{responses}"),
        ("later", "{question} {responses} {response}", "{response}"),
        ("response", "{numer}: {response}", "{numer}"),
        ("source", "{question} {}", "{}"),
    ],
)
def test_an_unknown_placeholder_of_a_node_is_refused(field: str, template: str, placeholder: str) -> None:
    with pytest.raises(ValidationError, match=f"placeholder {re.escape(placeholder)}"):
        SystemConfig.model_validate({field: template})
