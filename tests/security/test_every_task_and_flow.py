"""No task or flow of the project, or of its example, leaves it to Prefect's settings what is stored and read."""

import pkgutil
from importlib import import_module
from typing import Any

import pytest
from prefect import Flow, Task

import examples.random_search
import flows
import tasks
from tasks.persistence import NO_RESULT, PERSISTENCE
from tasks.result_files import ResultSerializer


def prefect_objects() -> dict[str, Any]:
    """Return every task and flow by its name."""
    packages = (flows, tasks, examples.random_search)
    modules = [
        module for package in packages for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}.")
    ]
    objects = [value for module in modules for value in vars(import_module(module.name)).values()]
    return {f"{value.fn.__module__}.{value.fn.__name__}": value for value in objects if isinstance(value, Task | Flow)}


@pytest.mark.parametrize("name", prefect_objects())
def test_nothing_is_read_and_only_plain_json_is_written(name: str) -> None:
    found = prefect_objects()[name]
    if isinstance(found, Flow) or found.cache_policy == NO_RESULT["cache_policy"]:
        assert found.persist_result is False
    else:
        assert found.refresh_cache is True
        assert isinstance(found.result_serializer, ResultSerializer)
        assert found.cache_key_fn is PERSISTENCE["cache_key_fn"]


def test_there_are_such_tasks() -> None:
    names = {name.rsplit(".", 1)[1] for name in prefect_objects()}
    assert {"evaluate", "check_early_stop", "publish_best", "new_data", "random_search"} <= names
