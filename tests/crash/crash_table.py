"""What the kills came to, for people and for programs."""

import os
import platform
from collections import Counter
from collections.abc import Sequence
from typing import Any

import prefect
import torch
from rich.console import Console
from rich.table import Table

from tests.crash.crash_plan import SIGNALS
from tests.crash.crash_records import Ending
from tests.crash.crash_trials import Verdict


def print_table(verdicts: Sequence[Verdict], seconds: float, total: float) -> None:
    """Print the trials by kind, the kills by place, the machine, and the verdict in one line."""
    console = Console(width=120, highlight=False)
    console.print(_kinds(verdicts))
    console.print(_places(verdicts))
    for verdict in verdicts:
        if verdict.problems:
            console.print(f"trial {verdict.trial}: {'; '.join(verdict.problems)}", soft_wrap=True)
    console.print(f"an uninterrupted run takes {seconds:.1f} s; everything took {total:.0f} s")
    console.print(
        f"machine: {platform.machine()}, {os.cpu_count()} cores, {platform.system()} {platform.release()}, "
        f"Python {platform.python_version()}, torch {torch.__version__}, Prefect {prefect.__version__}"
    )
    console.print(_sentence(verdicts), soft_wrap=True)


def as_json(expected: Ending, seconds: float, verdicts: Sequence[Verdict]) -> dict[str, Any]:
    """Return everything as one JSON document."""
    return {
        "uninterrupted": {"state": expected.state, "adapter": expected.adapter, "groups": len(expected.groups)},
        "uninterrupted_seconds": seconds,
        "trials": [
            {
                "number": verdict.trial.number,
                "kind": verdict.trial.kind,
                "moments": list(verdict.trial.moments),
                "resumed_by": "swarm resume" if verdict.trial.by_command else "flow",
                "places": list(verdict.places),
                "resumed_seconds": round(verdict.resumed_seconds, 3),
                "state": verdict.ending and verdict.ending.state,
                "adapter": verdict.ending and verdict.ending.adapter,
                "repeated": verdict.ending and verdict.ending.repeated,
                "problems": list(verdict.problems),
            }
            for verdict in verdicts
        ],
    }


def _kinds(verdicts: Sequence[Verdict]) -> Table:
    table = Table("kill", "trials", "resumed to the end", "same state and adapter", "repeated groups", box=None)
    for kind in [*SIGNALS, "all"]:
        of_kind = [verdict for verdict in verdicts if kind in (verdict.trial.kind, "all")]
        ended = [verdict.ending for verdict in of_kind if verdict.ending is not None]
        same = sum(not verdict.problems for verdict in of_kind)
        row = (len(of_kind), len(ended), same, sum(ending.repeated for ending in ended))
        table.add_row(kind, *map(str, row))
    return table


def _places(verdicts: Sequence[Verdict]) -> Table:
    table = Table("where the kills hit", "kills", box=None)
    for place, count in sorted(Counter(place for verdict in verdicts for place in verdict.places).items()):
        table.add_row(place, str(count))
    return table


def _sentence(verdicts: Sequence[Verdict]) -> str:
    failed = sum(bool(verdict.problems) for verdict in verdicts)
    if failed:
        return f"FAILED: {failed} of {len(verdicts)} killed runs did not end as an uninterrupted run does"
    late = sum(verdict.places[0] == "after the end" for verdict in verdicts)
    return (
        f"passed: {len(verdicts)} of {len(verdicts)} killed and resumed runs end with the state and adapter of an "
        "uninterrupted run, no finished evaluation was repeated, and every database is whole; "
        f"in {late} of them the kill came after the end"
    )
