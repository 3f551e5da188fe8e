"""Print results on stdout and everything else on stderr, so that `--json` leaves one document on stdout."""

import json
import sys
from collections.abc import Iterable, Sequence
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from infra.observing.views import Table as TableView

out = Console(highlight=False, width=None if sys.stdout.isatty() else 1000)
"""For results; piped ones are never cut to a terminal's width."""
err = Console(stderr=True, highlight=False)
"""For progress, hints and errors."""


def print_json(value: Any) -> None:
    """Print `value` as one JSON document."""
    sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def table(columns: Sequence[str], rows: Iterable[Sequence[Any]], title: str | None = None) -> Table:
    """Return a table for a terminal; numbers are written with four decimals, None as a dash."""
    result = Table(
        *map(escape, columns),
        title=None if title is None else escape(title),
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
    return f"{value:.4f}" if isinstance(value, float) else escape(str(value))


def print_table(view: TableView) -> None:
    """Print a table with its heading; one without rows is its heading alone."""
    if view.heading:
        out.print(view.heading, soft_wrap=True, markup=False)
    if view.rows or not view.heading:
        out.print(table(view.columns, view.rows))


def one_line(message: str) -> str:
    """Return `message` with control characters written out: it may quote a file, which could move the cursor."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in message)
