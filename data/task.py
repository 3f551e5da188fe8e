"""One task of an objective: its data, and what an engine is asked for each example."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

from data.data_file import DataFile, read_data_file
from data.examples import Example, Split
from data.kinds.base import TaskConfig
from data.loading import valid_examples
from data.prompts import Chat, as_chat, fill
from data.requests import Request
from swarm.errors import InputError


class Case(NamedTuple):
    """An example, what an engine is asked for it, and the task that scores the answer."""

    task: TaskConfig
    example: Example
    request: Request


@dataclass(frozen=True)
class Task:
    """One task of an objective with its data.

    Attributes:
        name: how records and reports call it.
        config: how it asks and scores.
        dataset: the data set's name.
        data_sha256: of its data file's bytes.
        settings: the kind and what else decides a score besides requests and examples.
        dev: the cases of the dev split that are used, in the file's order.
        test: those of the test split.

    """

    name: str
    config: TaskConfig
    dataset: str
    data_sha256: str
    settings: dict[str, Any]
    dev: tuple[Case, ...]
    test: tuple[Case, ...]

    def cases(self, split: Split) -> tuple[Case, ...]:
        """Return the cases of `split`."""
        return self.dev if split == "dev" else self.test

    def to_json(self, split: Split) -> dict[str, Any]:
        """Return everything that decides this task's scores on `split`, and no path, name or label."""
        return {
            "version": self.config.version,
            "settings": self.settings,
            "weight": self.config.weight,
            "cases": [_case_json(case) for case in self.cases(split)],
        }


def load_task(config: TaskConfig, chat: Chat | None) -> Task:
    """Read the data of `config` and make every prompt.

    Raises:
        InputError: the data file is missing or invalid, a score function can't be loaded, or a chat prompt is wanted
            and `chat` is missing or fails.

    """
    file = read_data_file(config.data)
    settings = config.settings(file.dataset)
    examples = valid_examples(file, config.check_example)
    dev, test = (
        tuple(_case(config, file, example, chat) for example in _first(examples, split, limit))
        for split, limit in (("dev", config.dev), ("test", config.test))
    )
    return Task(config.label, config, file.dataset, file.sha256, settings, dev, test)


def _first(examples: Iterable[Example], split: str, limit: int | None) -> list[Example]:
    return [example for example in examples if example.split == split][:limit]


def _case(config: TaskConfig, file: DataFile, example: Example, chat: Chat | None) -> Case:
    text = fill(config.template or config.default_template(file.dataset), example, file.icl_prompt)
    if config.prompt == "chat":
        if chat is None:
            raise InputError(
                f"task {config.label!r}: prompt: chat, but the base model has no chat template: set prompt: raw"
            )
        text = as_chat(text, config.system, chat)
    return Case(config, example, config.request(example, text))


def _case_json(case: Case) -> dict[str, Any]:
    return {"request": asdict(case.request), **case.task.facts(case.example)}
