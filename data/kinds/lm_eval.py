"""Tasks of lm-eval (EleutherAI's lm-evaluation-harness): its prompts, filters and metrics, this project's engines."""

import json
import math
from dataclasses import replace
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any, ClassVar, Literal, Self

from pydantic import Field, ValidationInfo, field_validator, model_validator

from data.data_file import DataFile
from data.examples import Example
from data.harness.open_task import open_task
from data.harness.rows import CONTINUATIONS, DOCUMENT, GENERATION, TEXT, raw_examples
from data.harness.task_files import INSTALLED
from data.harness.tasks import HarnessTask
from data.kinds.base import Bounds, TaskConfig, completion_of
from data.prompts import QUESTION, fill
from data.requests import Generate, LogLikelihood, LogLikelihoods, Request, Response
from swarm.errors import EvaluationError

_MOST_TOKENS = 256
"""lm-eval's own default of `max_gen_toks`."""

_SHARES = ("acc", "acc_norm", "acc_bytes", "exact_match")
"""Metrics that are 1 for a right answer and 0 for another."""


class LmEval(TaskConfig):
    """A task of lm-eval by its name.

    Prompts, few-shot examples, filters and metrics are lm-eval's own. An example's score is the value that lm-eval
    averages over the examples (turned round where lower is better).
    """

    version = 1
    reads_choices: ClassVar[bool] = True
    reads_fields: ClassVar[bool] = True

    kind: Literal["lm_eval"] = Field(title="Kind", description="A task of lm-eval (the extra lm-eval).")
    task: str = Field(title="Task", min_length=1, description="The task's name in lm-eval, for instance arc_easy.")
    data: Path = Field(
        INSTALLED,
        title="Task files",
        description="A folder of your own with the task's YAML file; Python code that the file names is run. lm-eval "
        "means the tasks that come with it, of which those with code are refused.",
    )
    num_fewshot: int | None = Field(
        None,
        title="Few-shot examples",
        ge=0,
        le=10_000,
        description="As lm-eval draws them; as the task says if empty.",
    )
    metric: str | None = Field(None, title="Metric", description="The metric that counts; the task's first if empty.")
    filter: str | None = Field(
        None, title="Filter", description="The filter whose answers count; the task's first if empty."
    )

    @field_validator("data")
    @classmethod
    def _resolve(cls, value: Path, info: ValidationInfo) -> Path:
        folder = info.context.get("folder") if isinstance(info.context, dict) else None
        return value if value == INSTALLED else Path(folder or "") / value.expanduser()

    @model_validator(mode="after")
    def _has_examples_of_its_own(self) -> Self:
        if self.examples:
            raise ValueError(f"examples {self.examples}: a task of lm-eval draws its own: set num_fewshot instead")
        return self

    @property
    def label(self) -> str:
        """How records and reports call this task."""
        return self.name or self.task

    @property
    def bounds(self) -> Bounds:
        """From 0 to 1 if the config names a metric that is so; else nothing is known before the task is read."""
        return (0.0, 1.0) if self.metric in _SHARES else (None, None)

    @property
    def graded(self) -> bool:
        """Whether the config names a metric that is 1 for a right answer and 0 for another."""
        return self.metric in _SHARES

    @cached_property
    def harness_task(self) -> HarnessTask:
        """The task; opening it raises `InputError` if it can't be asked."""
        return open_task(self.task, self.data, self.num_fewshot, self.metric, self.filter)

    def read_data(self) -> DataFile:
        """Return the task's documents as examples; their prompts are lm-eval's."""
        dev, test = self.harness_task.documents(self.dev)
        content = json.dumps([dev, test], sort_keys=True, default=str)
        raw = (
            *raw_examples(self.harness_task, "dev", dev[: self.dev]),
            *raw_examples(self.harness_task, "test", test[: self.test]),
        )
        return DataFile(self.data, self.task, sha256(content.encode()).hexdigest(), "", raw)

    def default_template(self, dataset: str) -> str:
        """Return lm-eval's prompt alone."""
        return QUESTION

    def text(self, example: Example, dataset: str, context: str) -> str:
        """Return lm-eval's prompt, few-shot examples and all, in the template."""
        whole = replace(example, question=example.extra[TEXT])
        return fill(self.template or QUESTION, whole, context)

    def check_example(self, example: Example) -> None:
        """Accept every example: lm-eval made it."""

    def facts(self, example: Example) -> dict[str, Any]:
        """Return the document: a metric may look at any of it."""
        return {"document": json.dumps(example.extra[DOCUMENT], sort_keys=True, default=str)}

    def request(self, example: Example, prompt: str) -> Request:
        """Ask for a completion, or for the log-likelihoods of the continuations, as lm-eval's own models do."""
        if GENERATION in example.extra:
            settings = example.extra[GENERATION]
            until = settings.get("until") or []
            stop = (*([until] if isinstance(until, str) else until), *self.stop)
            return Generate(prompt, int(settings.get("max_gen_toks", _MOST_TOKENS)), tuple(filter(None, stop)))
        stripped_prompt = prompt.rstrip() or prompt
        continuations = example.extra[CONTINUATIONS]
        if self.prompt == "chat":
            continuations = [continuation.lstrip() for continuation in continuations]
        return LogLikelihood(
            stripped_prompt, tuple(prompt[len(stripped_prompt) :] + continuation for continuation in continuations)
        )

    def prediction(self, example: Example, response: Response) -> str:
        """Return the filtered completion, the key of the likeliest choice, or the log-likelihoods as JSON."""
        document = example.extra[DOCUMENT]
        if GENERATION in example.extra:
            [text] = self.harness_task.apply_filter(document, [completion_of(response).text])
            if not isinstance(text, str):
                raise EvaluationError(
                    f"task {self.task!r}: its filter {self.harness_task.filter!r} gives no single text"
                )
            return text
        values = _values(example, response)
        return self.harness_task.likeliest(document, values) or json.dumps(values)

    def judge(self, example: Example, prediction: str) -> float:
        """Return the value of the metric."""
        document = example.extra[DOCUMENT]
        if GENERATION in example.extra:
            return self.harness_task.score(document, [prediction])
        if self.harness_task.by_choice:
            values = [0.0 if key == prediction else -1e9 for key, _ in example.choices]
        else:
            values = json.loads(prediction)
        return self.harness_task.score(
            document, self.harness_task.apply_filter(document, self.harness_task.answers(values))
        )

    def settings(self, dataset: str) -> dict[str, Any]:
        """Return the task with the hash of its file and code, what of it counts, and lm-eval's version."""
        task = self.harness_task
        choices = {"metric": task.metric, "filter": task.filter}
        return {"kind": self.kind, "task": self.task, "file": task.sha256, "lm_eval": task.version, **choices}


def _values(example: Example, response: Response) -> list[float]:
    count = len(example.extra[CONTINUATIONS])
    if not isinstance(response, LogLikelihoods) or len(response.values) != count:
        raise EvaluationError(f"the engine did not answer with {count} log-likelihoods for {example.location}")
    if not all(map(math.isfinite, response.values)):
        raise EvaluationError(f"the engine answered with log-likelihoods {response.values} for {example.location}")
    return list(response.values)
