"""How every task's result is kept: as JSON, found again by what went into it, in any process and any run.

Prefect's own policies contain run ids, source text or nothing of the task's identity (docs/decisions/0002).
"""

from typing import Any, ParamSpec, TypeVar

from prefect import Task
from prefect.context import TaskRunContext

from infra.open_run import OpenRun
from swarm.canonical import content_hash

P = ParamSpec("P")
R = TypeVar("R")

Json = dict[str, Any]

VERSION = 1
"""Part of every key; raised by hand when what a task computes changes."""


def content_key(context: TaskRunContext, arguments: dict[str, Any]) -> str:
    """Return the key of a task run: its name, `VERSION`, and the hash of its JSON arguments.

    A run's handle (`OpenRun`) stands for its inputs' identity, never for its name, paths or time.
    """
    content = {name: _content(value) for name, value in arguments.items()}
    return f"{context.task.fn.__name__}/v{VERSION}/{content_hash(content)}"


def _content(value: Any) -> Any:
    return value.inputs.identity if isinstance(value, OpenRun) else value


PERSISTED: dict[str, Any] = {
    "persist_result": True,
    "result_serializer": "json",
    "cache_result_in_memory": False,
    "cache_key_fn": content_key,
}
"""The options of every task of a search."""


def stored(task: Task[P, R], run: OpenRun[Any]) -> Task[..., R]:
    """Return `task` with its results kept in the folder of `run`'s settings."""
    return task.with_options(result_storage=run.settings.results)
