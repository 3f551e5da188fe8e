"""Every kind of task. To add one: write `data/kinds/NAME.py` with a `TaskConfig` subclass, and name it here.

Plugins add kinds of their own by entry points of the group `model_swarms.objectives`. pydantic needs their classes to
read any configuration, so they are imported here, once. What can't be used is refused where a configuration names it.
"""

from typing import TYPE_CHECKING, Annotated, Any, get_args

from pydantic import BeforeValidator, Field

from data.kinds.abstain_qa import AbstainQA
from data.kinds.conciseness import Conciseness
from data.kinds.countdown import Countdown
from data.kinds.exact_match import ExactMatch
from data.kinds.function import Function
from data.kinds.installed import InstalledKinds, kind_name, load_installed_kinds
from data.kinds.likelihood import Likelihood
from data.kinds.llm_judge import JudgedMatch, LlmJudge
from data.kinds.lm_eval import LmEval
from data.kinds.multiple_choice import MultipleChoice
from data.kinds.reward_model import RewardModel
from data.kinds.toxicity import Toxicity
from data.plugins import Entry, Plugins

__all__ = ["KIND_PLUGINS", "AnyTask", "BuiltInTask", "kind_entries", "task_union"]

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

KIND_PLUGINS = Plugins("model_swarms.objectives", "kind", tuple(map(kind_name, get_args(BuiltInTask))))
"""Each entry point is a `TaskConfig` subclass whose `kind` is the entry point's name."""


def task_union(installed: InstalledKinds) -> Any:
    """Return the type of a task's config: one of the built-in kinds, or of the `installed` ones."""
    union: Any = BuiltInTask
    for kind in installed.kinds:
        union |= kind

    def explain_broken_kind(value: object) -> object:
        """Say why the plugin can't be used whose kind `value` names."""
        kind = value.get("kind") if isinstance(value, dict) else None
        if isinstance(kind, str) and kind not in KIND_PLUGINS.built_in and (entry := installed.broken(kind)):
            raise ValueError(KIND_PLUGINS.refusal(entry))
        return value

    return Annotated[union, Field(discriminator="kind"), BeforeValidator(explain_broken_kind)]


_INSTALLED = load_installed_kinds(KIND_PLUGINS)

if TYPE_CHECKING:
    AnyTask = BuiltInTask
else:
    AnyTask = task_union(_INSTALLED)
"""A task's config: its `kind` says which of these it is."""


def kind_entries() -> list[Entry]:
    """List the kinds of objectives that plugins add, and what was wrong with each when it was imported."""
    return list(_INSTALLED.entries)
