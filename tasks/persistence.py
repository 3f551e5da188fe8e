"""Keep every task's result as JSON, under a key of its arguments, for any process and any run.

Prefect's own policies contain run ids, source text or nothing of the task's identity (docs/decisions/0002).
"""

import functools
from pathlib import Path
from typing import Any, TypeVar

from prefect import Task
from prefect.context import TaskRunContext
from prefect.filesystems import RemoteFileSystem
from prefect.futures import PrefectFuture
from prefect.settings import PREFECT_API_URL
from prefect.utilities.annotations import opaque

from infra.run.open_run import OpenRun
from swarm.canonical import content_hash
from swarm.seeds import Journal

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
    "result_serializer": "json",
    "cache_result_in_memory": False,
    "cache_key_fn": content_key,
}
"""The options of every task of a search."""


def submit(run: OpenRun[Any, Any], task: Task[..., R], *arguments: Any, again: bool = False) -> PrefectFuture[R]:
    """Start `task`, its result kept where `run`'s settings say; `again`: also where there is a result already.

    Arguments are handed over as they are, or as what they resolve to: futures are looked for in a list, and nowhere
    deeper. Prefect would otherwise look for them at every number of a swarm, in every task.
    """
    return _persistent(task, run.settings.results, PREFECT_API_URL.value(), again).submit(*map(_whole, arguments))


def _whole(value: Any) -> Any:
    if isinstance(value, list) and any(isinstance(item, PrefectFuture) for item in value):
        return [opaque(item) for item in value]
    return opaque(value)


@functools.cache
def _persistent(task: Task[..., R], results: Path | str, server: str | None, again: bool) -> Task[..., R]:
    persistent = task.with_options(result_storage=results if isinstance(results, Path) else _remote(results, server))
    return persistent.with_options(refresh_cache=True) if again else persistent


@functools.cache
def _remote(url: str, _server: str | None) -> RemoteFileSystem:
    """Return a block of the storage at `url`, saved on the server, as Prefect wants of everything but a folder."""
    block = RemoteFileSystem(basepath=url)
    block.save(f"swarm-results-{content_hash(url)[:12]}", overwrite=True)
    return block
