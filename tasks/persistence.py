"""Keep every task's result as JSON, under a key of its arguments, to be looked at; no task is spared by it.

Prefect's own policies contain run ids, source text or nothing of the task's identity (docs/decisions/0002).
"""

import functools
from pathlib import Path
from typing import Any, TypeVar

from prefect import Task
from prefect.cache_policies import NO_CACHE
from prefect.context import TaskRunContext
from prefect.futures import PrefectFuture
from prefect.utilities.annotations import opaque

from infra.run.open_run import OpenRun
from swarm.canonical import content_hash
from swarm.seeds import Journal
from tasks.result_files import ResultFiles, ResultSerializer

R = TypeVar("R")

Json = dict[str, Any]

VERSION = 1
"""Part of every key; raised by hand when what a task computes changes."""


def content_key(context: TaskRunContext, arguments: dict[str, Any]) -> str:
    """Return the key of a task run: its name, `VERSION`, and the hash of its JSON arguments.

    A run's handle (`OpenRun`) stands for its inputs' identity, never for its name, paths or time; a journal of seeds
    for the hash that names its updates.
    """
    content = {name: _content(value) for name, value in arguments.items()}
    return f"{context.task.fn.__name__}/v{VERSION}/{content_hash(content)}"


def _content(value: Any) -> Any:
    if isinstance(value, OpenRun):
        return value.inputs.identity
    return value.id if isinstance(value, Journal) else value


PERSISTENCE: dict[str, Any] = {
    "persist_result": True,
    "result_serializer": ResultSerializer(),
    "cache_result_in_memory": False,
    "cache_key_fn": content_key,
    "refresh_cache": True,  # a stored result is never read, wherever it is stored (tasks.result_files)
}
"""The options of every task of a search."""

NO_RESULT: dict[str, Any] = {"persist_result": False, "cache_policy": NO_CACHE}
"""The options of a task that makes files: nothing of it is stored, whatever Prefect's own settings say."""


def submit(run: OpenRun[Any, Any], task: Task[..., R], *arguments: Any) -> PrefectFuture[R]:
    """Start `task`, its result kept where `run`'s settings say.

    Arguments are handed over as they are, or as what they resolve to: futures are looked for in a list, and nowhere
    deeper. Prefect would otherwise look for them at every number of a swarm, in every task.
    """
    return _persistent(task, run.settings.results).submit(*map(_whole, arguments))


def _whole(value: Any) -> Any:
    if isinstance(value, list) and any(isinstance(item, PrefectFuture) for item in value):
        return [opaque(item) for item in value]
    return opaque(value)


@functools.cache
def _persistent(task: Task[..., R], results: Path | str) -> Task[..., R]:
    persistent = task.with_options()
    # As an argument, Prefect would want it saved on its server, for those who read results elsewhere: nobody does.
    persistent.result_storage = ResultFiles(root=str(results))
    return persistent
