"""The end of a search: the finalists, their test, and the run's summary."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from data.examples import Split
from data.objective import Objective
from infra.records.values import EvaluationRecord, Purpose
from infra.run.comparison import Comparison
from infra.searches.model_swarms.inputs import SwarmRun
from swarm.ensemble import majority_vote, top_k
from swarm.recipes import Recipe
from swarm.state import State


@dataclass(frozen=True)
class SwarmFinalists:
    """The recipes that are tested after the search.

    Attributes:
        expert: the index of the initial expert with the best dev utility (the first wins ties).
        starting_best: its recipe.
        ending_best: the global best's recipe.
        ensemble: the personal bests of the best k particles, best first.
        ensemble_utilities: their dev utilities.
        previous: the index of the particle that began as the best of the run that this one goes on from, if it does.
        previous_best: its recipe.

    """

    expert: int
    starting_best: Recipe
    ending_best: Recipe
    ensemble: tuple[Recipe, ...]
    ensemble_utilities: tuple[float, ...]
    previous: int | None = None
    previous_best: Recipe | None = None

    def recipes(self) -> list[Recipe]:
        """Return all finalists, in the order in which they are tested."""
        earlier = [] if self.previous_best is None else [self.previous_best]
        return [self.starting_best, self.ending_best, *self.ensemble, *earlier]

    def purposes(self) -> list[Purpose]:
        """Return what each of `recipes` is tested for."""
        earlier = [] if self.previous_best is None else [Purpose.PREVIOUS_BEST]
        return [Purpose.STARTING_BEST, Purpose.ENDING_BEST, *[Purpose.ENSEMBLE] * len(self.ensemble), *earlier]


def choose_finalists(run: SwarmRun, initial: State, final: State) -> SwarmFinalists:
    """Choose who is tested, by dev utility alone: test examples are read after the search only."""
    assert final.global_best is not None
    bases, space = run.inputs.bases, run.config.space
    expert = top_k(initial.utilities[: len(bases)], 1)[0]
    best = top_k(final.personal_best_utilities, run.config.ensemble) if run.config.ensemble else ()
    previous = None if run.inputs.warm_start is None else len(bases)  # after the experts (swarm.population.continued)
    return SwarmFinalists(
        expert=expert,
        starting_best=Recipe(bases, tuple(initial.positions[expert].tolist()), space),
        ending_best=Recipe(bases, tuple(final.global_best.coefficients.tolist()), space),
        ensemble=tuple(Recipe(bases, tuple(final.personal_bests[i].tolist()), space) for i in best),
        ensemble_utilities=tuple(float(final.personal_best_utilities[i] or 0.0) for i in best),
        previous=previous,
        previous_best=None if previous is None else Recipe(bases, tuple(initial.positions[previous].tolist()), space),
    )


class Outcome:
    """The test of the finalists, and the run's summary."""

    def __init__(
        self,
        run: SwarmRun,
        final: State,
        finalists: SwarmFinalists,
        test_evaluations: Mapping[Recipe, EvaluationRecord],
    ) -> None:
        self._run, self._final, self._finalists, self._test_evaluations = run, final, finalists, test_evaluations
        self._objective: Objective = run.inputs.objective
        self._compare = Comparison(self._objective, run.config.seed)

    def summary(self, stopped_by: str, initial: State, adapter_sha256: str) -> dict[str, Any]:
        """Return what `summary.json` holds."""
        run, finalists = self._run, self._finalists
        return {
            **run.heading(self._final.iteration, stopped_by),
            "starting_best": {
                "expert": run.inputs.names[finalists.expert],
                "dev": initial.utilities[finalists.expert],
                **self._compare.test(self._test_evaluations[finalists.starting_best].scores),
            },
            "ending_best": self._ending_best(),
            **self._previous_best(initial),
            "ensemble": self._ensemble(),
            "best_adapter_sha256": adapter_sha256,
            "state_sha256": self._final.sha256,
        }

    def _ending_best(self) -> dict[str, Any]:
        best, recipe = self._final.global_best, self._finalists.ending_best
        assert best is not None
        before, after = (
            self._test_evaluations[self._finalists.starting_best].scores,
            self._test_evaluations[recipe].scores,
        )
        return {
            "recipe": {
                "coefficients": dict(zip(self._run.inputs.names, recipe.coefficients, strict=True)),
                "space": recipe.space.value,
            },
            "dev": best.utility,
            **self._compare.test(after),
            "p_value_vs_starting_best": self._compare.p_value(before, after),
        }

    def _previous_best(self, initial: State) -> dict[str, Any]:
        """Return what the best of the run that this one goes on from is worth on this run's data; nothing without."""
        previous, recipe, earlier = self._finalists.previous, self._finalists.previous_best, self._run.inputs.warm_start
        if previous is None or recipe is None or earlier is None:
            return {}
        before, after = (
            self._test_evaluations[recipe].scores,
            self._test_evaluations[self._finalists.ending_best].scores,
        )
        return {
            "previous_best": {
                "run": earlier.run,
                "dev": initial.utilities[previous],
                **self._compare.test(before),
                "still_the_best": recipe == self._finalists.ending_best,
                "p_value_ending_best": self._compare.p_value(before, after),
            }
        }

    def _ensemble(self) -> dict[str, Any] | None:
        members = self._finalists.ensemble
        if not members:
            return None
        links = self._run.records.run_evaluations(self._run.config.name, Purpose.SEARCH)
        dev = {Recipe.from_json(link.evaluation.recipe): link.evaluation for link in links}
        on_dev = self._objective.aggregate("dev", self._vote("dev", dev))
        return {"k": len(members), "dev": on_dev, **self._compare.test(self._vote("test", self._test_evaluations))}

    def _vote(self, split: Split, evaluations: Mapping[Recipe, EvaluationRecord]) -> Sequence[float]:
        """Return the ensemble's score on each example of `split`."""
        predictions = [evaluations[member].predictions for member in self._finalists.ensemble]
        votes = majority_vote(predictions, self._finalists.ensemble_utilities)
        return self._objective.score_predictions(split, votes)
