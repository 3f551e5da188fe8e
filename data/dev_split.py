"""Which dev examples a search is made on, and which only measure its mean."""

from itertools import accumulate

from data.objective import Objective
from swarm.errors import InputError


def split_dev(objective: Objective, held_out: int) -> tuple[list[int], list[int]]:
    """Return the places of the dev examples that are searched on, and of those that only measure the mean.

    Held out are the last `held_out` of each task, so that every task has its part in both.

    Raises:
        InputError: nothing of a task is left to search on.

    """
    searched: list[int] = []
    kept_out: list[int] = []
    ends = list(accumulate(len(task.dev) for task in objective.tasks))
    for task, end in zip(objective.tasks, ends, strict=True):
        if len(task.dev) <= held_out:
            raise InputError(
                f"search.held_out: {held_out} of the {len(task.dev)} dev examples of task {task.name!r} leave none to "
                "search on: lower it"
            )
        searched += range(end - len(task.dev), end - held_out)
        kept_out += range(end - held_out, end)
    return searched, kept_out
