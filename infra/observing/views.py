"""What is shown of an iteration, of the best so far and of a summary, whatever the algorithm."""

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


@dataclass(frozen=True)
class Table:
    """A table as people read it: a line above it ("" for none), its columns, and its rows of cells."""

    heading: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]


@dataclass(frozen=True)
class BestSoFar:
    """The best that a search has found.

    Attributes:
        utility: on the dev split.
        iteration: in which it was found.
        finder: who it is or who found it, for people: "particle 3".
        recipe: what it is made of, in one line; None where a line can't say it.
        record: all of it as JSON, with `utility` and `iteration`.

    """

    utility: float
    iteration: int
    finder: str
    recipe: str | None
    record: Mapping[str, object]


@dataclass(frozen=True)
class SummaryText:
    """How a finished run's summary is printed.

    Attributes:
        before: what the starting best is called: "best expert", "start".
        result: what was found, in a line or more.
        kind: what lies in the run's folder `best`: "adapter", "model", "system".

    """

    before: str
    result: str
    kind: str
