"""Prompts: from an example to the exact text that an engine is sent."""

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

from data.examples import Example
from swarm.errors import InputError

Chat = Callable[[list[dict[str, str]]], str]
"""A tokenizer's chat template: messages (`role`, `content`) to the prompt that the assistant's answer follows."""

QUESTION, CHOICES, CONTEXT = "{question}", "{choices}", "{context}"
"""The placeholders of a template."""


class Worked(NamedTuple):
    """An in-context example: its filled template, and the right answer."""

    text: str
    answer: str


def require_placeholders(template: str, *placeholders: str) -> None:
    """Raise `ValueError` if a placeholder is missing in `template`.

    Other braces are left alone, because templates hold JSON and LaTeX.
    """
    for placeholder in placeholders:
        if placeholder not in template:
            raise ValueError(f"template {template!r} has no {placeholder}: write it where the text belongs")


def fill(template: str, example: Example, context: str) -> str:
    """Return `template` filled with `example` and `context`, the part of its context that is read.

    A context that the template has no place for stands before it, as in Heterogeneous Swarms' public code.
    """
    choices = "\n".join(f"{key}: {text}" for key, text in example.choices)
    values = {QUESTION: example.question, CHOICES: choices, CONTEXT: context}
    # One pass, so that a placeholder inside a question stays what it is: text.
    filled = re.sub(r"\{(?:question|choices|context)\}", lambda match: values[match.group()], template)
    return f"Context: {context}\n{filled}" if context and CONTEXT not in template else filled


def as_raw(text: str, icl_prompt: str, worked: Sequence[Worked]) -> str:
    """Return `text` after the file's own `icl_prompt` and the in-context examples, a blank line after each."""
    shown = "".join(f"{asked}{space_after(asked)}{answer}\n\n" for asked, answer in worked)
    return _after(icl_prompt, f"{shown}{text}")


def space_after(prompt: str) -> str:
    """Return what stands between `prompt` and a word: the word begins with its space, unless the prompt ends in one."""
    return "" if prompt[-1:].isspace() else " "  # most chat formats end in a line break


def as_chat(text: str, icl_prompt: str, worked: Sequence[Worked], system: str | None, chat: Chat) -> str:
    """Return `text` as the user's message in the model's own chat format.

    In-context examples are turns of their own before it; the file's own `icl_prompt` begins the first message.

    Raises:
        InputError: the model's template refuses the messages (some know no system role).

    """
    turns = [turn for asked, answer in worked for turn in (("user", asked), ("assistant", answer))]
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
