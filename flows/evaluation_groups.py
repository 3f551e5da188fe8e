"""What the flows of all searches share: their task runner, and the evaluation of groups of recipes."""

from typing import Any

from prefect.futures import PrefectFuture
from prefect.task_runners import ThreadPoolTaskRunner

from data.examples import Split
from infra.run.open_run import OpenRun
from swarm.plan import Group, Link, links
from tasks.evaluation import evaluate
from tasks.persistence import Json, submit

RUNNER: Any = ThreadPoolTaskRunner(max_workers=64)
"""Threads, made as they are needed: one a group that waits for its turn in the engine, is answered, or is written."""


def evaluate_groups(run: OpenRun[Any, Any], groups: PrefectFuture[Any], split: Split) -> list[PrefectFuture[Json]]:
    """Evaluate every group, or find its scores in the records; wait until all are there."""
    return wait_for_scores([submit(run, evaluate, run, groups, index, split) for index in range(len(groups.result()))])


def wait_for_scores(scores: list[PrefectFuture[Json]]) -> list[PrefectFuture[Json]]:
    """Wait until every group is evaluated, and return `scores`; what the first failed one raised is raised.

    Tasks that are handed an unfinished one would make Prefect ask its server for its state.
    """
    for score in scores:
        score.result()
    return scores


def evaluation_links(groups: PrefectFuture[Any], scores: list[PrefectFuture[Json]]) -> list[Link]:
    """Return where in the records each particle's evaluation is."""
    recorded_groups = [Group.from_json(group) for group in groups.result()]
    return links(recorded_groups, [score.result()["group"] for score in scores])
