"""Evolution strategies as a record of the table of searches."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from infra.observing.views import BestSoFar, SummaryText, Table
from infra.records.store import Records
from infra.records.values import IterationRecord, Purpose, RunRecord
from infra.report.asked_examples import Pair
from infra.run.search import ExportOptions, Json, Search
from infra.searches.evolution_strategies.config import EvolutionStrategiesConfig
from infra.searches.evolution_strategies.history import iterations_table, update_table
from infra.settings import Settings
from swarm.errors import InputError
from swarm.es_state import EsState
from swarm.recipes import BASE

if TYPE_CHECKING:
    from experts.base_models import BaseModel
    from experts.seed_basis import SeedBasis
    from infra.evaluation.inputs import RunInputs
    from infra.evaluation.subject import Subject


class EvolutionStrategies(Search[EvolutionStrategiesConfig]):
    """Fine-tuning from rewards alone, by seeds."""

    name = "evolution-strategies"
    title = "Evolution Strategies"
    paper = "arXiv 2509.24372"
    schema = EvolutionStrategiesConfig

    def inputs(self, config: EvolutionStrategiesConfig, base: "BaseModel", settings: Settings) -> "RunInputs":
        """See `Search.inputs`."""
        from infra.searches.evolution_strategies.inputs import read_inputs

        return read_inputs(config, base, settings)

    def initial_basis(self, config: EvolutionStrategiesConfig, base: "BaseModel") -> "SeedBasis":
        """Return what the start is made from."""
        from infra.searches.evolution_strategies.inputs import seed_basis_of

        return seed_basis_of(config, base)

    def bases(self, run: RunRecord) -> tuple[str, ...]:
        """Return the start's name."""
        return (run.config.get("start") or BASE,)

    def best_so_far(self, run: RunRecord, state: Json) -> BestSoFar | None:
        """Return the best mean."""
        mean = state.get("best")
        if mean is None:
            return None
        return BestSoFar(mean["reward"], mean["iteration"], "the mean", None, {"utility": mean["reward"], **mean})

    def history(self, run: RunRecord, iterations: Sequence[IterationRecord]) -> Table:
        """Return the rewards of each iteration, and the best mean so far."""
        return iterations_table([EsState.from_json(record.state) for record in iterations])

    def iteration(self, run: RunRecord, iteration: IterationRecord) -> Table:
        """Return the seeds and coefficients of the iteration's update."""
        return update_table(EsState.from_json(iteration.state))

    def history_record(self, iteration: IterationRecord) -> Json:
        """Return the whole state."""
        return EsState.from_json(iteration.state).to_json()

    def summary_text(self, summary: Json) -> SummaryText:
        """Return how many updates lead from the start to the best mean."""
        updates = summary["ending_best"]["recipe"]["updates"]
        kind = "adapter" if summary["perturbation"]["mode"] == "adapter" else "model"
        return SummaryText("start", f"recipe: the start and {updates} updates from seeds", kind)

    def report(self, records: Records, run: str) -> str:
        """See `Search.report`."""
        from infra.searches.evolution_strategies.report import read_evolution, render_evolution

        return render_evolution(read_evolution(records, run), self.examples(records, records.run(run)))

    def dev_finalists(self, records: Records, run: RunRecord) -> Pair:
        """Return the start and the best mean, on the held-out examples."""
        iterations = records.iterations(run.name)
        best = EsState.from_json(iterations[-1].state).best if iterations else None
        if best is None:
            return None, None
        links = records.run_evaluations(run.name, Purpose.SEARCH)
        groups = [[link for link in links if link.iteration == number] for number in (0, best.iteration)]
        means = [max(members, key=lambda link: link.particle, default=None) for members in groups]
        start, best_evaluation = (None if mean is None else mean.evaluation for mean in means)
        return start, best_evaluation

    def subject(self, records: Records, settings: Settings, run: RunRecord) -> "Subject":
        """Return the best mean."""
        from infra.evaluation.subject import Subject
        from infra.searches.evolution_strategies.export import read_mean

        mean = read_mean(records, settings, run, None)
        return Subject.of_recipe(f"best mean of run {run.name}", mean.recipe, mean.basis, mean.basis.base)

    def export(
        self, records: Records, settings: Settings, run: RunRecord, folder: Path, options: ExportOptions
    ) -> Json:
        """Write the mean of one iteration, of the best one by default: an adapter or a whole model."""
        from infra.searches.evolution_strategies.export import export_mean, read_mean

        if options.merged:
            raise InputError(
                f"--merged: run {run.name!r} writes what it moves, an adapter or the whole model: leave it out"
            )
        return export_mean(read_mean(records, settings, run, options.iteration), run, folder)
