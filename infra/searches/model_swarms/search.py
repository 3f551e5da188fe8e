"""Model Swarms as a record of the table of searches."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from infra.observing.views import BestSoFar, Table
from infra.records.store import Records
from infra.records.values import IterationRecord, RunRecord
from infra.report.asked_examples import Pair
from infra.run.search import Json
from infra.searches.model_swarms.config import ModelSwarmsConfig
from infra.searches.model_swarms.history import iterations_table, particles_table
from infra.searches.recipe_search import RecipeSearch
from infra.settings import Settings
from swarm.history import history
from swarm.state import Extreme, State

if TYPE_CHECKING:
    from experts.base_models import BaseModel
    from infra.searches.model_swarms.inputs import SwarmInputs


class ModelSwarms(RecipeSearch[ModelSwarmsConfig]):
    """Particle swarm search over combinations of experts."""

    name = "model-swarms"
    title = "Model Swarms"
    paper = "arXiv 2410.11163"
    schema = ModelSwarmsConfig

    def inputs(self, config: ModelSwarmsConfig, base: "BaseModel", settings: Settings) -> "SwarmInputs":
        """See `Search.inputs`."""
        from infra.searches.model_swarms.inputs import read_inputs

        return read_inputs(config, base, settings)

    def going_on_from(self, config: Json, run: str) -> Json:
        """Let the search begin with the particles of `run`."""
        return {**config, "warm_start": run}

    def coefficients(self, state: Json) -> tuple[float, ...] | None:
        """Return the global best's coefficients."""
        best = state.get("global_best")
        return None if best is None else tuple(Extreme.from_json(best).coefficients.tolist())

    def best_so_far(self, run: RunRecord, state: Json) -> BestSoFar | None:
        """Return the global best."""
        best = state.get("global_best")
        if best is None:
            return None
        parts = zip(self.bases(run), best["coefficients"], strict=True)
        recipe = " ".join(f"{value:+.2f}·{name}" for name, value in parts)
        return BestSoFar(best["utility"], best["iteration"], f"particle {best['particle']}", recipe, best)

    def history(self, run: RunRecord, iterations: Sequence[IterationRecord]) -> Table:
        """Return λ, utilities, global best and worst, and restarts of each iteration."""
        return iterations_table([State.from_json(record.state) for record in iterations])

    def iteration(self, run: RunRecord, iteration: IterationRecord) -> Table:
        """Return each particle's utilities and coefficients."""
        return particles_table(State.from_json(iteration.state), self.bases(run))

    def history_record(self, iteration: IterationRecord) -> Json:
        """Return the iteration in the symbols of the paper."""
        return history(State.from_json(iteration.state))

    def report(self, records: Records, run: str) -> str:
        """See `Search.report`."""
        from infra.searches.model_swarms.report.evidence import read_evidence
        from infra.searches.model_swarms.report.page import render_report

        return render_report(read_evidence(records, run), self.examples(records, records.run(run)))

    def dev_finalists(self, records: Records, run: RunRecord) -> Pair:
        """Return the best expert of iteration 0, and the global best."""
        from infra.searches.model_swarms.report.evidence import read_evidence

        return read_evidence(records, run.name).pair("dev") or (None, None)
