from dataclasses import replace

import pytest

from data.examples import Example
from data.prompts import InContextExample, as_chat, as_raw, fill, require_placeholders
from swarm.errors import InputError

QUESTION = Example("set", "dev", 0, "0", "What is {choices}?", "A", (("A", "one"), ("B", "{question}")))


def test_a_template_is_filled_once_so_that_braces_in_the_data_stay() -> None:
    filled = fill("Q: {question}\n{choices}\nAnswer with \\boxed{x}:", QUESTION, "")
    assert filled == "Q: What is {choices}?\nA: one\nB: {question}\nAnswer with \\boxed{x}:"


@pytest.mark.parametrize(
    ("template", "prompt"),
    [
        ("Read {context}. {question}", "Read {question}. What is {choices}?"),
        ("{question}", "Context: {question}\nWhat is {choices}?"),
    ],
)
def test_a_context_stands_where_the_template_says_or_before_it(template: str, prompt: str) -> None:
    assert fill(template, replace(QUESTION, extra={"context_chunks": ["some"]}), "{question}") == prompt


def test_worked_examples_stand_before_a_raw_prompt() -> None:
    assert as_raw("2+2=", "", ()) == "2+2="
    assert as_raw("2+2=", "0+0=0", ()) == "0+0=0\n2+2="
    worked = [InContextExample("1+1=", "2"), InContextExample("Say no:\n", "no")]
    assert as_raw("2+2=", "0+0=0", worked) == "0+0=0\n1+1= 2\n\nSay no:\nno\n\n2+2="


def test_a_template_without_its_placeholder_is_refused() -> None:
    with pytest.raises(ValueError) as error:
        require_placeholders("Q: {qestion}", "{question}")
    assert str(error.value) == "template 'Q: {qestion}' has no {question}: write it where the text belongs"


def test_a_chat_prompt_is_the_users_message_after_the_system_message() -> None:
    assert as_chat("hello", "", (), "be brief", repr) == (
        "[{'role': 'system', 'content': 'be brief'}, {'role': 'user', 'content': 'hello'}]"
    )
    assert as_chat("hello", "", (), None, repr) == "[{'role': 'user', 'content': 'hello'}]"


def test_worked_examples_are_turns_of_a_chat_and_the_files_own_begin_the_first_message() -> None:
    def turns(messages: list[dict[str, str]]) -> str:
        return "".join(f"<{message['role']}>{message['content']}" for message in messages)

    worked = [InContextExample("1+1=", "2")]
    assert (
        as_chat("2+2=", "Sums", worked, "be brief", turns) == "<system>be brief<user>Sums\n1+1=<assistant>2<user>2+2="
    )
    assert as_chat("2+2=", "Sums", (), None, turns) == "<user>Sums\n2+2="


def test_a_chat_template_that_fails_is_reported_on_one_line_with_its_reason() -> None:
    def no_system_role(messages: list[dict[str, str]]) -> str:
        raise RuntimeError("System role\nnot supported")

    with pytest.raises(InputError) as error:
        as_chat("hello", "", (), "be brief", no_system_role)
    assert str(error.value) == (
        "prompt: the chat template failed (System role not supported): remove 'system' or set prompt: raw"
    )
