"""What all figures share: plain JSON for plotly.js, whose colours are names that the page's style sheet defines."""

import html
from collections.abc import Sequence
from typing import Any

Json = dict[str, Any]

INK, MUTED, GRID, SURFACE = "var(--ink)", "var(--muted)", "var(--grid)", "var(--surface)"
BEST, WORST, WINNER = "var(--best)", "var(--worst)", "var(--winner)"
UTILITY_SCALE: list[list[float | str]] = [[0, "var(--low)"], [0.5, "var(--middle)"], [1, "var(--high)"]]
"""Yellow to blue with even steps of lightness: the same order to every kind of colour vision, and in grey."""
SHARE_SCALE: list[list[float | str]] = [[0, "var(--raised)"], [1, BEST]]

_DIGITS = 5


def label(text: str) -> str:
    """Return a user's text so that plotly.js shows it as it is: plotly reads a part of HTML in every text."""
    return html.escape(" ".join(text.split()))


def round_values(values: Sequence[float | None]) -> list[float | None]:
    """Return numbers as exact as a screen shows them; a gap stays one."""
    return [None if value is None else round(float(value), _DIGITS) for value in values]


def axis(title: str, **more: Any) -> Json:
    """Return an axis with a title, a thin grid and no frame."""
    return {
        "title": {"text": title, "standoff": 10, "font": {"size": 12.5, "color": MUTED}},
        "tickfont": {"size": 12, "color": MUTED},
        "gridcolor": GRID,
        "zeroline": False,
        "automargin": True,
        **more,
    }


def color_bar(title: str, **more: Any) -> Json:
    """Return the key of a colour scale."""
    font = {"size": 12, "color": MUTED}
    return {
        "title": {"text": title, "side": "right", "font": font},
        "tickfont": font,
        "thickness": 10,
        "outlinewidth": 0,
        **more,
    }


def whole_numbers(title: str, last: int) -> Json:
    """Return the axis of the iterations 0 … `last`."""
    step = max(1, -(-last // 10))
    return axis(title, range=[-0.4, last + 0.4], tick0=0, dtick=step, showgrid=False)


def figure(traces: Sequence[Json], xaxis: Json, yaxis: Json, height: int = 420, **layout: Any) -> Json:
    """Return a figure as plotly.js draws it."""
    return {
        "data": list(traces),
        "layout": {
            "xaxis": xaxis,
            "yaxis": yaxis,
            "height": height,
            "margin": {"l": 12, "r": 12, "t": 36, "b": 12},
            "font": {"family": "system-ui, sans-serif", "size": 13, "color": INK},
            "paper_bgcolor": "rgba(0,0,0,0)",
            "plot_bgcolor": "rgba(0,0,0,0)",
            "hovermode": "closest",
            "hoverlabel": {"bgcolor": SURFACE, "bordercolor": GRID, "font": {"color": INK}},
            "modebar": {"bgcolor": "rgba(0,0,0,0)", "color": MUTED, "activecolor": BEST},
            "legend": {"orientation": "h", "x": 0, "xanchor": "left", "y": 1.02, "yanchor": "bottom"},
            **layout,
        },
    }
