"""Split the dev examples into those that a search uses and those that only measure its mean."""

from itertools import accumulate

from data.objective import Objective
from swarm.errors import InputError


def split_dev(objective: Objective, held_out: int) -> tuple[list[int], list[int]]:
    """Return the indices of the dev examples that the search uses, and of those that only measure the mean.

    The last `held_out` examples of each task are held out, so that every task has examples in both.

    Raises:
        InputError: nothing of a task is left to search on.

    """
    search_indices: list[int] = []
    held_out_indices: list[int] = []
    ends = list(accumulate(len(task.dev) for task in objective.tasks))
    for task, end in zip(objective.tasks, ends, strict=True):
        if len(task.dev) <= held_out:
            raise InputError(
                f"search.held_out: {held_out} of the {len(task.dev)} dev examples of task {task.name!r} leave none to "
                "search on: lower it"
            )
        search_indices += range(end - len(task.dev), end - held_out)
        held_out_indices += range(end - held_out, end)
    return search_indices, held_out_indices
