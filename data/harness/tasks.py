"""A task of lm-eval: its documents, its own prompts, filters and metric, without its models and its evaluator."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import version
from numbers import Real
from typing import Any

from swarm.errors import EvaluationError, InputError

FEWSHOT_SEED = 1234
"""lm-eval's own default."""

Document = dict[str, Any]
"""An example as a task's data has it."""

_LENGTHS: dict[str, Callable[[str], int]] = {
    "acc": lambda choice: 1,
    "acc_norm": len,
    "acc_bytes": lambda choice: len(choice.encode()),
}
"""What each metric divides a choice's log-likelihood by."""


class _NotKnown:
    """Stands for whether a continuation is the greedy one: code that looks at it gets an error instead of a score."""

    def __bool__(self) -> bool:
        raise TypeError("whether a continuation is the greedy one is not known here")

    __int__ = __float__ = __index__ = __bool__


NOT_KNOWN = _NotKnown()


@dataclass(frozen=True)
class HarnessTask:
    """A task of lm-eval, ready to be asked.

    Attributes:
        name: its name.
        task: lm-eval's own object, a `ConfigurableTask`.
        sha256: of its task file and code.
        metric: the metric that counts.
        filter: the name of the filter whose answers count.

    """

    name: str
    task: Any
    sha256: str
    metric: str
    filter: str

    @property
    def version(self) -> str:
        """lm-eval's version."""
        return version("lm_eval")

    @property
    def output_type(self) -> str:
        """What its models do: `multiple_choice`, `loglikelihood` or `generate_until`."""
        return str(self.task.OUTPUT_TYPE)

    @cached_property
    def sign(self) -> float:
        """1, or −1 for a metric that is better when it is lower; a log-likelihood is better when it is higher."""
        better = self.task.higher_is_better()[self.metric] or self.output_type == "loglikelihood"
        return 1.0 if better else -1.0

    def documents(self, dev: int | None) -> tuple[list[Document], list[Document]]:
        """Return its dev and test documents: from its validation and test splits, or from its only split.

        Raises:
            InputError: it has only one, and `dev` does not say how many of its first are the dev split.

        """
        if self.task.has_validation_docs() and self.task.has_test_docs():
            return list(self.task.validation_docs()), list(self.task.test_docs())
        only = list(self.task.eval_docs)
        if dev is None:
            raise InputError(
                f"task {self.name!r} has one split of {len(only)} examples: say with 'dev' how many of its first are "
                "for the search; the others are the test split"
            )
        return only[:dev], only[dev:]

    def contexts(self, documents: list[Document]) -> list[str]:
        """Return the prompt of each document of a split, few-shot examples and all, as lm-eval makes it."""
        self.task.set_fewshot_seed(seed=FEWSHOT_SEED)
        shots = self.task.config.num_fewshot
        return [
            self.task.fewshot_context(document, num_fewshot=shots, gen_prefix=self.task.doc_to_prefix(document))
            for document in documents
        ]

    def instances(self, document: Document, context: str) -> list[Any]:
        """Return what lm-eval would ask a model for `document`."""
        instances = self.task.construct_requests(doc=document, ctx=context, metadata=(self.name, 0, 1))
        return instances if isinstance(instances, list) else [instances]

    def apply_filter(self, document: Document, answers: list[Any]) -> list[Any]:
        """Return what the filter makes of a model's answers to the instances of `document`."""
        instances = self.instances(document, "")
        for instance, answer in zip(instances, answers, strict=True):
            instance.resps = [answer]
        next(task_filter for task_filter in self.task._filters if task_filter.name == self.filter).apply(instances)
        return [instance.filtered_resps[self.filter] for instance in instances]

    @property
    def by_choice(self) -> bool:
        """Whether the metric depends on nothing but which choice is the likeliest."""
        own = callable(self.task.config.process_results)
        return not own and self.output_type == "multiple_choice" and self.metric in _LENGTHS

    def likeliest(self, document: Document, values: list[float]) -> str:
        """Return the key of the choice that the metric counts as the answer; "" if the metric does not choose one."""
        if not self.by_choice:
            return ""
        lengths = map(_LENGTHS[self.metric], self.task.doc_to_choice(document))
        normalised = [value / length for value, length in zip(values, lengths, strict=True)]
        return str(normalised.index(max(normalised)))

    def answers(self, values: list[float]) -> list[Any]:
        """Return log-likelihoods in the form in which lm-eval's models return them."""
        # Only a task's own code may look whether a continuation is the greedy one; lm-eval's is kept from it.
        greedy = NOT_KNOWN if callable(self.task.config.process_results) else False
        return [(value, greedy) for value in values]

    def score(self, document: Document, answers: list[Any]) -> float:
        """Return the metric of one document; higher is better.

        Raises:
            EvaluationError: it has no value, or one that is no number.

        """
        try:
            value = self.task.process_results(document, answers).get(self.metric)
        except Exception as error:  # a task's own code, or its data: it raises what it likes
            raise EvaluationError(f"task {self.name!r}: scoring raised {describe_error(error)}") from error
        if not isinstance(value, Real):
            raise EvaluationError(f"task {self.name!r}: its metric {self.metric} gave {value!r}, which is no number")
        return self.sign * float(value)


def describe_error(error: Exception) -> str:
    """Return one line that describes an error of another package's code."""
    line = next(iter(str(error).splitlines()), "")
    return f"{type(error).__name__}: {json.dumps(line, ensure_ascii=False)}" if line else type(error).__name__
