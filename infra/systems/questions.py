"""Turn a question into the request of each node of a system."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from data.examples import Example, Split
from data.long_context import context_chunks
from data.objective import Objective
from data.prompts import QUESTION
from data.requests import Completion, Generate, Request, Response
from data.task import Task
from infra.configs.systems import NUMBER, RESPONSE, RESPONSES, SystemConfig
from infra.systems.nodes import Node

Wrap = Callable[[str], str]


class Question(Protocol):
    """Something to be answered by a system."""

    @property
    def stop(self) -> tuple[str, ...]:
        """Where every node's answer ends."""
        ...

    def prompt(self, node: Node, wrap: Wrap) -> str:
        """Return the text that `node` is sent, its question wrapped by `wrap`."""
        ...

    def final(self, prompt: str) -> Request:
        """Return what the end node is asked, whose prompt is `prompt`."""
        ...


@dataclass(frozen=True)
class CaseQuestion:
    """An example of an objective's task; each node reads its share of a long context."""

    task: Task
    example: Example

    @property
    def stop(self) -> tuple[str, ...]:
        """See `Question.stop`."""
        return self.task.config.stop

    def prompt(self, node: Node, wrap: Wrap) -> str:
        """See `Question.prompt`."""
        context = context_chunks(self.example, node.shares)[node.share] if self.example.context else None
        return self.task.prompter.prompt(self.example, context, wrap)

    def final(self, prompt: str) -> Request:
        """See `Question.final`."""
        return self.task.config.request(self.example, prompt)


def case_questions(objective: Objective, split: Split) -> list[CaseQuestion]:
    """Return one question an example of `split`, in the order of `Objective.requests`."""
    return [CaseQuestion(task, case.example) for task in objective.tasks for case in task.cases(split)]


def node_request(question: Question, node: Node, answers: Sequence[str], config: SystemConfig, last: bool) -> Request:
    """Return what `node` is asked after its predecessors' `answers`; `last`: its answer is the system's."""
    prompt = question.prompt(node, lambda text: wrap_question(text, node.role, answers, config))
    return question.final(prompt) if last else Generate(prompt, config.max_new_tokens, question.stop)


def wrap_question(text: str, role: str, answers: Sequence[str], config: SystemConfig) -> str:
    """Return the question `text` as a node of `role` reads it after `answers`."""
    lines = (_fill(config.response, {NUMBER: str(i), RESPONSE: answer}) for i, answer in enumerate(answers, start=1))
    values = {QUESTION: text, RESPONSES: "\n".join(lines)}
    instruction = _fill(config.later, values) if answers else _fill(config.source, {QUESTION: text})
    return f"{role}\n{instruction}" if role else instruction


def answer_text(response: Response) -> str:
    """Return an answer as later nodes read it: one line, without spaces around it."""
    if not isinstance(response, Completion):
        raise TypeError(f"only an end node is asked for anything but text, not for {type(response).__name__}")
    return response.text.strip().replace("\n", " ")


def _fill(template: str, values: dict[str, str]) -> str:
    # One pass: a placeholder inside a question or an answer stays what it is, text.
    return re.sub("|".join(map(re.escape, values)), lambda match: values[match.group()], template)
