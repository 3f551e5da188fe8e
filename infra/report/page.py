"""The report of a run: one HTML file that needs nothing but a browser, and nothing from the network.

Names, outputs and messages are a user's or a model's and trusted in nothing: the templates escape every value, figures
are JSON that can't end its script element, and the page's security policy runs the two scripts that are hashed into
it and no other, and loads nothing.
"""

import base64
import hashlib
from importlib import resources
from pathlib import Path

import yaml
from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup
from plotly.offline import get_plotlyjs

from experts.files import publish_text
from infra.records.store import Records
from infra.report.best_figures import emergence_map, recipe_bars
from infra.report.chart import Json
from infra.report.emergence import Emergence, changes, emergence
from infra.report.evidence import Evidence, read_evidence
from infra.report.formats import FORMATS
from infra.report.trajectories import trajectories
from infra.report.utility_curves import utility_curves
from infra.report.verdict import verdict
from infra.report.views import changed_examples, contender_scale, contenders, scale, task_rows
from swarm.statistics import initial_rank


def write_report(records: Records, run: str, path: Path) -> None:
    """Write the report of `run`, finished or not, to `path`; a reader sees an earlier one or the whole new one.

    Raises:
        InputError: there is no such run, or `path` can't be written.

    """
    publish_text(path, render_report(read_evidence(records, run)))


def render_report(evidence: Evidence) -> str:
    """Return the report as HTML: the same text for the same evidence."""
    emerged = emergence(evidence)
    figures = _figures(evidence, emerged)
    scripts = [get_plotlyjs(), _draw_script()] if figures else []
    rows, tasks = contenders(evidence), task_rows(evidence)
    return _template("page.html").render(
        evidence=evidence,
        run=evidence.run,
        verdict=verdict(evidence),
        contenders=rows,
        scale=contender_scale(rows),
        tasks=tasks,
        task_scale=scale([value for row in tasks for value in (row.before, row.after)]),
        rank=_rank(evidence),
        emergence=emerged,
        test_changes=changes(*pair) if (pair := evidence.pair("test")) is not None else None,
        changed=changed_examples(evidence),
        config=yaml.safe_dump(evidence.run.config, sort_keys=False, allow_unicode=True),
        figures=figures,
        policy=_policy(scripts),
        scripts=[Markup(script) for script in scripts],  # trusted: plotly.js and ours
    )


def _figures(evidence: Evidence, emerged: Emergence | None) -> dict[str, Json]:
    """Return name of the page's element → its figure; none before iteration 0 is finished."""
    states, names, best = evidence.states, evidence.names, evidence.best
    if best is None:
        return {}
    figures = {
        "utility-curves": utility_curves(states),
        "trajectories": trajectories(states, names),
        "recipe": recipe_bars(names, best.coefficients.tolist(), states[0].utilities[: len(names)]),
    }
    return figures if emerged is None else figures | {"emergence": emergence_map(emerged, states[-1].iteration)}


def _rank(evidence: Evidence) -> int | None:
    best = evidence.best
    return None if best is None else initial_rank(evidence.states[0].utilities, best.particle)


def _template(name: str) -> Template:
    templates = Environment(
        loader=PackageLoader("infra.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.filters.update(FORMATS)
    return templates.get_template(name)


def _draw_script() -> str:
    return resources.files("infra.report").joinpath("templates/draw.js").read_text(encoding="utf-8")


def _policy(scripts: list[str]) -> str:
    """Return the page's content security policy: these scripts and the page's own styles, nothing from elsewhere."""
    hashes = [base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts]
    allowed = " ".join(f"'sha256-{value}'" for value in hashes) or "'none'"
    return (
        f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; img-src data: blob:; "
        "base-uri 'none'; form-action 'none'"
    )
