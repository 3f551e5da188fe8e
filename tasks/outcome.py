"""The tasks after the search: publish the best adapter, and write what people read."""

from typing import Any

from prefect import task
from prefect.cache_policies import NO_CACHE

from infra.run.open_run import OpenRun
from infra.searches.model_swarms.report.page import write_report
from swarm.recipes import Recipe
from tasks.persistence import Json


@task(name="publish best", cache_policy=NO_CACHE)
def publish_best(run: OpenRun[Any], recipe: Json) -> str:
    """Write the best adapter to the run's folder; return the SHA-256 of its weights. Never cached: it makes a file."""
    return run.publish_best(Recipe.from_json(recipe))


@task(name="write report", cache_policy=NO_CACHE)
def write_run_report(run: OpenRun[Any]) -> str:
    """Write the run's report from the records; return its path."""
    write_report(run.records, run.config.name, run.folder.report)
    return str(run.folder.report)
