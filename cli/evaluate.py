"""`swarm evaluate`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.console import AsJson, err, out, print_json, table
from data.examples import Split

if TYPE_CHECKING:
    from cli.evaluation import Found, Question
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
    from cli.evaluation import answer
    from cli.progress import progress
    from cli.quiet import quiet_libraries
    from infra.configs.registry import load_run_config
    from infra.records.store import Records
    from infra.settings import Settings

    config, settings = load_run_config(objective), Settings()
    with Records(settings.records_url) as records:
        question = _question(subject, config, split, records, settings)
        with quiet_libraries(), progress(question.subject.name) as report:
            found = answer(question, records, lambda done, total: report(done, total, "rows"))
    result = _result(question, found)
    if as_json:
        print_json(result)
    else:
        _print(result)


def _question(subject: str, config: "RunConfig", split: Split, records: "Records", settings: "Settings") -> "Question":
    from cli.evaluation import Question, initial_basis
    from cli.subject import find_subject
    from experts.base_models import resolve_base_model
    from infra.evaluation.evaluator import open_objective

    base = resolve_base_model(config.base_model, settings.cache, settings.verify_hashes)
    objective = open_objective(config.objective, base, settings)
    initial = initial_basis(config, base) if objective.measuring is not None else None
    found = find_subject(subject, base, records, settings)
    return Question(found, base, objective, split, config.engine, settings, initial)


def _result(question: "Question", found: "Found") -> dict[str, Any]:
    from cli.evaluation import intervals

    whole, by_task = intervals(question, found.evaluation)
    return {
        "evaluated": question.subject.name,
        "recipe": question.subject.recipe.to_json(),
        "split": question.split,
        **_utility(whole, sum(len(task.cases(question.split)) for task in question.objective.tasks)),
        "tasks": [
            {"name": task.name, **_utility(interval, len(task.cases(question.split)))}
            for task, interval in zip(question.objective.tasks, by_task, strict=True)
        ],
        "generated_tokens": found.group.generated_tokens,
        "seconds": found.group.seconds,
        "from_records": found.recorded,
    }


def _utility(interval: "Interval", examples: int) -> dict[str, Any]:
    return {"examples": examples, "utility": interval.mean, "ci95": [interval.low, interval.high]}


def _print(result: dict[str, Any]) -> None:
    tasks = result["tasks"]
    whole = [] if len(tasks) == 1 else [{"name": "objective", **result}]
    rows = [(t["name"], t["examples"], t["utility"], "{:.4f} – {:.4f}".format(*t["ci95"])) for t in [*tasks, *whole]]
    out.print(f"{result['evaluated']} on {result['split']}", soft_wrap=True, markup=False)
    out.print(table(("task", "examples", "utility", "95 % interval"), rows))
    source = "from the records; it took" if result["from_records"] else "in"
    err.print(f"{result['generated_tokens']} tokens generated, {source} {result['seconds']:.1f} s", soft_wrap=True)
