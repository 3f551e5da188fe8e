"""`swarm data check`."""

from pathlib import Path
from typing import Annotated

import typer

from cli.data.rows import COLUMNS, summary_row
from cli.terminal.console import err, out, print_json, table
from cli.terminal.options import AsJson
from data.fields import placeholders_of
from data.summary import DataSummary, check_data
from swarm.errors import InputError


def check(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Data files (.json, .jsonl).")],
    as_json: AsJson = False,
) -> None:
    """Check every example of data files; ends with code 2 if a run would refuse one of them."""
    summaries = [check_data(file) for file in files]
    if as_json:
        print_json([summary.to_json() for summary in summaries])
    else:
        out.print(table(COLUMNS, map(summary_row, summaries)))
        _print_findings(summaries)
    problem = next(filter(None, map(_problem, summaries)), None)
    if problem is not None:
        raise InputError(problem)


def _print_findings(summaries: list[DataSummary]) -> None:
    for summary in summaries:
        for entry in summary.invalid:
            out.print(f"{summary.path}: {entry.split}[{entry.index}].{entry.reason}", soft_wrap=True)
        for note in _notes(summary):
            err.print(f"{summary.path}: {note}", soft_wrap=True)


def _notes(summary: DataSummary) -> list[str]:
    """Return what a person should know though a run accepts it (overlap: where its config allows it)."""
    notes = [f"{count} {split} questions are repeated" for split, count in summary.repeated.items() if count]
    if summary.overlap:
        notes.append(f"{summary.overlap} test questions are dev questions too: a run needs allow_overlap: true")
    if summary.unread:
        subject, verb = ("the fields", "reach") if len(summary.unread) > 1 else ("the field", "reaches")
        notes.append(
            f"{subject} {', '.join(summary.unread)} of its examples {verb} neither prompt nor score: put "
            f"{placeholders_of(summary.unread)} into the task's template, if the models are to read it"
        )
    return notes


def _problem(summary: DataSummary) -> str | None:
    if summary.invalid:
        first = summary.invalid[0]
        position = f"{first.split}[{first.index}]"
        return (
            f"{summary.path}: {len(summary.invalid)} invalid examples, the first is {position}: correct or remove them"
        )
    empty = [split for split, count in summary.examples.items() if not count]
    return f"{summary.path}: the {empty[0]} split has no examples: add some" if empty else None
