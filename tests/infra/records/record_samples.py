"""What the tests of the records save, and the processes they start."""

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from infra.records.request_texts import GroupRequests
from infra.records.store import Records
from infra.records.values import EvaluationRecord, RunRecord

CHILD = Path(__file__).with_name("record_child.py")
START = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
CONFIG: dict[str, Any] = {"search": {"particles": 4, "inertia": 0.2}, "experts": ["a", "b"]}
REQUESTS = (
    (["Generate", {"prompt": "\0\N{SNOWMAN} 1+1=\r\n", "stop": []}], ["Generate", {"prompt": "2+2=", "stop": ["\n"]}]),
    (["LogLikelihood", {"prompt": "2+2=", "continuations": [" 4", " 5"]}],),
)
IDENTITY = {"base model": "1" * 64, "engine": "2" * 64}


class Clock:
    """A clock that goes on by one second each time it is read."""

    def __init__(self) -> None:
        self.reads = 0

    def __call__(self) -> datetime:
        self.reads += 1
        return START + timedelta(seconds=self.reads - 1)


def start(records: Records, name: str = "first") -> RunRecord:
    """Start (or continue) the run that most tests use."""
    return records.start_run(name, "model_swarms", CONFIG, IDENTITY, 7)


def group(key: str, size: int = 2, utility: float = 0.1) -> tuple[EvaluationRecord, ...]:
    """Return the evaluations of a group."""
    recipe = {"bases": ["a", "b"], "coefficients": [0.1, 0.9], "space": "factors"}
    return tuple(
        EvaluationRecord(key, i, recipe, utility + i, (utility + i,), (0.0, 1 / 3), ("A", ""), ("x\ny", "z"))
        for i in range(size)
    )


def save(records: Records, key: str, size: int = 2, utility: float = 0.1) -> tuple[EvaluationRecord, ...]:
    """Save a group of evaluations."""
    return records.save_evaluation_group(
        key,
        "objective",
        "dev",
        "engine",
        group(key, size, utility),
        12,
        1.5,
        requests=GroupRequests(by_task=lambda: REQUESTS),
    )


def child(task: str, *arguments: str) -> "subprocess.Popen[str]":
    """Start a process that does one of the tasks of `record_child.py`."""
    command = [sys.executable, str(CHILD), task, *arguments]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def line(process: "subprocess.Popen[str]") -> str:
    """Wait for the next line that a child writes."""
    assert process.stdout is not None
    return process.stdout.readline().strip()


def go(process: "subprocess.Popen[str]") -> None:
    """Let a waiting child go on."""
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()


def end(process: "subprocess.Popen[str]") -> int:
    """Wait for a child's end, close its pipes, return its exit status."""
    process.communicate()
    return process.returncode
