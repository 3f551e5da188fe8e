"""What a client may ask for, and what it is told of the rest."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.serving.chat_request import BadRequest, ChatRequest, parse_chat_request

USER = {"role": "user", "content": "Why?"}


def parse(**fields: Any) -> ChatRequest:
    return parse_chat_request(json.dumps({"model": "demo", "messages": [USER], **fields}).encode(), "demo")


def test_a_question_is_one_user_message_after_one_system_message_at_most() -> None:
    assert parse() == ChatRequest("Why?", None, None, ())
    parts = {"role": "user", "content": [{"type": "text", "text": "Wh"}, {"type": "text", "text": "y?"}]}
    assert parse(messages=[{"role": "system", "content": "Be kind."}, parts]).system == "Be kind."
    assert parse(messages=[{"role": "developer", "content": "Be kind."}, parts]).text == "Why?"


def test_limits_and_stops_are_taken_and_what_changes_nothing_is_allowed() -> None:
    given = parse(
        max_tokens=7, stop="\n", temperature=0.0, top_p=1, n=1, stream=False, seed=3, user="me", logprobs=None
    )
    assert given == ChatRequest("Why?", None, 7, ("\n",))
    assert parse(max_completion_tokens=8, stop=["a", "b"]) == ChatRequest("Why?", None, 8, ("a", "b"))


REFUSED: list[tuple[dict[str, Any], str | None, str]] = [
    ({"model": "other"}, "model", "no model 'other', only 'demo'"),
    ({"stream": True}, "stream", "can only be false: answers are sent whole"),
    ({"temperature": 0.7}, "temperature", "can only be 0"),
    ({"temperature": False}, "temperature", "can only be 0"),
    ({"top_p": 0.5}, "top_p", "can only be 1"),
    ({"n": 2}, "n", "there is one answer"),
    ({"tools": []}, "tools", "is not offered"),
    ({"response_format": {"type": "json_object"}}, "response_format", "is not offered"),
    ({"messages": []}, "messages", "a list of messages"),
    ({"messages": "Why?"}, "messages", "a list of messages"),
    ({"messages": ["Why?"]}, "messages", "a list of messages"),
    ({"messages": [USER, {"role": "assistant", "content": "So."}, USER]}, "messages", "user, assistant, user"),
    ({"messages": [{"role": "tool", "content": "x"}]}, "messages", "the roles tool"),
    ({"messages": [{"role": "user", "content": " "}]}, "messages", "not empty"),
    ({"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}, "messages", "must be text"),
    ({"messages": [{"role": "user", "content": "\ud800"}]}, None, "half a character"),
    ({"messages": [{"role": "\ud800", "content": "Why?"}]}, None, "half a character"),
    ({"\ud800": 1}, None, "half a character"),
    ({"stop": ["\ud800"]}, None, "half a character"),
    ({"user": [[[[[[[[[1]]]]]]]]]}, None, "in each other"),
    ({"messages": [{"role": "user"}]}, "messages", "must be text"),
    ({"max_tokens": 0}, "max_tokens", "from 1 to 4096"),
    ({"max_tokens": True}, "max_tokens", "from 1 to 4096"),
    ({"max_completion_tokens": 1e9}, "max_completion_tokens", "from 1 to 4096"),
    ({"stop": [""]}, "stop", "none empty"),
    ({"stop": ["a"] * 5}, "stop", "up to 4"),
    ({"stop": 3}, "stop", "up to 4"),
]


@pytest.mark.parametrize(("fields", "param", "message"), REFUSED)
def test_what_is_not_offered_is_refused_with_the_field_and_the_reason(
    fields: dict[str, Any], param: str | None, message: str
) -> None:
    with pytest.raises(BadRequest) as error_info:
        parse(**fields)
    assert error_info.value.param == param and message in str(error_info.value)
    assert error_info.value.status == (404 if param == "model" else 400)


@given(st.binary() | st.recursive(st.none() | st.booleans() | st.floats() | st.text(), st.lists).map(json.dumps))
def test_no_body_does_anything_but_be_refused(body: bytes | str) -> None:
    with pytest.raises(BadRequest):
        parse_chat_request(body if isinstance(body, bytes) else body.encode(), "demo")


def test_deeply_nested_json_is_refused() -> None:
    with pytest.raises(BadRequest, match="no JSON"):
        parse_chat_request(b"[" * 200_000, "demo")
