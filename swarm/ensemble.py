"""The prediction ensemble of the best particles (Model Swarms, arXiv 2410.11163; docs/algorithms.md §1)."""

import math
from collections import defaultdict
from collections.abc import Sequence

ENSEMBLE_SIZE = 10
"""The paper's k; a smaller population votes as a whole: k = min(10, N)."""


def top_k(utilities: Sequence[float | None], k: int = ENSEMBLE_SIZE) -> tuple[int, ...]:
    """Return the indices of the `k` highest utilities, best first; the lower index wins ties.

    Particles without a utility are left out; fewer than `k` are all returned.

    Raises:
        ValueError: `k` is below 1.

    """
    if k < 1:
        raise ValueError(f"an ensemble has at least 1 member, not {k}")
    ranking = [(-utility, index) for index, utility in enumerate(utilities) if utility is not None]
    return tuple(index for _, index in sorted(ranking)[:k])


def majority_vote(predictions: Sequence[Sequence[str]], utilities: Sequence[float]) -> list[str]:
    """Return the prediction that most members gave to each example.

    Ties go to the prediction whose voters have the higher summed utility, then to that of the first voter.

    Args:
        predictions: [k][examples], what each member predicts (not whether it is right).
        utilities: [k], the members' utilities on the dev split.

    Raises:
        ValueError: no members, or lengths that disagree.

    """
    if not predictions or len(predictions) != len(utilities):
        raise ValueError(f"{len(predictions)} members' predictions for {len(utilities)} utilities")
    return [_vote(votes, utilities) for votes in zip(*predictions, strict=True)]


def _vote(votes: Sequence[str], utilities: Sequence[float]) -> str:
    voters: dict[str, list[float]] = defaultdict(list)
    for prediction, utility in zip(votes, utilities, strict=True):
        voters[prediction].append(utility)
    return max(voters, key=lambda prediction: (len(voters[prediction]), math.fsum(voters[prediction])))
