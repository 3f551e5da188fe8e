"""The report of a run: one HTML file that needs nothing but a browser, and nothing from the network.

`infra.report.rendering` says what keeps it safe to open.
"""

from collections.abc import Sequence

import yaml

from infra.report.asked_examples import AskedExample
from infra.report.chart import Json
from infra.report.contenders import contender_scale, scale
from infra.report.rendering import render_page
from infra.searches.model_swarms.report.best_figures import emergence_map, recipe_bars
from infra.searches.model_swarms.report.emergence import Emergence, changes, emergence
from infra.searches.model_swarms.report.evidence import Evidence
from infra.searches.model_swarms.report.previous import previous_sentence
from infra.searches.model_swarms.report.tables import changed_examples, contenders, task_rows
from infra.searches.model_swarms.report.trajectories import trajectories
from infra.searches.model_swarms.report.utility_curves import utility_curves
from infra.searches.model_swarms.report.verdict import verdict
from swarm.statistics import initial_rank


def render_report(evidence: Evidence, asked_examples: Sequence[AskedExample] = ()) -> str:
    """Return the report as HTML, with `asked_examples`; the same evidence gives the same text."""
    emergence_on_dev = emergence(evidence)
    figures = _figures(evidence, emergence_on_dev)
    rows, tasks = contenders(evidence), task_rows(evidence)
    return render_page(
        "page.html",
        figures,
        evidence=evidence,
        run=evidence.run,
        verdict=verdict(evidence),
        previous=previous_sentence(evidence),
        contenders=rows,
        scale=contender_scale(rows),
        tasks=tasks,
        task_scale=scale([value for row in tasks for value in (row.before, row.after)]),
        rank=_rank(evidence),
        emergence=emergence_on_dev,
        test_changes=changes(*pair) if (pair := evidence.pair("test")) is not None else None,
        changed_examples=changed_examples(evidence),
        asked_examples=asked_examples,
        config=yaml.safe_dump(evidence.run.config, sort_keys=False, allow_unicode=True),
    )


def _figures(evidence: Evidence, emergence_on_dev: Emergence | None) -> dict[str, Json]:
    """Return name of the page's element → its figure; none before iteration 0 is finished."""
    states, names, best = evidence.states, evidence.names, evidence.best
    if best is None:
        return {}
    figures = {
        "utility-curves": utility_curves(states),
        "trajectories": trajectories(states, names),
        "recipe": recipe_bars(names, best.coefficients.tolist(), states[0].utilities[: len(names)]),
    }
    return (
        figures
        if emergence_on_dev is None
        else figures | {"emergence": emergence_map(emergence_on_dev, states[-1].iteration)}
    )


def _rank(evidence: Evidence) -> int | None:
    best = evidence.best
    return None if best is None else initial_rank(evidence.states[0].utilities, best.particle)
