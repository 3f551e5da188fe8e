"""`swarm evaluate`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.terminal.console import err, out, print_json, table
from cli.terminal.options import AsJson
from data.examples import Split

if TYPE_CHECKING:
    from cli.runs.single_evaluation import EvaluationRequest, EvaluationResult
    from infra.configs.common import RunConfig
    from infra.records.store import Records
    from infra.settings import Settings
    from swarm.statistics import Interval


def evaluate(
    subject: Annotated[
        str, typer.Argument(metavar="EXPERT|RUN", help="An expert's folder, a run's name (its best), or 'base'.")
    ],
    objective: Annotated[
        Path,
        typer.Option("--objective", metavar="CONFIG", help="A run's YAML file: its objective, base_model and engine."),
    ],
    split: Annotated[Split, typer.Option(help="Which examples.")] = "dev",
    as_json: AsJson = False,
) -> None:
    """Evaluate an expert, the best of a run or the base model; doing so again finds the result in the records."""
    from cli.runs.single_evaluation import evaluate_subject
    from cli.terminal.progress import progress
    from cli.terminal.quiet import quiet_libraries
    from flows.searches import load_run_config
    from infra.records.store import Records
    from infra.settings import Settings

    config, settings = load_run_config(objective), Settings()
    with Records(settings.records_url) as records:
        request = _request(subject, config, split, records, settings)
        with quiet_libraries(), progress(request.subject.name) as report:
            outcome = evaluate_subject(request, records, lambda done, total: report(done, total, "rows"))
    result = _result(request, outcome)
    if as_json:
        print_json(result)
    else:
        _print(result)


def _request(
    subject: str, config: "RunConfig", split: Split, records: "Records", settings: "Settings"
) -> "EvaluationRequest":
    from cli.runs.single_evaluation import EvaluationRequest
    from cli.runs.subject import find_subject
    from experts.base_models import resolve_base_model
    from flows.searches import SEARCHES
    from infra.evaluation.evaluator import open_objective

    base = resolve_base_model(config.base_model, settings.cache, settings.verify_hashes)
    objective = open_objective(config.objective, base, settings)
    for warning in objective.warnings:
        err.print(f"warning: {warning}", soft_wrap=True)
    initial = SEARCHES.of(config).initial_basis(config, base) if objective.scale_objective is not None else None
    who = find_subject(subject, base, records, settings)
    return EvaluationRequest(who, base, objective, split, config.engine, settings, initial)


def _result(request: "EvaluationRequest", outcome: "EvaluationResult") -> dict[str, Any]:
    from cli.runs.single_evaluation import intervals

    whole, by_task = intervals(request, outcome.evaluation)
    return {
        "evaluated": request.subject.name,
        "recipe": request.subject.record,
        "split": request.split,
        **_utility(whole, sum(len(task.cases(request.split)) for task in request.objective.tasks)),
        "tasks": [
            {"name": task.name, **_utility(interval, len(task.cases(request.split)))}
            for task, interval in zip(request.objective.tasks, by_task, strict=True)
        ],
        "generated_tokens": outcome.group.generated_tokens,
        "seconds": outcome.group.seconds,
        "from_records": outcome.is_recorded,
    }


def _utility(interval: "Interval", examples: int) -> dict[str, Any]:
    return {"examples": examples, "utility": interval.mean, "ci95": [interval.low, interval.high]}


def _print(result: dict[str, Any]) -> None:
    tasks = result["tasks"]
    whole = [] if len(tasks) == 1 else [{"name": "objective", **result}]
    rows = [(t["name"], t["examples"], t["utility"], "{:.4f} – {:.4f}".format(*t["ci95"])) for t in [*tasks, *whole]]
    out.print(f"{result['evaluated']} on {result['split']}", soft_wrap=True)
    out.print(table(("task", "examples", "utility", "95 % interval"), rows))
    source = "from the records; it took" if result["from_records"] else "in"
    err.print(f"{result['generated_tokens']} tokens generated, {source} {result['seconds']:.1f} s", soft_wrap=True)
