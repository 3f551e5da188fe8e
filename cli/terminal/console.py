"""Print results on stdout and everything else on stderr, so that `--json` leaves one document on stdout."""

import json
import sys
from collections.abc import Iterable, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from infra.observing.views import Table as TableView
from swarm.names import printable


class _PlainConsole(Console):
    """A console that printed texts (names, answers) can't command, by control characters or by markup."""

    def print(self, *objects: Any, **options: Any) -> None:
        super().print(*(visible(item) if isinstance(item, str) else item for item in objects), **options)


def visible(text: str) -> str:
    """Return `text` with what a terminal would take for a command written out; line breaks and tabs stay."""
    return printable(text, kept="\n\t")


out = _PlainConsole(highlight=False, markup=False, width=None if sys.stdout.isatty() else 1000)
"""For results; piped ones are never cut to a terminal's width."""
err = _PlainConsole(stderr=True, highlight=False, markup=False)
"""For progress, hints and errors."""


def print_json(value: Any) -> None:
    """Print `value` as one JSON document."""
    sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def table(columns: Sequence[str], rows: Iterable[Sequence[Any]], title: str | None = None) -> Table:
    """Return a table for a terminal; numbers are written with four decimals, None as a dash."""
    result = Table(
        *map(visible, columns),
        title=None if title is None else visible(title),
        title_justify="left",
        header_style="bold",
        box=None,
        pad_edge=False,
    )
    for row in rows:
        result.add_row(*map(text, row))
    return result


def text(value: Any) -> str:
    """Return `value` as a table cell."""
    if value is None:
        return "–"
    return f"{value:.4f}" if isinstance(value, float) else visible(str(value))


def print_table(view: TableView) -> None:
    """Print a table with its heading; one without rows is its heading alone."""
    if view.heading:
        out.print(view.heading, soft_wrap=True)
    if view.rows or not view.heading:
        out.print(table(view.columns, view.rows))
