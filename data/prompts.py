"""Put filled templates together to the exact prompt that an engine receives."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from data.placeholders import CHOICES, CONTEXT, QUESTION, fill, require_placeholders
from swarm.errors import InputError

__all__ = [
    "CHOICES",
    "CONTEXT",
    "QUESTION",
    "Chat",
    "InContextExample",
    "as_chat",
    "as_raw",
    "fill",
    "require_placeholders",
    "space_after",
]

Chat = Callable[[list[dict[str, str]]], str]
"""A tokenizer's chat template: it makes a prompt from messages (`role`, `content`); the answer follows the prompt."""


class InContextExample(NamedTuple):
    """An in-context example: its filled template, and the right answer."""

    text: str
    answer: str


def as_raw(text: str, icl_prompt: str, in_context_examples: Sequence[InContextExample]) -> str:
    """Return `text` after the file's own `icl_prompt` and the in-context examples, a blank line after each."""
    beginning = "".join(f"{question}{space_after(question)}{answer}\n\n" for question, answer in in_context_examples)
    return _after(icl_prompt, f"{beginning}{text}")


def space_after(prompt: str) -> str:
    """Return what stands between `prompt` and a word: the word begins with its space, unless the prompt ends in one."""
    return "" if prompt[-1:].isspace() else " "  # most chat formats end in a line break


def as_chat(
    text: str, icl_prompt: str, in_context_examples: Sequence[InContextExample], system: str | None, chat: Chat
) -> str:
    """Return `text` as the user's message in the model's own chat format.

    In-context examples are turns of their own before it; the file's own `icl_prompt` begins the first message.

    Raises:
        InputError: the model's template refuses the messages (some know no system role).

    """
    turns = [turn for question, answer in in_context_examples for turn in (("user", question), ("assistant", answer))]
    (role, first), *rest = [*turns, ("user", text)]
    messages = [("system", system)] if system else []
    messages += [(role, _after(icl_prompt, first)), *rest]
    try:
        return chat([{"role": role, "content": content} for role, content in messages])
    except Exception as error:  # a template is a program of the model's author: it raises what it likes
        reason = " ".join(str(error).split())
        raise InputError(f"prompt: the chat template failed ({reason}): remove 'system' or set prompt: raw") from error


def _after(icl_prompt: str, text: str) -> str:
    return f"{icl_prompt}\n{text}" if icl_prompt else text
