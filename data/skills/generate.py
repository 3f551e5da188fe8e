"""Generate a skill's data set: equal arguments give the same file, and nothing is asked in two splits."""

from collections.abc import Hashable
from typing import Any, cast

import numpy as np

from data.skills.registry import FAMILIES, SKILLS, SkillExample
from swarm.errors import InputError

_MISSES = 20_000
"""After so many draws in a row without a new question, the skill has no more questions."""


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
    examples = _distinct(skill, seed, sum(sizes.values()))
    data: dict[str, Any] = {"dataset": skill, "seed": seed}
    for split, size in sizes.items():
        part, examples = examples[:size], examples[size:]
        data[split] = [{"id": index, **example.fields} for index, example in enumerate(part)]
    return data


def _distinct(skill: str, seed: int, count: int) -> list[SkillExample]:
    # The skill's name enters the key, so that two skills of one seed share no draws, unless they are to.
    sequence = np.random.SeedSequence([seed, *FAMILIES.get(skill, skill).encode()])
    rng = np.random.Generator(np.random.Philox(cast(Any, sequence)))
    examples: dict[Hashable, SkillExample] = {}
    misses = 0
    while len(examples) < count:
        example = SKILLS[skill](rng)
        misses = misses + 1 if example.question_key in examples else 0
        examples.setdefault(example.question_key, example)
        if misses > _MISSES:
            raise InputError(f"skill {skill!r} has fewer than {count} different questions: ask for fewer")
    return list(examples.values())
