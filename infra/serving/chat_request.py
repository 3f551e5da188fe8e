"""A chat completion as OpenAI's clients ask for it, checked: what is offered, and what is refused in plain words."""

import json
from dataclasses import dataclass
from typing import Any

_FIELDS = {"model", "messages", "max_tokens", "max_completion_tokens", "stop"}
_IGNORED_FIELDS = {"seed", "user"}
"""Answers are the same whatever the seed."""

_ONLY: dict[str, tuple[Any, str]] = {
    "stream": (False, "answers are sent whole"),
    "n": (1, "there is one answer to a question"),
    "temperature": (0, "the likeliest answer is given, always the same"),
    "top_p": (1, "the likeliest answer is given, always the same"),
    "presence_penalty": (0, "answers are not penalised"),
    "frequency_penalty": (0, "answers are not penalised"),
    "logprobs": (False, "log-probabilities are not given"),
}
"""The fields that may have one value only: field → (the value, why)."""

MOST_TOKENS = 4096
MOST_STOPS = 4
DEEPEST = 8
"""Lists and objects in each other: a message's content has five."""


class BadRequest(Exception):
    """A request that can't be answered; `param` is the field at fault, `status` HTTP's."""

    def __init__(self, message: str, param: str | None = None, status: int = 400) -> None:
        super().__init__(message)
        self.param = param
        self.status = status


@dataclass(frozen=True)
class ChatRequest:
    """A question, what the model is told beside it, and how long the answer may be."""

    text: str
    system: str | None
    max_tokens: int | None
    stop: tuple[str, ...]


def parse_chat_request(body: bytes, model: str) -> ChatRequest:
    """Read the body of a request to `model`.

    Raises:
        BadRequest: it is no JSON object, or asks for what is not offered.

    """
    value = _json_object(body)
    _check_fields(value)
    if value.get("model") != model:
        raise BadRequest(f"there is no model {value.get('model')!r}, only {model!r}", "model", 404)
    system, text = _messages(value.get("messages"))
    return ChatRequest(text, system, _max_tokens(value), _stop(value.get("stop")))


def _json_object(body: bytes) -> dict[str, Any]:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise BadRequest(f"the body is no JSON: {error}") from error
    if not isinstance(value, dict):
        raise BadRequest("the body is no JSON object")
    _check_values(value, DEEPEST)
    return value


def _check_values(value: Any, depth: int) -> None:
    """Refuse what lies too deep, and texts that can't be written (with lone surrogates)."""
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError:
            raise BadRequest("the body holds half a character (a lone surrogate)") from None
    elif isinstance(value, list | dict):
        if depth == 0:
            raise BadRequest(f"the body has more than {DEEPEST} lists and objects in each other")
        parts = value if isinstance(value, list) else [*value, *value.values()]
        for part in parts:
            _check_values(part, depth - 1)


def _check_fields(value: dict[str, Any]) -> None:
    for field, setting in value.items():
        if field in _ONLY:
            only, why = _ONLY[field]
            if setting is not None and (isinstance(setting, bool) is not isinstance(only, bool) or setting != only):
                raise BadRequest(f"{field} can only be {json.dumps(only)}: {why}; leave it out", field)
        elif field not in _FIELDS | _IGNORED_FIELDS:
            raise BadRequest(f"{field} is not offered: leave it out", field)


def _messages(value: Any) -> tuple[str | None, str]:
    """Return the system message, if there is one, and the question."""
    if not isinstance(value, list) or not value or not all(isinstance(message, dict) for message in value):
        raise BadRequest("messages must be a list of messages, each with a role and a content", "messages")
    roles = [message.get("role") for message in value]
    if roles not in (["user"], ["system", "user"], ["developer", "user"]):
        raise BadRequest(
            f"messages have the roles {', '.join(map(str, roles))}, but each question is answered on its own: send "
            "one user message, after one system message at most",
            "messages",
        )
    *before, text = [_content(message.get("content")) for message in value]
    return (before[0] if before else None), text


def _content(value: Any) -> str:
    if isinstance(value, list) and all(isinstance(part, dict) and part.get("type") == "text" for part in value):
        value = "".join(str(part.get("text", "")) for part in value)
    if not isinstance(value, str) or not value.strip():
        raise BadRequest("a message's content must be text, and not empty", "messages")
    return value


def _max_tokens(value: dict[str, Any]) -> int | None:
    for field in ("max_completion_tokens", "max_tokens"):
        limit = value.get(field)
        if limit is None:
            continue
        if not isinstance(limit, int) or isinstance(limit, bool) or not 1 <= limit <= MOST_TOKENS:
            raise BadRequest(f"{field} must be a whole number from 1 to {MOST_TOKENS}, not {limit!r}", field)
        return limit
    return None


def _stop(value: Any) -> tuple[str, ...]:
    stops = [] if value is None else [value] if isinstance(value, str) else value
    if not isinstance(stops, list) or len(stops) > MOST_STOPS or not all(isinstance(s, str) and s for s in stops):
        raise BadRequest(f"stop must be a text or up to {MOST_STOPS} of them, none empty", "stop")
    return tuple(stops)
