"""The record for the table of searches; its entry point is `examples.random_search.search:RANDOM_SEARCH`."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from examples.random_search.config import RandomSearchConfig
from infra.observing.views import BestSoFar, Table
from infra.records.store import Records
from infra.records.values import IterationRecord, RunRecord
from infra.report.asked_examples import Pair
from infra.run.search import Json
from infra.searches.recipe_search import RecipeSearch
from infra.settings import Settings

if TYPE_CHECKING:
    from experts.base_models import BaseModel
    from infra.evaluation.inputs import RunInputs


class RandomSearch(RecipeSearch[RandomSearchConfig]):
    """Uniform draws from the simplex of the experts."""

    name = "random-search"
    title = "Random search"
    paper = "the baseline of every search"
    schema = RandomSearchConfig

    def inputs(self, config: RandomSearchConfig, base: "BaseModel", settings: Settings) -> "RunInputs":
        """See `Search.inputs`."""
        from infra.searches.experts import read_experts

        return read_experts(config, base, settings)

    def coefficients(self, state: Json) -> tuple[float, ...] | None:
        """Return the best candidate's coefficients."""
        return None if state["best"] is None else tuple(state["best"]["coefficients"])

    def best_so_far(self, run: RunRecord, state: Json) -> BestSoFar | None:
        """Return the best candidate."""
        best = state["best"]
        if best is None:
            return None
        parts = zip(self.bases(run), best["coefficients"], strict=True)
        recipe = " ".join(f"{value:+.2f}·{name}" for name, value in parts)
        return BestSoFar(best["utility"], best["iteration"], "a random draw", recipe, best)

    def history(self, run: RunRecord, iterations: Sequence[IterationRecord]) -> Table:
        """Return the best utility of each iteration, and the best so far."""
        rows = tuple((i.iteration, max(i.state["utilities"]), i.state["best"]["utility"]) for i in iterations)
        return Table("", ("iteration", "best of it", "best so far"), rows)

    def iteration(self, run: RunRecord, iteration: IterationRecord) -> Table:
        """Return each candidate's utility and coefficients."""
        state = iteration.state
        rows = [(i, u, *x) for i, (u, x) in enumerate(zip(state["utilities"], state["positions"], strict=True))]
        return Table(f"iteration {iteration.iteration}", ("candidate", "utility", *self.bases(run)), tuple(rows))

    def dev_finalists(self, records: Records, run: RunRecord) -> Pair:
        """Return the best expert, which iteration 0 evaluates, and the best candidate."""
        iterations = records.iterations(run.name)
        if not iterations:
            return None, None
        evaluations = [(e.iteration, e.evaluation) for e in records.run_evaluations(run.name, "search")]
        last = iterations[-1].state["best"]["iteration"]
        groups = [[e for number, e in evaluations if number == iteration] for iteration in (0, last)]
        start, best = (max(group, key=lambda e: e.utility, default=None) for group in groups)
        return start, best


RANDOM_SEARCH = RandomSearch("examples.random_search.flow:random_search")
