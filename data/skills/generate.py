"""Generate a skill's data set: equal arguments give the same file, and no question stands in two splits."""

from typing import Any, cast

import numpy as np

from data.skills.questions import SKILLS
from swarm.errors import InputError

_TRIES_A_QUESTION = 200


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
    questions = _distinct(skill, seed, sum(sizes.values()))
    data: dict[str, Any] = {"dataset": skill, "seed": seed}
    for split, size in sizes.items():
        taken, questions = questions[:size], questions[size:]
        data[split] = [{"id": i, "question": q, "answer": a} for i, (q, a) in enumerate(taken)]
    return data


def _distinct(skill: str, seed: int, count: int) -> list[tuple[str, str]]:
    # The skill's name enters the key, so that two skills of one seed share no draws.
    sequence = np.random.SeedSequence([seed, *skill.encode()])
    rng = np.random.Generator(np.random.Philox(cast(Any, sequence)))
    seen: dict[str, str] = {}
    for _ in range(count * _TRIES_A_QUESTION):
        if len(seen) == count:
            break
        question, answer = SKILLS[skill](rng)
        seen.setdefault(question, answer)
    if len(seen) < count:
        raise InputError(f"skill {skill!r} has fewer than {count} different questions: ask for fewer")
    return list(seen.items())
