"""The table of data files that `swarm data` commands print."""

from pathlib import Path
from typing import Any

from data.summary import DataSummary, ListedFile

COLUMNS = ("file", "data set", "kind", "dev", "test", "overlap", "invalid", "SHA-256")


def listed_row(file: ListedFile) -> tuple[Any, ...]:
    """Return the row of a file of a folder; one that can't be read has its name alone."""
    cells = [None] * (len(COLUMNS) - 1) if file.summary is None else summary_row(file.summary)[1:]
    return (Path(file.path).name, *cells)


def summary_row(summary: DataSummary) -> tuple[Any, ...]:
    """Return the row of a file that was read."""
    sizes = [summary.examples[split] for split in ("dev", "test")]
    findings = (summary.overlap, len(summary.invalid))
    return (summary.path, summary.dataset, summary.kind, *sizes, *findings, summary.sha256[:12])
