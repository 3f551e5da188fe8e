"""The utility curve as a small SVG: light enough to be sent to a Prefect server after every iteration."""

import base64
from collections.abc import Sequence

from infra.observing.views import IterationView

WIDTH, HEIGHT = 720, 300
_LEFT, _RIGHT, _TOP, _BOTTOM = 56, 12, 14, 34
_PARTICLES, _BEST = "#9aa7b5", "#0b6bcb"


def utility_curve_svg(views: Sequence[IterationView]) -> str:
    """Draw every particle's utility (grey) and the global best's (blue) over the iterations."""
    points = [(v.iteration, [u for u in v.utilities if u is not None], v.best) for v in views]
    values = [u for _, utilities, _ in points for u in utilities] or [0.0, 1.0]
    low, high = min(values), max(values)
    margin = (high - low) * 0.08 or 0.05
    scale = _Scale(max(1, views[-1].iteration), low - margin, high + margin)
    dots = "".join(
        f'<circle cx="{scale.x(iteration):.1f}" cy="{scale.y(utility):.1f}" r="2.4" fill="{_PARTICLES}"/>'
        for iteration, utilities, _ in points
        for utility in utilities
    )
    best = " ".join(f"{scale.x(i):.1f},{scale.y(g):.1f}" for i, _, g in points if g is not None)
    line = f'<polyline points="{best}" fill="none" stroke="{_BEST}" stroke-width="2.5"/>'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" '
        f'font-size="12"><rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>{scale.axes()}{dots}{line}</svg>'
    )


def data_uri(svg: str) -> str:
    """Return `svg` as a data URI, for an image in Markdown."""
    return "data:image/svg+xml;base64," + base64.b64encode(svg.encode()).decode()


class _Scale:
    def __init__(self, last: int, low: float, high: float) -> None:
        self.last, self.low, self.high = last, low, high

    def x(self, iteration: float) -> float:
        return _LEFT + iteration / self.last * (WIDTH - _LEFT - _RIGHT)

    def y(self, utility: float) -> float:
        return HEIGHT - _BOTTOM - (utility - self.low) / (self.high - self.low) * (HEIGHT - _TOP - _BOTTOM)

    def axes(self) -> str:
        rows = [self.low + (self.high - self.low) * k / 4 for k in range(5)]
        lines = "".join(
            f'<line x1="{_LEFT}" x2="{WIDTH - _RIGHT}" y1="{self.y(v):.1f}" y2="{self.y(v):.1f}" stroke="#e4e8ec"/>'
            f'<text x="{_LEFT - 8}" y="{self.y(v) + 4:.1f}" text-anchor="end" fill="#556">{v:.2f}</text>'
            for v in rows
        )
        step = max(1, self.last // 8)
        ticks = "".join(
            f'<text x="{self.x(i):.1f}" y="{HEIGHT - 14}" text-anchor="middle" fill="#556">{i}</text>'
            for i in range(0, self.last + 1, step)
        )
        return lines + ticks
