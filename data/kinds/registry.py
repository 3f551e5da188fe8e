"""Every kind of task. To add one: write `data/kinds/NAME.py` with a `TaskConfig` subclass, and name it here.

Installed packages add kinds of their own by entry points of the group `model_swarms.objectives`: each names a
`TaskConfig` subclass. They are imported here, once; one that can't be used is listed, and named where a configuration
asks for a kind that there is not.
"""

from typing import TYPE_CHECKING, Annotated, Any, get_args

from pydantic import BeforeValidator, Field

from data.entry_points import Extension
from data.kinds.abstain_qa import AbstainQA
from data.kinds.conciseness import Conciseness
from data.kinds.countdown import Countdown
from data.kinds.exact_match import ExactMatch
from data.kinds.function import Function
from data.kinds.installed import KINDS_GROUP, InstalledKinds, kind_name, load_installed_kinds
from data.kinds.likelihood import Likelihood
from data.kinds.llm_judge import JudgedMatch, LlmJudge
from data.kinds.lm_eval import LmEval
from data.kinds.multiple_choice import MultipleChoice
from data.kinds.reward_model import RewardModel
from data.kinds.toxicity import Toxicity

__all__ = ["KINDS_GROUP", "AnyTask", "BuiltInTask", "kind_extensions", "task_union"]

BuiltInTask = (
    AbstainQA
    | Conciseness
    | Countdown
    | ExactMatch
    | Function
    | LlmJudge
    | JudgedMatch
    | Likelihood
    | LmEval
    | MultipleChoice
    | RewardModel
    | Toxicity
)
"""The kinds that come with this project."""

_BUILT_IN = tuple(kind_name(kind) for kind in get_args(BuiltInTask))


def task_union(installed: InstalledKinds) -> Any:
    """Return the type of a task's config: one of the built-in kinds, or of the `installed` ones."""
    union: Any = BuiltInTask
    for kind in installed.kinds:
        union |= kind
    names = (*_BUILT_IN, *map(kind_name, installed.kinds))

    def explain_unknown_kind(value: object) -> object:
        """Name the entry points that can't be used where `value` has a kind that one of them may have meant."""
        kind = value.get("kind") if isinstance(value, dict) else None
        if installed.broken and isinstance(kind, str) and kind not in names:
            raise ValueError(f"kind: there is no {kind!r}, only {', '.join(names)}: {installed.problems(kind)}")
        return value

    return Annotated[union, Field(discriminator="kind"), BeforeValidator(explain_unknown_kind)]


_INSTALLED = load_installed_kinds(_BUILT_IN)

if TYPE_CHECKING:
    AnyTask = BuiltInTask
else:
    AnyTask = task_union(_INSTALLED)
"""A task's config: its `kind` says which of these it is."""


def kind_extensions() -> tuple[Extension, ...]:
    """Return the entry points of `KINDS_GROUP` that installed packages offer, and what is wrong with each."""
    return _INSTALLED.extensions
