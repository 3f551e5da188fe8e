"""The global best as figures: what it is made of, and what it solves that no initial expert did."""

from collections.abc import Sequence

from infra.report.chart import (
    BEST,
    GRID,
    INK,
    MUTED,
    SHARE_SCALE,
    WORST,
    Json,
    axis,
    color_bar,
    figure,
    label,
    round_values,
    whole_numbers,
)
from infra.report.formats import coefficient, utility
from infra.searches.model_swarms.report.emergence import Emergence


def recipe_bars(names: Sequence[str], coefficients: Sequence[float], alone: Sequence[float | None]) -> Json:
    """Draw a recipe's coefficients, the first expert on top; `alone` are the experts' own utilities on dev."""
    bars = {
        "type": "bar",
        "orientation": "h",
        "x": round_values(coefficients),
        "y": list(range(len(names))),
        "text": [coefficient(value) for value in coefficients],
        "textposition": "outside",
        "cliponaxis": False,
        "marker": {"color": [BEST if value >= 0 else WORST for value in coefficients]},
        "customdata": [[label(name), utility(value)] for name, value in zip(names, alone, strict=True)],
        "hovertemplate": "%{customdata[0]}: %{text}<br>alone: utility %{customdata[1]} on dev<extra></extra>",
    }
    yaxis = axis(
        "",
        autorange="reversed",
        tickmode="array",
        tickvals=bars["y"],
        ticktext=[label(name) for name in names],
        tickfont={"size": 13, "color": INK},
        showgrid=False,
    )
    low, high = min(0.0, *coefficients), max(0.0, *coefficients)
    room = 0.2 * (high - low)
    xaxis = axis(
        "coefficient (the sum of all is 1)",
        zeroline=True,
        zerolinecolor=MUTED,
        range=[low - room if low < 0 else 0, high + room],
    )
    return figure([bars], xaxis, yaxis, height=110 + 38 * len(names), bargap=0.4, showlegend=False)


def emergence_map(emergence: Emergence, last: int) -> Json:
    """Draw, over iterations 0 … `last`, what the global best and the personal bests newly solve."""
    iterations = list(range(last + 1))
    line = {
        "type": "scatter",
        "mode": "lines",
        "x": iterations,
        "y": round_values([100 * share for share in emergence.global_best]),
        "line": {"color": BEST, "width": 3, "shape": "hv"},
        "hovertemplate": "iteration %{x}: the global best solves %{y:.0f} %<extra></extra>",
        "yaxis": "y2",
    }
    cells = {
        "type": "heatmap",
        "x": iterations,
        "y": list(range(len(emergence.examples))),
        "z": [round_values([100 * share for share in row]) for row in emergence.shares.tolist()],
        "customdata": [[number + 1] * len(iterations) for number in emergence.examples],
        "zmin": 0,
        "zmax": 100,
        "colorscale": SHARE_SCALE,
        "colorbar": color_bar("% of personal bests", len=0.6, y=0.3),
        "hovertemplate": "example %{customdata}, iteration %{x}<br>solved by %{z:.0f} % of the personal bests"
        "<extra></extra>",
    }
    rows = axis(
        f"{len(emergence.examples)} examples",
        autorange="reversed",
        showticklabels=False,
        ticks="",
        showgrid=False,
        domain=[0, 0.62],
    )
    share = axis("solved by g (%)", rangemode="tozero", domain=[0.7, 1], gridcolor=GRID)
    return figure(
        [cells, line],
        whole_numbers("iteration", last),
        rows,
        height=480,
        yaxis2=share,
        showlegend=False,
    )
