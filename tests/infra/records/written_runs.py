"""Runs that processes of their own record at the same time, and what of them must be in the records."""

import subprocess
import sys
from pathlib import Path

from infra.records.store import Records
from infra.records.values import RunStatus

CHILD = Path(__file__).with_name("run_writer_child.py")
RUNS = ("one", "two")


def writers(url: str, iterations: int) -> "list[subprocess.Popen[str]]":
    """Start a process for each of `RUNS`."""
    commands = [[sys.executable, str(CHILD), url, name, str(iterations)] for name in RUNS]
    return [
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for command in commands
    ]


def assert_whole(url: str, iterations: int) -> None:
    """Assert that the records hold everything of all runs, each of it once."""
    with Records(url) as records:
        for name in RUNS:
            assert records.run(name).status is RunStatus.FINISHED
            assert records.run(name).summary == {"run": name}
            states = [record.state for record in records.iterations(name)]
            assert states == [{"of": name, "iteration": iteration} for iteration in range(iterations)]
            used = [(each.iteration, each.particle, each.evaluation.group) for each in records.run_evaluations(name)]
            assert used == [(i, particle, f"{name}-{i}") for i in range(iterations) for particle in range(4)]
        groups = records.evaluation_groups()
        assert sorted(group.key for group in groups) == sorted(f"{n}-{i}" for n in RUNS for i in range(iterations))
        assert {group.finished for group in groups} == {1}
        records.check_integrity()
