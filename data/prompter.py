"""From a task's examples to the exact texts that an engine is sent."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from data.data_file import DataFile
from data.examples import Example, InvalidExample
from data.kinds.base import TaskConfig
from data.long_context import whole_context
from data.prompts import Chat, Worked, as_chat, as_raw
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
    worked: tuple[Worked, ...]
    chat: Chat | None

    def prompt(self, example: Example, context: str | None = None, wrap: Callable[[str], str] = str) -> str:
        """Return the prompt of `example`, with its whole context, or with `context` as all of it that is read.

        `wrap` adds to the filled template before worked examples and chat format: what a node of a system reads, too.

        Raises:
            InputError: a chat prompt is wanted and the chat template is missing or fails.

        """
        text = wrap(filled(self.config, self.dataset, example, context))
        if self.config.prompt == "raw":
            return as_raw(text, self.icl_prompt, self.worked)
        if self.chat is None:
            raise InputError(
                f"task {self.config.label!r}: prompt: chat, but the base model has no chat template: set prompt: raw"
            )
        return as_chat(text, self.icl_prompt, self.worked, self.config.system, self.chat)


def make_prompter(config: TaskConfig, file: DataFile, worked: Sequence[Example], chat: Chat | None) -> Prompter:
    """Return the prompter of the task of `config`, whose in-context examples are `worked`.

    Raises:
        InputError: one of them has no answer to be shown.

    """
    shown = tuple(_worked(config, file, example) for example in worked)
    return Prompter(config, file.dataset, file.icl_prompt, shown, chat)


def filled(config: TaskConfig, dataset: str, example: Example, context: str | None) -> str:
    """Return the filled template of `example`; its context is `context`, or its own as the config cuts it."""
    own = whole_context(example, config.context_characters) if context is None else context
    return config.text(example, dataset, own)


def _worked(config: TaskConfig, file: DataFile, example: Example) -> Worked:
    try:
        answer = config.worked_answer(example)
    except InvalidExample as error:
        raise InputError(f"{file.path}: {example.place}.{error} (it is an in-context example)") from error
    return Worked(filled(config, file.dataset, example, None), answer)
