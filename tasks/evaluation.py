"""The task that uses an engine."""

from typing import Any

from prefect import task

from data.examples import Split
from data.score_functions import ScoreFunctionError
from infra.evaluation.recipes import RecipeGroup
from infra.run.open_run import OpenRun
from swarm.errors import EvaluationError
from swarm.plan import Group
from tasks.persistence import PERSISTENCE, Json


def _failed_outside(task: Any, task_run: Any, state: Any) -> bool:
    """Retry what failed outside (engines, scorers), never a user's mistake, function or interrupt."""
    error = state.result(raise_on_failure=False)
    return isinstance(error, EvaluationError) and not isinstance(error, ScoreFunctionError)


EVALUATION: dict[str, Any] = {
    "tags": ["gpu"],
    "retries": 2,
    "retry_delay_seconds": [1, 10],
    "retry_condition_fn": _failed_outside,
    **PERSISTENCE,
}
"""The options of every task that uses an engine."""


@task(name="evaluate", **EVALUATION)
def evaluate(run: OpenRun[Any, Any], groups: list[Json], index: int, split: Split) -> Json:
    """Evaluate `groups[index]`; its scores are committed to the records before this returns.

    Returns {"group": its key in the records, "utilities": one a recipe}.
    """
    return run.groups.evaluate(RecipeGroup.of(Group.from_json(groups[index]).recipes, split))
