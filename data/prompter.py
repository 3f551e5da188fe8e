"""Make the exact prompts that an engine receives from a task's examples."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from data.data_file import DataFile
from data.examples import Example, InvalidExample
from data.kinds.base import TaskConfig
from data.long_context import whole_context
from data.prompts import Chat, InContextExample, as_chat, as_raw
from swarm.errors import InputError


@dataclass(frozen=True)
class Prompter:
    """What a task's prompts are made of, besides the example.

    Attributes:
        config: the task's config.
        dataset: the data set's name.
        icl_prompt: the file's own worked examples; empty if there are none.
        worked: the task's in-context examples.
        chat: the base model's chat template; None if it has none, or none is needed.

    """

    config: TaskConfig
    dataset: str
    icl_prompt: str
    in_context_examples: tuple[InContextExample, ...]
    chat: Chat | None

    def prompt(self, example: Example, context: str | None = None, wrap: Callable[[str], str] = str) -> str:
        """Return the prompt of `example`, with its whole context, or with `context` as all of it that is read.

        `wrap` adds to the filled template before worked examples and chat format: what a node of a system reads, too.

        Raises:
            InputError: a chat prompt is wanted and the chat template is missing or fails.

        """
        text = wrap(fill_template(self.config, self.dataset, example, context))
        if self.config.prompt == "raw":
            return as_raw(text, self.icl_prompt, self.in_context_examples)
        if self.chat is None:
            raise InputError(
                f"task {self.config.label!r}: prompt: chat, but the base model has no chat template: set prompt: raw"
            )
        return as_chat(text, self.icl_prompt, self.in_context_examples, self.config.system, self.chat)


def make_prompter(config: TaskConfig, file: DataFile, examples: Sequence[Example], chat: Chat | None) -> Prompter:
    """Return the prompter of the task of `config`, whose in-context examples are `examples`.

    Raises:
        InputError: one of them has no answer to be shown.

    """
    in_context_examples = tuple(_in_context_example(config, file, example) for example in examples)
    return Prompter(config, file.dataset, file.icl_prompt, in_context_examples, chat)


def fill_template(config: TaskConfig, dataset: str, example: Example, context: str | None) -> str:
    """Return the filled template of `example`; its context is `context`, or its own as the config cuts it."""
    own = whole_context(example, config.context_characters) if context is None else context
    return config.text(example, dataset, own)


def _in_context_example(config: TaskConfig, file: DataFile, example: Example) -> InContextExample:
    try:
        answer = config.worked_answer(example)
    except InvalidExample as error:
        raise InputError(f"{file.path}: {example.location}.{error} (it is an in-context example)") from error
    return InContextExample(fill_template(config, file.dataset, example, None), answer)
