"""The search as a figure: what every particle was worth, iteration by iteration."""

from collections.abc import Sequence

from infra.report.chart import BEST, MUTED, WINNER, WORST, Json, axis, figure, round_values, whole_numbers
from swarm.state import State


def utility_curves(states: Sequence[State]) -> Json:
    """Draw every particle's utility with its gaps, the global best g and the global worst w over the iterations."""
    last = states[-1]
    assert last.global_best is not None
    others = [i for i in range(len(last.positions)) if i != last.global_best.particle]
    traces = [_particle(states, i, MUTED, legend=i == others[0]) for i in others]
    traces.append(_particle(states, last.global_best.particle, WINNER, legend=True))
    iterations = [state.iteration for state in states]
    for name, attribute, color, dash in (
        ("global worst", "global_worst", WORST, "dot"),
        ("global best", "global_best", BEST, "solid"),
    ):
        extremes = [getattr(state, attribute) for state in states]
        traces.append(
            {
                "type": "scatter",
                "mode": "lines",
                "name": name,
                "x": iterations,
                "y": round_values([extreme.utility for extreme in extremes]),
                "customdata": [[extreme.particle, extreme.iteration] for extreme in extremes],
                "line": {"color": color, "width": 3, "dash": dash, "shape": "hv"},
                "hovertemplate": f"{name}: %{{y:.3f}}<br>particle %{{customdata[0]}}, iteration %{{customdata[1]}}"
                "<extra></extra>",
            }
        )
    return figure(traces, whole_numbers("iteration", last.iteration), axis("utility on dev"), height=440)


def _particle(states: Sequence[State], particle: int, color: str, legend: bool) -> Json:
    winner = color == WINNER
    utilities = [state.utilities[particle] if state.to_evaluate[particle] else None for state in states]
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "name": f"particle {particle}, which found it" if winner else "the other particles",
        "legendgroup": "winner" if winner else "others",
        "showlegend": legend,
        "x": [state.iteration for state in states],
        "y": round_values(utilities),
        "connectgaps": False,
        "opacity": 1 if winner else 0.45,
        "line": {"color": color, "width": 2 if winner else 1},
        "marker": {"color": color, "size": 6 if winner else 4},
        "customdata": ["restarted" if state.restarted[particle] else "" for state in states],
        "hovertemplate": f"particle {particle}, iteration %{{x}}: %{{y:.3f}}<br>%{{customdata}}<extra></extra>",
    }
