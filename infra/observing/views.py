"""The view of an iteration that people and trackers get, for every algorithm."""

from collections.abc import Mapping
from dataclasses import dataclass, field

Cell = str | float | int | bool | None


@dataclass(frozen=True)
class IterationView:
    """An iteration as people see it.

    Attributes:
        iteration: its number; the first is 0.
        iterations: the most that the search makes.
        utilities: of what was evaluated in it; None for what was left out.
        best: the best utility so far; None before there is one.
        best_is: whose that is.
        stale: evaluated iterations since it last became better.
        patience: the search ends after so many; None if it does not end so.
        columns: of the table of what was evaluated.
        rows: its cells.
        figures: what else is worth a chart over the iterations, by name.

    """

    iteration: int
    iterations: int
    utilities: tuple[float | None, ...]
    best: float | None
    best_is: str
    stale: int
    patience: int | None
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    figures: Mapping[str, float] = field(default_factory=dict)

    @property
    def headline(self) -> str:
        """The iteration in one line."""
        best = f"{self.best:.4f} ({self.best_is})" if self.best is not None else "–"
        utilities = [utility for utility in self.utilities if utility is not None]
        mean = f", mean {sum(utilities) / len(utilities):.4f}" if utilities else ""
        stale = f", {self.stale}/{self.patience} without improvement" if self.patience is not None else ""
        return f"iteration {self.iteration}/{self.iterations}: global best {best}{mean}{stale}"
