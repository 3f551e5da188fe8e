"""A question that is in no data set, asked as the first task of a run's objective asks."""

from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel as Schema
from pydantic import ConfigDict, Field

from data.examples import Example
from data.kinds.base import MOST_NEW_TOKENS
from data.placeholders import CHOICES, placeholder_names
from data.prompts import QUESTION, Chat, InContextExample, as_chat, as_raw, fill
from data.requests import Generate, Request
from data.task import Task
from infra.systems.nodes import Node
from infra.systems.questions import Wrap
from swarm.errors import InputError

ANSWER_TOKENS = 100
"""Most tokens of an answer where the task itself asks for no text (log-likelihoods)."""


class QuestionFormat(Schema):
    """How a task turns a question into a prompt, and where the answer ends; the task's data is not part of it.

    Its fields are those of `asking` in a system's file.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    prompt: Literal["raw", "chat"]
    template: str
    system: str | None
    icl_prompt: str
    worked: tuple[tuple[str, str], ...]
    stop: tuple[str, ...]
    max_new_tokens: int = Field(ge=1, le=MOST_NEW_TOKENS)


def question_format_of(task: Task) -> QuestionFormat:
    """Return how `task` asks; a template that shows anything but `{question}` and `{choices}` is left out."""
    config, prompter = task.config, task.prompter
    template = config.template or config.default_template(task.dataset)
    requests = [case.request for case in (*task.dev, *task.test) if isinstance(case.request, Generate)]
    return QuestionFormat(
        prompt=config.prompt,
        template=template if _fits_a_question(template) else QUESTION,
        system=config.system,
        icl_prompt=prompter.icl_prompt,
        worked=tuple((pair.text, pair.answer) for pair in prompter.in_context_examples),
        stop=config.stop,
        max_new_tokens=max((request.max_new_tokens for request in requests), default=ANSWER_TOKENS),
    )


def _fits_a_question(template: str) -> bool:
    return QUESTION in template and set(placeholder_names(template)) <= {QUESTION.strip("{}"), CHOICES.strip("{}")}


@dataclass(frozen=True)
class FreeQuestion:
    """A question of a user.

    Attributes:
        question_format: how the run's objective asks its models.
        text: the question.
        chat: the base model's chat template; None if it has none, or none is needed.
        system: replaces the task's system message; None keeps it.
        max_new_tokens: of the answer; None: as many as the task allows.
        also_stop: the answer ends before the first of these strings, too.

    """

    question_format: QuestionFormat
    text: str
    chat: Chat | None
    system: str | None = None
    max_new_tokens: int | None = None
    also_stop: tuple[str, ...] = ()

    @property
    def limit(self) -> int:
        """Most tokens of the answer."""
        return self.question_format.max_new_tokens if self.max_new_tokens is None else self.max_new_tokens

    @property
    def stop(self) -> tuple[str, ...]:
        """See `Question.stop`."""
        return self.question_format.stop

    def prompt(self, node: Node, wrap: Wrap) -> str:
        """See `Question.prompt`; there is no long context to share out.

        Raises:
            InputError: the chat template refuses the messages, or a raw prompt is given a system message.

        """
        question_format = self.question_format
        examples = [InContextExample(*pair) for pair in question_format.worked]
        example = Example("", "dev", 0, "0", self.text, "")
        text = wrap(fill(question_format.template, example, ""))
        if question_format.prompt == "raw" or self.chat is None:
            if self.system is not None:
                raise InputError(
                    "a system message has no place here: this run's models are asked without a chat format"
                )
            return as_raw(text, question_format.icl_prompt, examples)
        system = question_format.system if self.system is None else self.system
        return as_chat(text, question_format.icl_prompt, examples, system, self.chat)

    def final(self, prompt: str) -> Request:
        """See `Question.final`."""
        return Generate(prompt, self.limit, (*self.question_format.stop, *self.also_stop))
