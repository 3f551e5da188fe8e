"""One task of an objective: its data, and the request to an engine for each example."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

from data.examples import Example, Split
from data.fields import check_of, describe_unread, unread_fields
from data.kinds.base import TaskConfig
from data.kinds.rated import RatedTask
from data.loading import valid_examples
from data.outside import Identify, RatingRequest
from data.prompter import Prompter, make_prompter
from data.prompts import Chat
from data.requests import Request, Response
from swarm.errors import InputError


class Case(NamedTuple):
    """An example, the request to an engine for it, and the task that scores the answer."""

    task: TaskConfig
    example: Example
    request: Request

    def rating_request(self, response: Response) -> RatingRequest | None:
        """Return what an outside scorer rates of `response`; None if it rates nothing."""
        if not isinstance(self.task, RatedTask):
            return None
        item = self.task.item(self.example, self.task.read(self.example, self.request, response))
        return None if item is None else RatingRequest(self.task.outside, item)


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
        worked: the in-context examples; they are no cases.
        prompter: makes the prompts.
        unread: fields of its examples, besides labels, that reach neither prompt nor score.

    """

    name: str
    config: TaskConfig
    dataset: str
    data_sha256: str
    settings: dict[str, Any]
    dev: tuple[Case, ...]
    test: tuple[Case, ...]
    in_context_examples: tuple[Example, ...]
    prompter: Prompter
    unread: tuple[str, ...] = ()

    @property
    def warning(self) -> str | None:
        """One line that names the fields that are not read; None if there are none."""
        return describe_unread(self.config.data, self.name, self.unread) if self.unread else None

    def cases(self, split: Split) -> tuple[Case, ...]:
        """Return the cases of `split`."""
        return self.dev if split == "dev" else self.test

    def request(self, example: Example, context: str) -> Request:
        """Return the request to an engine for `example` if the model reads no more of its context than `context`.

        A node of a system of models reads its share (`data.long_context.context_chunks`).
        """
        return self.config.request(example, self.prompter.prompt(example, context))

    def follow_up(self, case: Case, response: Response) -> Request | None:
        """Return the second request, which depends on `response` to `case.request`; None if there is none."""

        def prompt(more: str) -> str:
            return self.prompter.prompt(case.example, wrap=lambda text: text + more)

        return self.config.follow_up(case.example, response, prompt)

    def to_json(self, split: Split) -> dict[str, Any]:
        """Return everything that decides this task's scores on `split`, and no path, name or label."""
        return {
            "version": self.config.version,
            "settings": self.settings,
            "weight": self.config.weight,
            "cases": [_case_json(case) for case in self.cases(split)],
        }


def load_task(config: TaskConfig, chat: Chat | None, identify: Identify | None = None) -> Task:
    """Read the data of `config` and make every prompt.

    Raises:
        InputError: the data file is missing or invalid, a score function can't be loaded, a chat prompt is wanted
            and `chat` is missing or fails, or what `identify` raises.
        ValueError: the task is rated from outside and `identify` is missing.

    """
    file = config.read_data()
    settings = {**config.settings(file.dataset), **_scorer(config, identify)}
    examples = valid_examples(file, check_of(config, file))
    dev = [example for example in examples if example.split == "dev"]
    in_context_examples = _in_context(config, dev)
    prompter = make_prompter(config, file, in_context_examples, chat)
    test = [example for example in examples if example.split == "test"][: config.test]
    dev_cases, test_cases = (
        tuple(Case(config, example, config.request(example, prompter.prompt(example))) for example in examples_of_split)
        for examples_of_split in (dev[len(in_context_examples) :][: config.dev], test)
    )
    return Task(
        config.label,
        config,
        file.dataset,
        file.sha256,
        settings,
        dev_cases,
        test_cases,
        in_context_examples,
        prompter,
        unread_fields(config, file, examples),
    )


def _scorer(config: TaskConfig, identify: Identify | None) -> dict[str, str]:
    if not isinstance(config, RatedTask):
        return {}
    if identify is None:
        raise ValueError(f"task {config.label!r} is rated from outside: say by what identity")
    try:
        return {"scorer": identify(config.outside)}
    except InputError as error:
        raise InputError(f"task {config.label!r}: {error}") from error


def _in_context(config: TaskConfig, dev: Sequence[Example]) -> tuple[Example, ...]:
    if config.examples >= len(dev):
        raise InputError(
            f"task {config.label!r}: examples: {config.examples} of the {len(dev)} dev examples are to stand in the "
            "prompts, but one or more must be left to choose by: lower it"
        )
    return tuple(dev[: config.examples])


def _case_json(case: Case) -> dict[str, Any]:
    return {"request": asdict(case.request), **case.task.facts(case.example)}
