"""Refuse, in one line each, what lm-eval's tasks may ask and this project's engines can't answer."""

from typing import Any

from swarm.errors import InputError

_ASKED = ("multiple_choice", "loglikelihood", "generate_until")
_GREEDY = {"loglikelihood": "acc", "multiple_choice": "exact_match"}
"""Metrics that need to know whether a continuation is the model's greedy one, which engines don't report."""


def check_config(name: str, config: dict[str, Any]) -> None:
    """Raise `InputError` if the settings of the task called `name` ask for what can't be asked."""
    for holds, problem in (
        ("class" in config, "is a Python class: only tasks in YAML are asked"),
        (
            config.get("output_type", "generate_until") not in _ASKED,
            f"has the output type {config.get('output_type')}: those that are asked are {', '.join(_ASKED)}",
        ),
        (config.get("repeats", 1) != 1, "asks for several answers a question: write a task file with repeats: 1"),
        (bool(config.get("unsafe_code")), "runs code that models write, which is never done: choose another"),
        ("doc_to_image" in config or "doc_to_audio" in config, "shows images or sounds: choose one of text"),
        (
            _samples(config.get("generation_kwargs") or {}),
            "samples its answers: write a task file with do_sample: false",
        ),
    ):
        if holds:
            raise InputError(f"task {name!r} {problem}")


def check_fewshot(name: str, task: Any) -> None:
    """Raise `InputError` if few-shot examples would be drawn from what is scored."""
    config = task.config
    scored_splits = {config.validation_split, config.test_split} - {None}
    source = task.fewshot_cfg.split
    if source is None and task.fewshot_cfg.samples is None:
        source = config.training_split or config.validation_split or config.test_split
    if config.num_fewshot and source in scored_splits:
        raise InputError(
            f"task {name!r} takes its few-shot examples from its split {source!r}, which is scored: set num_fewshot: 0"
        )


def check_metric(name: str, task: Any, metric: str) -> None:
    """Raise `InputError` if `metric` has no value for one example, or needs what engines don't report."""
    from lm_eval.api.registry import get_aggregation

    own = callable(task.config.process_results)
    usable = [metric_name for metric_name, how in task.aggregation().items() if how is get_aggregation("mean")]
    if task.OUTPUT_TYPE == "loglikelihood" and not own:
        usable = [metric_name for metric_name in task.aggregation() if metric_name == "perplexity"]
    if not own:
        usable = [
            metric_name
            for metric_name in usable
            if metric_name not in (_GREEDY.get(task.OUTPUT_TYPE), "acc_mutual_info")
        ]
    if metric not in usable:
        remedy = f"set metric: {usable[0]}" if usable else "choose another task"
        raise InputError(f"task {name!r}: its metric {metric!r} can't be had of one answer of an engine: {remedy}")


def _samples(settings: dict[str, Any]) -> bool:
    hot = float(settings.get("temperature") or 0) > 0 and settings.get("do_sample") is not False
    return bool(settings.get("do_sample")) or hot or settings.get("num_beams", 1) != 1
