import json
from dataclasses import replace
from typing import Any

import plotly.graph_objects as go
import pytest

from infra.report.chart import label
from infra.searches.model_swarms.report.best_figures import emergence_map, recipe_bars
from infra.searches.model_swarms.report.emergence import emergence
from infra.searches.model_swarms.report.evidence import Evidence, read_evidence
from infra.searches.model_swarms.report.trajectories import label_sides, trajectories
from infra.searches.model_swarms.report.utility_curves import utility_curves
from swarm.parameters import Parameters
from tests.infra.searches.model_swarms.report.made_up_run import MadeUpRun


def figures(evidence: Evidence) -> list[dict[str, Any]]:
    result, best = emergence(evidence), evidence.best
    assert result is not None and best is not None
    return [
        utility_curves(evidence.states),
        trajectories(evidence.states, evidence.names),
        recipe_bars(evidence.names, best.coefficients.tolist(), [0.5] * len(evidence.names)),
        emergence_map(result, evidence.states[-1].iteration),
    ]


def test_plotly_knows_every_field_of_every_figure(finished: Evidence) -> None:
    for figure in figures(finished):
        drawing = go.Figure(json.loads(json.dumps(figure, allow_nan=False)))
        assert len(drawing.data) == len(figure["data"])


def test_a_particle_that_was_not_evaluated_leaves_a_gap(finished: Evidence) -> None:
    traces = utility_curves(finished.states)["data"][: len(finished.states[0].positions)]
    gaps = [value is None for trace in traces for value in trace["y"]]
    skipped = sum(not evaluated for state in finished.states for evaluated in state.to_evaluate)
    assert sum(gaps) == skipped > 0
    assert not any(trace["connectgaps"] for trace in traces)


def test_an_old_utility_that_a_skipped_particle_keeps_is_no_point_of_the_curve(finished: Evidence) -> None:
    carried = [replace(state, utilities=(0.5,) * len(state.utilities)) for state in finished.states]
    output = utility_curves(carried)["data"], utility_curves(finished.states)["data"]
    assert [[v is None for v in t["y"]] for t in output[0]] == [[v is None for v in t["y"]] for t in output[1]]


def test_global_best_and_worst_are_drawn_at_every_iteration(finished: Evidence) -> None:
    curves = {trace["name"]: trace["y"] for trace in utility_curves(finished.states)["data"]}
    bests = [state.global_best for state in finished.states]
    assert curves["global best"] == [round(best.utility, 5) for best in bests if best is not None]
    assert len(curves["global worst"]) == len(finished.states)


def test_the_map_shows_every_evaluated_position_and_ends_at_the_global_best(finished: Evidence) -> None:
    traces = {trace.get("name"): trace for trace in trajectories(finished.states, finished.names)["data"]}
    best = finished.best
    assert best is not None
    assert len(traces["position"]["x"]) == sum(sum(state.to_evaluate) for state in finished.states)
    assert traces["expert"]["text"] == list(finished.names)
    assert traces["global best, to its end"]["customdata"][-1][:2] == [best.particle, best.iteration]
    assert traces["global best, to its end"]["marker"]["symbol"][-1] == "star"


def test_two_experts_are_mapped_over_the_iterations(tmp_path: Any) -> None:
    run = MadeUpRun(tmp_path, Parameters(particles=4), names=("one", "two"), examples=20)
    run.search(3)
    evidence = read_evidence(run.records, run.name)
    run.records.close()
    figure = trajectories(evidence.states, evidence.names)
    assert figure["layout"]["yaxis"]["title"]["text"] == "iteration"
    position = next(trace for trace in figure["data"] if trace.get("name") == "position")
    assert set(position["y"]) == {0.0, 1.0, 2.0, 3.0}


@pytest.mark.parametrize(
    ("points", "sides"),
    [
        ([(0.0, 0.0), (1.0, 0.1)], ["middle left", "middle right"]),
        ([(0.0, 0.0), (0.1, 1.0)], ["bottom center", "top center"]),
    ],
)
def test_a_name_stands_off_the_nearest_expert(points: list[tuple[float, float]], sides: list[str]) -> None:
    assert label_sides(points) == sides


def test_a_name_is_no_markup_to_plotly() -> None:
    assert label('<b>bold</b>\n & "all"') == "&lt;b&gt;bold&lt;/b&gt; &amp; &quot;all&quot;"
