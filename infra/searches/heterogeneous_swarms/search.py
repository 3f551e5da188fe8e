"""Heterogeneous Swarms as a record of the table of searches."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from infra.observing.views import BestSoFar, SummaryText, Table
from infra.records.store import Records
from infra.records.values import IterationRecord, Purpose, RunEvaluation, RunRecord
from infra.report.asked_examples import Pair
from infra.run.search import ExportOptions, Json, Search
from infra.searches.heterogeneous_swarms.config import HeterogeneousSwarmsConfig
from infra.searches.heterogeneous_swarms.history import iterations_table, particles_table, system_lines
from infra.settings import Settings
from swarm.errors import InputError
from swarm.heterogeneous_state import HeterogeneousState
from swarm.recipes import BASE

if TYPE_CHECKING:
    from experts.base_models import BaseModel
    from experts.basis import Basis, FullBasis
    from infra.evaluation.inputs import RunInputs
    from infra.evaluation.subject import Subject
    from infra.records.values import EvaluationRecord


class HeterogeneousSwarms(Search[HeterogeneousSwarmsConfig]):
    """Search over the graph of a system of models, and its models, together."""

    name = "heterogeneous-swarms"
    title = "Heterogeneous Swarms"
    paper = "arXiv 2502.04510"
    schema = HeterogeneousSwarmsConfig

    def inputs(self, config: HeterogeneousSwarmsConfig, base: "BaseModel", settings: Settings) -> "RunInputs":
        """See `Search.inputs`."""
        from infra.searches.experts import read_experts
        from infra.systems.lengths import require_room_in_nodes

        inputs = read_experts(config, base, settings)
        nodes = config.nodes(len(inputs.names))
        require_room_in_nodes(inputs.objective, config.system, nodes, config.roles, base, config.engine)
        return inputs

    def initial_basis(self, config: HeterogeneousSwarmsConfig, base: "BaseModel") -> "Basis | FullBasis":
        """Return the experts."""
        from experts.basis import load_basis

        return load_basis(config.experts, base)

    def bases(self, run: RunRecord) -> tuple[str, ...]:
        """Return the experts' names, then the base model's if it is one of them."""
        return (*run.config["experts"], *([BASE] if run.config["include_base"] else []))

    def best_so_far(self, run: RunRecord, state: Json) -> BestSoFar | None:
        """Return the best system."""
        best = state["best"]
        if best is None:
            return None
        finder = f"a system, by its {best['step']}"
        record = {"utility": best["utility"], "iteration": best["iteration"], "found_by": finder}
        return BestSoFar(best["utility"], best["iteration"], finder, None, record)

    def history(self, run: RunRecord, iterations: Sequence[IterationRecord]) -> Table:
        """Return the best graph, model and system as of each iteration."""
        return iterations_table([HeterogeneousState.from_json(record.state) for record in iterations])

    def iteration(self, run: RunRecord, iteration: IterationRecord) -> Table:
        """Return each graph's edges and each model's coefficients."""
        state = HeterogeneousState.from_json(iteration.state)
        return particles_table(state, run.config["search"], self.bases(run))

    def history_record(self, iteration: IterationRecord) -> Json:
        """Return the whole state."""
        return HeterogeneousState.from_json(iteration.state).to_json()

    def summary_text(self, summary: Json) -> SummaryText:
        """Return the system, its collaborative gain, and what sharing answers saved."""
        return SummaryText("best expert", system_lines(summary), "system")

    def report(self, records: Records, run: str) -> str:
        """See `Search.report`."""
        from infra.searches.heterogeneous_swarms.report.page import read_system_run, render_system_run

        return render_system_run(read_system_run(records, run), self.examples(records, records.run(run)))

    def dev_finalists(self, records: Records, run: RunRecord) -> Pair:
        """Return the best expert alone, once that was asked, and the best system."""
        iterations = records.iterations(run.name)
        best = HeterogeneousState.from_json(iterations[-1].state).best if iterations else None
        if best is None:
            return None, None
        links = records.run_evaluations(run.name, Purpose.SEARCH)
        experts = records.run_evaluations(run.name, Purpose.EXPERT)
        return _greatest(experts), _greatest([link for link in links if link.iteration == best.iteration])

    def subject(self, records: Records, settings: Settings, run: RunRecord) -> "Subject":
        """Return the best system."""
        from infra.evaluation.subject import Subject
        from infra.searches.heterogeneous_swarms.export import read_best_system
        from infra.systems.group import group_of

        best = read_best_system(records, settings, run)
        return Subject(
            f"best system of run {run.name}",
            best.system.to_json(),
            best.inputs.basis,
            best.inputs.base,
            lambda split: group_of([best.system], best.config.system, split),
        )

    def export(
        self, records: Records, settings: Settings, run: RunRecord, folder: Path, options: ExportOptions
    ) -> Json:
        """Write the best system as a folder."""
        from infra.searches.heterogeneous_swarms.export import export_system, read_best_system

        if options.iteration is not None:
            raise InputError(
                f"--iteration {options.iteration}: run {run.name!r} has a best of all iterations: leave it out"
            )
        if options.merged:
            raise InputError(f"--merged: run {run.name!r} found a system, which has several models: leave it out")
        return export_system(read_best_system(records, settings, run), run, folder)


def _greatest(links: Sequence[RunEvaluation]) -> "EvaluationRecord | None":
    return max((link.evaluation for link in links), key=lambda evaluation: evaluation.utility, default=None)
