"""Prompts: from an example to the exact text that an engine is sent."""

import re
from collections.abc import Callable

from data.examples import Example
from swarm.errors import InputError

Chat = Callable[[list[dict[str, str]]], str]
"""A tokenizer's chat template: messages (`role`, `content`) to the prompt that the assistant's answer follows."""

QUESTION, CHOICES = "{question}", "{choices}"
"""The placeholders of a template."""


def require_placeholders(template: str, *placeholders: str) -> None:
    """Raise `ValueError` if a placeholder is missing in `template`.

    Other braces are left alone, because templates hold JSON and LaTeX.
    """
    for placeholder in placeholders:
        if placeholder not in template:
            raise ValueError(f"template {template!r} has no {placeholder}: write it where the text belongs")


def fill(template: str, example: Example, icl_prompt: str) -> str:
    """Return `template` filled with `example`, after the worked examples of `icl_prompt` if there are any."""
    values = {QUESTION: example.question, CHOICES: "\n".join(f"{key}: {text}" for key, text in example.choices)}
    # One pass, so that a placeholder inside a question stays what it is: text.
    filled = re.sub(r"\{(?:question|choices)\}", lambda match: values[match.group()], template)
    return f"{icl_prompt}\n{filled}" if icl_prompt else filled


def space_after(prompt: str) -> str:
    """Return what stands between `prompt` and a word: the word begins with its space, unless the prompt ends in one."""
    return "" if prompt[-1:].isspace() else " "  # most chat formats end in a line break


def as_chat(text: str, system: str | None, chat: Chat) -> str:
    """Return `text` as the user's message in the model's own chat format.

    Raises:
        InputError: the model's template refuses the messages (some know no system role).

    """
    messages = [{"role": "system", "content": system}] if system else []
    try:
        return chat([*messages, {"role": "user", "content": text}])
    except Exception as error:  # a template is a program of the model's author: it raises what it likes
        reason = " ".join(str(error).split())
        raise InputError(f"prompt: the chat template failed ({reason}): remove 'system' or set prompt: raw") from error
