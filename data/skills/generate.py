"""Generate a skill's data set: equal arguments give the same file, and nothing is asked in two splits."""

from collections.abc import Hashable
from typing import Any, cast

import numpy as np

from data.skills.registry import FAMILIES, SKILLS, SkillExample
from swarm.errors import InputError

_MISSES = 20_000
"""After so many draws in a row that brought nothing new, there is nothing more."""


def generate(skill: str, seed: int, train: int, dev: int, test: int) -> dict[str, Any]:
    """Return the data set of `skill` in the papers' JSON format, with a `train` split for training experts.

    Args:
        skill: a name of `SKILLS`.
        seed: decides every question.
        train: number of questions of the training split.
        dev: of the dev split.
        test: of the test split.

    Raises:
        InputError: an unknown skill, a negative size, or more questions than the skill has.

    """
    if skill not in SKILLS:
        raise InputError(f"unknown skill {skill!r}: choose one of {', '.join(SKILLS)}")
    sizes = {"test": test, "dev": dev, "train": train}
    negative = [split for split, size in sizes.items() if size < 0]
    if negative:
        raise InputError(f"{negative[0]}: {sizes[negative[0]]} questions were asked for: give 0 or more")
    drawn = _distinct(skill, seed, sum(sizes.values()))
    data: dict[str, Any] = {"dataset": skill, "seed": seed}
    for split, size in sizes.items():
        taken, drawn = drawn[:size], drawn[size:]
        data[split] = [{"id": index, **example.fields} for index, example in enumerate(taken)]
    return data


def _distinct(skill: str, seed: int, count: int) -> list[SkillExample]:
    # The skill's name enters the key, so that two skills of one seed share no draws, unless they are to.
    sequence = np.random.SeedSequence([seed, *FAMILIES.get(skill, skill).encode()])
    rng = np.random.Generator(np.random.Philox(cast(Any, sequence)))
    seen: dict[Hashable, SkillExample] = {}
    misses = 0
    while len(seen) < count:
        drawn = SKILLS[skill](rng)
        misses = misses + 1 if drawn.asked in seen else 0
        seen.setdefault(drawn.asked, drawn)
        if misses > _MISSES:
            raise InputError(f"skill {skill!r} has fewer than {count} different questions: ask for fewer")
    return list(seen.values())
