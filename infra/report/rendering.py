"""Make one HTML file from a template and figures; it needs nothing but a browser, and nothing from the network.

Names, outputs and messages are a user's or a model's and trusted in nothing: the templates escape every value, figures
are JSON that can't end its script element, and the page's security policy runs the two scripts that are hashed into
it and no other, and loads nothing.
"""

import base64
import hashlib
from importlib import resources
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup
from plotly.offline import get_plotlyjs

from infra.report.chart import Json
from infra.report.formats import FORMATS


def render_page(template: str, figures: dict[str, Json], **values: Any) -> str:
    """Return the page of `template` with `values`; `figures` are drawn in the elements of their names."""
    scripts = [get_plotlyjs(), _draw_script()] if figures else []
    return _template(template).render(
        figures=figures,
        policy=_policy(scripts),
        scripts=[Markup(script) for script in scripts],  # trusted: plotly.js and ours
        **values,
    )


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
    sources = " ".join(f"'sha256-{value}'" for value in hashes) or "'none'"
    return (
        f"default-src 'none'; script-src {sources}; style-src 'unsafe-inline'; img-src data: blob:; "
        "base-uri 'none'; form-action 'none'"
    )
