"""The search as a map: the particles' way through the space of recipes."""

import math
from collections.abc import Sequence

import numpy as np

from infra.report.chart import (
    BEST,
    INK,
    MUTED,
    SURFACE,
    UTILITY_SCALE,
    Json,
    axis,
    color_bar,
    figure,
    label,
    round_values,
    whole_numbers,
)
from infra.searches.model_swarms.report.projection import Projection, principal_components
from swarm.arrays import Floats
from swarm.state import State


def trajectories(states: Sequence[State], names: Sequence[str]) -> Json:
    """Draw the positions of all iterations on their two principal components; of two experts, over the iterations.

    Experts are named diamonds, the global best's way is a line that ends in a star, colour is utility.
    """
    every = np.concatenate([state.positions for state in states])
    projection = principal_components(every)
    map_point = _MapPoint(projection)
    traces = [_ways(states, map_point), _unevaluated_points(states, map_point), _evaluated_points(states, map_point)]
    traces += [_experts(names, map_point), _best_way(states, map_point)]
    titles = [f"principal component {k + 1} ({share:.0%} of the variance)" for k, share in enumerate(projection.shares)]
    iterations = whole_numbers("iteration", states[-1].iteration)
    across = axis(titles[0], range=_with_room(projection(every)[:, 0]))
    return figure(traces, across, iterations if projection.is_flat else axis(titles[1], scaleanchor="x"), height=600)


def _with_room(values: Floats) -> list[float]:
    """Return the span of `values` with room for the experts' names at its ends."""
    low, high = float(values.min()), float(values.max())
    room = 0.2 * (high - low) or 1.0
    return [low - room, high + room]


class _MapPoint:
    """Where coefficients are on the map; a flat one spends its height on the iterations."""

    def __init__(self, projection: Projection) -> None:
        self._projection = projection

    def __call__(self, coefficients: Floats, iteration: int) -> tuple[float, float]:
        x, y = self._projection(coefficients).tolist()
        return round(x, 5), float(iteration) if self._projection.is_flat else round(y, 5)


def _xy(points: Sequence[tuple[float, float] | None]) -> Json:
    return {"x": [p and p[0] for p in points], "y": [p and p[1] for p in points]}


def _ways(states: Sequence[State], map_point: _MapPoint) -> Json:
    points: list[tuple[float, float] | None] = []
    for particle in range(len(states[0].positions)):
        points += [map_point(state.positions[particle], state.iteration) for state in states]
        points.append(None)
    return {
        "type": "scatter",
        "mode": "lines",
        **_xy(points),
        "line": {"color": MUTED, "width": 1},
        "opacity": 0.3,
        "hoverinfo": "skip",
        "showlegend": False,
    }


def _points(states: Sequence[State], map_point: _MapPoint, is_evaluated: bool) -> tuple[Json, list[float | None]]:
    pairs = [(s, i) for s in states for i, flag in enumerate(s.to_evaluate) if flag is is_evaluated]
    trace = {
        "type": "scatter",
        "mode": "markers",
        **_xy([map_point(state.positions[i], state.iteration) for state, i in pairs]),
        "customdata": [[i, state.iteration] for state, i in pairs],
    }
    return trace, round_values([state.utilities[i] for state, i in pairs])


def _evaluated_points(states: Sequence[State], map_point: _MapPoint) -> Json:
    trace, utilities = _points(states, map_point, is_evaluated=True)
    bar = color_bar("utility on dev", orientation="h", len=0.5, y=-0.14, yanchor="top")
    return trace | {
        "name": "position",
        "showlegend": False,
        "marker": {
            "size": 7,
            "opacity": 0.8,
            "color": utilities,
            "colorscale": UTILITY_SCALE,
            "showscale": True,
            "colorbar": bar,
        },
        "hovertemplate": "particle %{customdata[0]}, iteration %{customdata[1]}<br>utility %{marker.color:.3f}"
        "<extra></extra>",
    }


def _unevaluated_points(states: Sequence[State], map_point: _MapPoint) -> Json:
    trace, _ = _points(states, map_point, is_evaluated=False)
    return trace | {
        "name": "not evaluated",
        "showlegend": bool(trace["x"]),
        "marker": {"size": 6, "color": "rgba(0,0,0,0)", "line": {"color": MUTED, "width": 1}},
        "hovertemplate": "particle %{customdata[0]}, iteration %{customdata[1]}<br>not evaluated<extra></extra>",
    }


def _experts(names: Sequence[str], map_point: _MapPoint) -> Json:
    labels = [label(name) for name in names]
    points = [map_point(row, 0) for row in np.eye(len(names))]
    return {
        "type": "scatter",
        "mode": "markers+text",
        "name": "expert",
        **_xy(points),
        "text": labels,
        "textposition": label_sides(points),
        "textfont": {"color": INK, "size": 13},
        "marker": {"symbol": "diamond", "size": 12, "color": SURFACE, "line": {"color": INK, "width": 2}},
        "hovertemplate": "expert %{text}<extra></extra>",
        "cliponaxis": False,
    }


def label_sides(points: Sequence[tuple[float, float]]) -> list[str]:
    """Return the side of each of at least 2 points on which its label has the most room: off its nearest neighbour."""
    sides = []
    for k, (x, y) in enumerate(points):
        others = [point for j, point in enumerate(points) if j != k]
        near = min(others, key=lambda other: math.dist(other, (x, y)))
        dx, dy = x - near[0], y - near[1]
        level = abs(dx) >= abs(dy)
        sides.append(
            ("middle right" if dx > 0 else "middle left") if level else ("top center" if dy > 0 else "bottom center")
        )
    return sides


def _best_way(states: Sequence[State], map_point: _MapPoint) -> Json:
    by_iteration = {s.global_best.iteration: s.global_best for s in states if s.global_best is not None}
    bests = list(by_iteration.values())
    size = [7] * (len(bests) - 1) + [22]
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "name": "global best, to its end",
        **_xy([map_point(best.coefficients, best.iteration) for best in bests]),
        "customdata": [[best.particle, best.iteration, round(best.utility, 5)] for best in bests],
        "line": {"color": BEST, "width": 2},
        "marker": {
            "symbol": ["circle"] * (len(bests) - 1) + ["star"],
            "size": size,
            "color": BEST,
            "line": {"color": SURFACE, "width": 1.5},
        },
        "hovertemplate": "global best of iteration %{customdata[1]}<br>particle %{customdata[0]}, "
        "utility %{customdata[2]:.3f}<extra></extra>",
    }
