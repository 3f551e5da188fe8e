"""How a search for a system went: the utilities of its graphs and of its models, by iteration."""

from collections.abc import Sequence

from infra.report.chart import BEST, MUTED, WINNER, Json, axis, figure, round_values, whole_numbers
from swarm.heterogeneous_state import HeterogeneousState


def system_curves(states: Sequence[HeterogeneousState]) -> Json:
    """Draw each system evaluated (a dot), and the best so far (a line)."""
    graphs = [(s.iteration, value) for s in states for value in s.graphs.utilities if value is not None]
    models = [(s.iteration, trial.utility) for s in states for trial in s.trials]
    best = [(s.iteration, s.best.utility) for s in states if s.best is not None]
    traces = [
        _dots("graphs, each with its own models", graphs, MUTED, "circle", -0.09),
        _dots("the best graph, its models assigned anew", models, WINNER, "diamond", 0.09),
        {
            "type": "scatter",
            "mode": "lines+markers",
            "name": "the best system so far",
            "x": [iteration for iteration, _ in best],
            "y": round_values([value for _, value in best]),
            "line": {"color": BEST, "width": 2.5, "shape": "hv"},
            "hovertemplate": "iteration %{x}: best %{y:.4f}<extra></extra>",
        },
    ]
    return figure(traces, whole_numbers("iteration", states[-1].iteration), axis("utility on dev"), height=440)


def _dots(name: str, points: Sequence[tuple[int, float]], color: str, symbol: str, aside: float) -> Json:
    return {
        "type": "scatter",
        "mode": "markers",
        "name": name,
        "x": [iteration + aside for iteration, _ in points],
        "y": round_values([value for _, value in points]),
        "marker": {"color": color, "size": 7, "symbol": symbol, "opacity": 0.65},
        "hovertemplate": f"{name}: %{{y:.4f}}<extra></extra>",
    }
