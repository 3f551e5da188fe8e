"""Recipes that are evaluated together: each answers alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from data.examples import Split
from data.objective import Objective
from data.subset import select_examples
from infra.evaluation.evaluator import Evaluator, requests_of
from infra.records.request_texts import GroupRequests
from infra.records.values import EvaluationRecord
from swarm.canonical import content_hash
from swarm.recipes import Recipe


@dataclass(frozen=True)
class RecipeGroup:
    """A group of recipes; see `Evaluable`.

    Attributes:
        recipes: who answers.
        split: which examples are asked.
        examples: their places in the split; None for all of them.

    """

    recipes: tuple[Recipe, ...]
    split: Split
    examples: tuple[int, ...] | None = None

    @classmethod
    def of(cls, recipes: Sequence[Recipe], split: Split, examples: Sequence[int] | None = None) -> "RecipeGroup":
        """Return the group of `recipes`, asked the `examples` of `split` at these places, or all of them."""
        return cls(tuple(recipes), split, None if examples is None else tuple(examples))

    def key(self, evaluator: Evaluator) -> str:
        """Return the content hash of who is evaluated together, on what, by which engine.

        Where scales count, whose answers set them is in the key, too: they are a function of that.
        """
        objective = self._objective(evaluator)
        members = [recipe.to_json() for recipe in self.recipes]
        content: list[Any] = [members, objective.split_key(self.split), self.split, evaluator.engine]
        return content_hash(content if objective.scale_objective is None else [*content, evaluator.scale_key])

    def evaluate(self, evaluator: Evaluator) -> tuple[EvaluationRecord, ...]:
        """Evaluate as `Evaluable.evaluate` says; scales that are needed and not recorded are measured first."""
        objective, split = self._objective(evaluator), self.split
        scales = evaluator.scales() if objective.scale_objective is not None else {}
        answers = evaluator.answer(objective, split, self.recipes)
        evaluations = evaluator.score(objective, split, answers.responses, scales)
        members = [recipe.to_json() for recipe in self.recipes]
        requests = GroupRequests(by_task=lambda: requests_of(objective, split))
        return evaluator.save(self.key(evaluator), members, objective, split, evaluations, answers, requests)

    def _objective(self, evaluator: Evaluator) -> Objective:
        whole = evaluator.objective
        return whole if self.examples is None else select_examples(whole, self.split, self.examples)
