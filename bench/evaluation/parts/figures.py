"""A row of the table: what was measured, and what is to be reached."""

from collections.abc import Iterable
from dataclasses import dataclass

from rich.table import Table


@dataclass(frozen=True)
class Figure:
    """One measured figure.

    Attributes:
        row: what `--only` calls it.
        name: what was measured.
        value: the measured figure; None if it could not be measured here.
        unit: what stands after it.
        limit: what is to be reached; None if nothing is.
        at_least: whether the limit is the least that counts as reached, or the most.
        detail: seconds, counts and what else explains the figure; the command to run where it was not measured.

    """

    row: str
    name: str
    value: float | None
    unit: str
    limit: float | None
    at_least: bool
    detail: str

    @property
    def reached(self) -> bool | None:
        """Whether the limit is kept; None where there is none or nothing was measured."""
        if self.value is None or self.limit is None:
            return None
        return self.value >= self.limit if self.at_least else self.value <= self.limit

    @property
    def wanted(self) -> str:
        """The limit in words."""
        return "–" if self.limit is None else f"{'≥' if self.at_least else '≤'} {self.limit:g}{self.unit}"

    @property
    def measured(self) -> str:
        """The value in words."""
        if self.value is None:
            return "not measured"
        return f"{self.value:.{0 if self.value >= 100 else 2}f}{self.unit}"


def at_least(row: str, name: str, value: float | None, unit: str, limit: float | None, detail: str) -> Figure:
    """Return a figure of which more is better."""
    return Figure(row, name, value, unit, limit, True, detail)


def at_most(row: str, name: str, value: float | None, unit: str, limit: float | None, detail: str) -> Figure:
    """Return a figure of which less is better."""
    return Figure(row, name, value, unit, limit, False, detail)


def table(figures: Iterable[Figure], title: str) -> Table:
    """Return the table of all figures."""
    made = Table("figure", "measured", "reach", "", title=title, title_justify="left")
    marks = {True: "reached", False: "missed", None: ""}
    for figure in figures:
        made.add_row(figure.name, figure.measured, figure.wanted, marks[figure.reached])
    return made
