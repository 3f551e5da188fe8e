"""The tasks of a run's objective, as its recorded configuration names them."""

from pydantic import TypeAdapter

from data.kinds.base import TaskConfig
from data.kinds.registry import AnyTask
from infra.records.values import RunRecord

_TASK: TypeAdapter[TaskConfig] = TypeAdapter(AnyTask)


def is_graded(run: RunRecord) -> bool:
    """Tell whether the answers to every task of `run` are right or wrong: utilities are then shares of right ones."""
    return all(_TASK.validate_python(task).graded for task in run.config["objective"]["tasks"])


def task_names(run: RunRecord) -> tuple[str, ...]:
    """Return what the tasks of `run` are called."""
    return tuple(_TASK.validate_python(task).label for task in run.config["objective"]["tasks"])
