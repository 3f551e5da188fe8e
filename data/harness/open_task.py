"""Open a task of lm-eval: its file, its code and its data."""

from pathlib import Path
from typing import Any

from data.harness.refusals import check_config, check_fewshot, check_metric
from data.harness.task_files import installed_tasks, read_task
from data.harness.tasks import HarnessTask, describe_error
from swarm.errors import InputError


def open_task(
    name: str, folder: Path, fewshot: int | None, metric: str | None, chosen_filter: str | None
) -> HarnessTask:
    """Return lm-eval's task called `name`, with its data loaded.

    Args:
        name: the task's name, as its file says.
        folder: where its file is looked for.
        fewshot: how many worked examples stand before each question; None: as its file says.
        metric: the metric that counts; None: its first.
        chosen_filter: the filter whose answers count; None: its first.

    Raises:
        InputError: lm-eval is missing, there is no such task, it can't be loaded, or asks what can't be asked here.

    """
    installed_tasks()
    file = read_task(name, folder)
    check_config(name, file.config)
    task = _construct_task(name, file.config | _data_beside(file.path, file.config))
    task.set_config("num_fewshot", fewshot if fewshot is not None else task.config.num_fewshot or 0)
    check_fewshot(name, task)
    metrics, filters = list(task.aggregation()), [filter_.name for filter_ in task._filters]
    harness_task = HarnessTask(
        name,
        task,
        file.sha256,
        _choose(name, "metric", metric, metrics),
        _choose(name, "filter", chosen_filter, filters),
    )
    check_metric(name, task, harness_task.metric)
    return harness_task


def _construct_task(name: str, config: dict[str, Any]) -> Any:
    from datasets import disable_progress_bars
    from lm_eval.api.task import ConfigurableTask

    disable_progress_bars()  # they would be drawn over ours
    try:
        return ConfigurableTask(config={key: config[key] for key in config if key not in {"tag", "group"}})
    except Exception as error:  # lm-eval, the datasets library, and a task's own code raise what they like
        raise InputError(f"task {name!r} can't be loaded: {describe_error(error)}") from error


def _data_beside(path: Path, config: dict[str, Any]) -> dict[str, Any]:
    """Return the task's `dataset_kwargs` with relative names of files beside `path` made absolute."""
    kwargs = config.get("dataset_kwargs") or {}
    files = kwargs.get("data_files")
    if not isinstance(files, dict):
        return {}
    beside = {key: path.parent / value for key, value in files.items() if isinstance(value, str)}
    absolute = {key: str(value) for key, value in beside.items() if value.is_file()}
    return {"dataset_kwargs": {**kwargs, "data_files": {**files, **absolute}}}


def _choose(task: str, what: str, choice: str | None, names: list[str]) -> str:
    if choice is not None and choice not in names:
        raise InputError(f"task {task!r}: {what}: it has no {choice!r}, but {', '.join(names)}: name one of them")
    return choice or names[0]
