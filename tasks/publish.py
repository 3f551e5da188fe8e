"""The tasks after the search: publish the best adapter, and write the report."""

from collections.abc import Callable
from typing import Any

from prefect import task

from experts.files import publish_text
from infra.records.store import Records
from infra.run.open_run import OpenRun
from swarm.recipes import Recipe
from tasks.persistence import NO_RESULT, Json


@task(name="publish best", **NO_RESULT)
def publish_best(run: OpenRun[Any, Any], recipe: Json) -> str:
    """Write the best adapter to the run's folder; return the SHA-256 of its weights. Never cached: it makes a file."""
    return run.publish_best(Recipe.from_json(recipe))


@task(name="write report", **NO_RESULT)
def write_run_report(run: OpenRun[Any, Any], report: Callable[[Records, str], str]) -> str:
    """Write the run's report, which `report` makes from the records (`Search.report`); return its path."""
    publish_text(run.folder.report, report(run.records, run.config.name))
    return str(run.folder.report)
