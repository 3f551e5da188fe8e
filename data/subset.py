"""A part of an objective: the same tasks and scorers, asked some of the examples only."""

from collections.abc import Collection
from dataclasses import replace
from itertools import accumulate

from data.examples import Split
from data.objective import Objective
from data.task import Task


def select_examples(objective: Objective, split: Split, places: Collection[int]) -> Objective:
    """Return `objective` with only those examples of `split` that are at `places` of `objective.examples(split)`.

    Tasks of which nothing is left are left out: the utility is that of the others.

    Raises:
        ValueError: nothing is left at all.

    """
    ends = list(accumulate(len(task.cases(split)) for task in objective.tasks))
    kept = [
        _kept(task, split, [place - end + len(task.cases(split)) for place in sorted(set(places))])
        for task, end in zip(objective.tasks, ends, strict=True)
    ]
    tasks = tuple(task for task in kept if task.cases(split))
    if not tasks:
        raise ValueError(f"no example of the {split} split is at {sorted(places)}")
    return replace(objective, tasks=tasks)


def _kept(task: Task, split: Split, places: Collection[int]) -> Task:
    cases = task.cases(split)
    chosen = tuple(cases[place] for place in places if 0 <= place < len(cases))
    return replace(task, dev=chosen) if split == "dev" else replace(task, test=chosen)
