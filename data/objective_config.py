"""The config of an objective: its tasks and how their utilities become one."""

from collections import Counter
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from data.aggregates import Aggregate
from data.kinds.base import TaskConfig
from data.kinds.registry import AnyTask


class ObjectiveConfig(BaseModel):
    """What a search maximises.

    Validate it with the context `{"folder": Path(…)}` to have relative data paths resolved against that folder.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    tasks: tuple[AnyTask, ...] = Field(min_length=1, title="Tasks", description="What is asked and how it is scored.")
    aggregate: Aggregate = Field(
        "mean",
        title="Aggregate",
        description="How the tasks' utilities become one: their weighted mean, their weighted harmonic mean "
        "(0 if one is 0; for scores that are never below 0), or the least of them.",
    )
    allow_overlap: bool = Field(
        False,
        title="Allow overlap",
        description="Accept test questions that are dev questions too, though their score is no test.",
    )

    @model_validator(mode="after")
    def _tasks_fit_together(self) -> Self:
        label, count = Counter(task.label for task in self.tasks).most_common(1)[0]
        if count > 1:
            raise ValueError(f"tasks: {count} of them are called {label!r}: give each its own 'name'")
        tasks_with_weight = [task for task in self.tasks if task.weight != 1]
        if self.aggregate == "min" and tasks_with_weight:
            raise ValueError(f"weight {tasks_with_weight[0].weight:g} has no effect with aggregate: min: remove it")
        negative = [task for task in self.tasks if _may_be_negative(task)]
        if self.aggregate == "harmonic_mean" and negative:
            raise ValueError(
                f"aggregate 'harmonic_mean' needs scores of at least 0, but those of task {negative[0].label!r} "
                f"(kind {negative[0].kind}) may be lower: set aggregate: mean or min"
            )
        return self


def _may_be_negative(task: TaskConfig) -> bool:
    least, _ = task.bounds
    return least is None or least < 0
