"""Opening a task of lm-eval: its file, its code, its data."""

from pathlib import Path
from typing import Any

from data.harness.refusals import check_config, check_fewshot, check_metric
from data.harness.task_files import installed_tasks, read_task
from data.harness.tasks import HarnessTask, described
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
    task = _constructed(name, file.config | _data_beside(file.path, file.config))
    task.set_config("num_fewshot", fewshot if fewshot is not None else task.config.num_fewshot or 0)
    check_fewshot(name, task)
    metrics, filters = list(task.aggregation()), [each.name for each in task._filters]
    opened = HarnessTask(
        name,
        task,
        file.sha256,
        _one_of(name, "metric", metric, metrics),
        _one_of(name, "filter", chosen_filter, filters),
    )
    check_metric(name, task, opened.metric)
    return opened


def _constructed(name: str, config: dict[str, Any]) -> Any:
    from datasets import disable_progress_bars
    from lm_eval.api.task import ConfigurableTask

    disable_progress_bars()  # they would be drawn over ours
    try:
        return ConfigurableTask(config={key: config[key] for key in config if key not in {"tag", "group"}})
    except Exception as error:  # lm-eval, the datasets library, and a task's own code raise what they like
        raise InputError(f"task {name!r} can't be loaded: {described(error)}") from error


def _data_beside(path: Path, config: dict[str, Any]) -> dict[str, Any]:
    """Return the task's `dataset_kwargs` with relative names of files beside `path` made absolute."""
    kwargs = config.get("dataset_kwargs") or {}
    files = kwargs.get("data_files")
    if not isinstance(files, dict):
        return {}
    beside = {key: path.parent / value for key, value in files.items() if isinstance(value, str)}
    found = {key: str(value) for key, value in beside.items() if value.is_file()}
    return {"dataset_kwargs": {**kwargs, "data_files": {**files, **found}}}


def _one_of(task: str, what: str, chosen: str | None, there_are: list[str]) -> str:
    if chosen is not None and chosen not in there_are:
        raise InputError(f"task {task!r}: {what}: it has no {chosen!r}, but {', '.join(there_are)}: name one of them")
    return chosen or there_are[0]
