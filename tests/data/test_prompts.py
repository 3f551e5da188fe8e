import pytest

from data.examples import Example
from data.prompts import as_chat, fill, require_placeholders
from swarm.errors import InputError

QUESTION = Example("set", "dev", 0, "0", "What is {choices}?", "A", (("A", "one"), ("B", "{question}")))


def test_a_template_is_filled_once_so_that_braces_in_the_data_stay() -> None:
    filled = fill("Q: {question}\n{choices}\nAnswer with \\boxed{x}:", QUESTION, "")
    assert filled == "Q: What is {choices}?\nA: one\nB: {question}\nAnswer with \\boxed{x}:"


def test_worked_examples_stand_before_the_prompt_on_lines_of_their_own() -> None:
    assert fill("{question}", QUESTION, "Q: 1+1\nA: 2") == "Q: 1+1\nA: 2\nWhat is {choices}?"


def test_a_template_without_its_placeholder_is_refused() -> None:
    with pytest.raises(ValueError) as error:
        require_placeholders("Q: {qestion}", "{question}")
    assert str(error.value) == "template 'Q: {qestion}' has no {question}: write it where the text belongs"


def test_a_chat_prompt_is_the_users_message_after_the_system_message() -> None:
    assert as_chat("hello", "be brief", repr) == (
        "[{'role': 'system', 'content': 'be brief'}, {'role': 'user', 'content': 'hello'}]"
    )
    assert as_chat("hello", None, repr) == "[{'role': 'user', 'content': 'hello'}]"


def test_a_chat_template_that_fails_is_reported_on_one_line_with_its_reason() -> None:
    def no_system_role(messages: list[dict[str, str]]) -> str:
        raise RuntimeError("System role\nnot supported")

    with pytest.raises(InputError) as error:
        as_chat("hello", "be brief", no_system_role)
    assert str(error.value) == (
        "prompt: the chat template failed (System role not supported): remove 'system' or set prompt: raw"
    )
