"""Select a part of an objective's examples, with the same tasks and scorers."""

from collections.abc import Collection
from dataclasses import replace
from itertools import accumulate

from data.examples import Split
from data.objective import Objective
from data.task import Task


def select_examples(objective: Objective, split: Split, indices: Collection[int]) -> Objective:
    """Return `objective` with only those examples of `split` that are at `indices` of `objective.examples(split)`.

    Tasks of which nothing is left are left out: the utility is that of the others.

    Raises:
        ValueError: nothing is left at all.

    """
    ends = list(accumulate(len(task.cases(split)) for task in objective.tasks))
    parts = [
        _select_cases(task, split, [index - end + len(task.cases(split)) for index in sorted(set(indices))])
        for task, end in zip(objective.tasks, ends, strict=True)
    ]
    tasks = tuple(task for task in parts if task.cases(split))
    if not tasks:
        raise ValueError(f"no example of the {split} split is at {sorted(indices)}")
    return replace(objective, tasks=tasks)


def _select_cases(task: Task, split: Split, indices: Collection[int]) -> Task:
    cases = task.cases(split)
    selected_cases = tuple(cases[index] for index in indices if 0 <= index < len(cases))
    return replace(task, dev=selected_cases) if split == "dev" else replace(task, test=selected_cases)
