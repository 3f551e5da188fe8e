"""The summary of a finished search: its best mean against its start, on examples that nothing has read before."""

from dataclasses import dataclass
from typing import Any

from infra.evaluation.inputs import RunInputs
from infra.records.values import EvaluationRecord
from infra.run.comparison import Comparison
from infra.run.open_run import OpenRun
from infra.searches.evolution_strategies.config import EvolutionStrategiesConfig
from infra.searches.evolution_strategies.members import start_recipe
from swarm.draws import Draw
from swarm.es_state import EsState
from swarm.seeds import Journal
from swarm.statistics import bootstrap_interval

EvolutionRun = OpenRun[EvolutionStrategiesConfig, RunInputs]


@dataclass(frozen=True)
class MeanTest:
    """The test of the best mean after the search.

    Attributes:
        start: the start on the test split.
        best: the best mean on it.
        probe: `infra.searches.evolution_strategies.probe.Probe` as JSON, or None.
        export: `experts.evolved_export.ExportResult` as JSON.

    """

    start: EvaluationRecord
    best: EvaluationRecord
    probe: dict[str, Any] | None
    export: dict[str, Any]


def summary(run: EvolutionRun, final: EsState, journal: Journal, test: MeanTest, stopped_by: str) -> dict[str, Any]:
    """Return what `summary.json` holds; `journal` leads to the best mean."""
    return {
        **run.heading(final.iteration, stopped_by),
        "perturbation": run.config.perturbation.model_dump(mode="json"),
        "skipped_updates": final.skipped,
        "starting_best": _start(run, test),
        "ending_best": _ending_best(run, final, journal, test),
        "ensemble": None,
        "probe": test.probe,
        "drift": test.export["drift"],
        "weights_sha256": test.export["sha256"],
        "state_sha256": final.sha256,
    }


def _start(run: EvolutionRun, test: MeanTest) -> dict[str, Any]:
    dev = EsState.from_json(run.state(0)).held_out
    return {"expert": run.inputs.names[0], "dev": dev, **_comparison(run).test(test.start.scores)}


def _ending_best(run: EvolutionRun, final: EsState, journal: Journal, test: MeanTest) -> dict[str, Any]:
    assert final.best is not None
    return {
        "iteration": final.best.iteration,
        "recipe": {
            "start": start_recipe(run.inputs).to_json(),
            "journal": journal.id,
            "updates": len(journal.updates),
        },
        "dev": final.best.reward,
        **_comparison(run).test(test.best.scores),
        "p_value_vs_starting_best": _comparison(run).p_value(test.start.scores, test.best.scores),
        "gain_ci95": _gain(run, test),
    }


def _gain(run: EvolutionRun, test: MeanTest) -> list[float]:
    """Return the 95 % interval of the mean paired difference (best − start), a task weighing as its examples do."""
    differences = [b - a for a, b in zip(test.start.scores, test.best.scores, strict=True)]
    interval = bootstrap_interval([differences], _comparison(run).draws(Draw.BOOTSTRAP), lambda means: means[0])
    return [interval.low, interval.high]


def _comparison(run: EvolutionRun) -> Comparison:
    return Comparison(run.inputs.objective, run.config.seed)
