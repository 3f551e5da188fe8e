"""Collaborative gain by bucket: what a system solves of the problems that so many of its models solve alone."""

from collections.abc import Mapping, Sequence
from typing import Any

from infra.report.chart import BEST, INK, WORST, Json, axis, figure, round_values


def c_gain_figure(gain: Mapping[str, Any]) -> Json:
    """Draw the accuracy in every bucket, with its 95 % interval, beside what one of its models would be expected to do.

    `gain` is the summary's `c_gain`: `swarm.c_gain.CollaborativeGain` as JSON.
    """
    buckets, models = gain["buckets"], gain["models"]
    labels = [f"{bucket['models']} of {models}<br>{_problems(bucket['examples'])}" for bucket in buckets]
    accuracy = [bucket["accuracy"] for bucket in buckets]
    expectations = [bucket["expectation"] for bucket in buckets]
    return figure(
        [_bars(labels, accuracy, buckets), _expectation(labels, expectations)],
        axis("models that solve the problem alone", type="category", showgrid=False),
        axis("share solved", range=[-0.02, 1.05], tickformat=".0%"),
        height=400,
        bargap=0.45,
        barcornerradius=3,
    )


def _bars(labels: Sequence[str], accuracy: Sequence[float], buckets: Sequence[Mapping[str, Any]]) -> Json:
    """Return the bars; the interval is that of the gain, moved to the accuracy."""
    high = [bucket["gain"]["high"] - bucket["gain"]["mean"] for bucket in buckets]
    low = [bucket["gain"]["mean"] - bucket["gain"]["low"] for bucket in buckets]
    return {
        "type": "bar",
        "name": "the system",
        "x": list(labels),
        "y": round_values(accuracy),
        "marker": {"color": BEST},
        "error_y": {
            "type": "data",
            "symmetric": False,
            "array": round_values(high),
            "arrayminus": round_values(low),
            "color": INK,
            "thickness": 1.5,
            "width": 5,
        },
        "hovertemplate": "the system solves %{y:.0%}<extra></extra>",
    }


def _expectation(labels: Sequence[str], expectations: Sequence[float]) -> Json:
    return {
        "type": "scatter",
        "mode": "markers",
        "name": "one of its models, drawn at random",
        "x": list(labels),
        "y": round_values(expectations),
        "marker": {"symbol": "line-ew", "size": 46, "line": {"color": WORST, "width": 3.5}, "color": WORST},
        "hovertemplate": "a model drawn at random solves %{y:.0%}<extra></extra>",
    }


def _problems(count: int) -> str:
    return f"{count} problem{'s' * (count != 1)}"
