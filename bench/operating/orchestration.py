"""What Prefect and the records cost a search: the flow, its tasks and its database over an engine that answers at once.

python -m bench.operating.orchestration [--iterations K] [--group-size G] [--runs R] [--quick]

Each run is a process of its own (bench.operating.noop_run) with its own records, task results and Prefect database;
embedded (the flow starts a server for itself) or against a server on the loopback that runs already. Two figures are
wanted of both, and the exit code is 1 if one is missed: milliseconds a task, and memory of the flow's process that
stays flat.
"""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import typer
from rich.table import Table

from bench.machine import Quick, console, describe
from cli.runs.drive import PREFECT_DEFAULTS

ROOT = Path(__file__).resolve().parents[2]
TASK_LIMIT = 25.0
"""Milliseconds that a task may cost."""
SETTLED = 10
"""The iteration from which on memory must stay flat."""
FLAT = 0.1
"""Share by which resident memory may differ from what it was in that iteration."""
START_LIMIT = 180.0
"""Seconds that the server may take to answer."""


def environment(folder: Path, server: str | None) -> dict[str, str]:
    """Return the environment of a run below `folder`: as `swarm run` sets it, and nothing of the user's."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "SWARM_"))}
    here = {"PREFECT_HOME": str(folder / "prefect"), "SWARM_RUNS": str(folder / "runs")}
    there = {"PREFECT_API_URL": server} if server else {}
    return {**kept, **PREFECT_DEFAULTS, **here, **there, "OMP_NUM_THREADS": "1"}


@contextmanager
def prefect_server() -> Iterator[str]:
    """Run a Prefect server on the loopback with a database of its own; give its API's URL."""
    with TemporaryDirectory() as folder, socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        free.close()
        command = [sys.executable, "-m", "prefect", "server", "start", "--port", str(port)]
        quiet: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        with subprocess.Popen(command, env=environment(Path(folder), None), **quiet) as process:
            try:
                url = f"http://127.0.0.1:{port}/api"
                _wait_for(f"{url}/health", process)
                yield url
            finally:
                process.terminate()


def _wait_for(url: str, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + START_LIMIT
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"the Prefect server ended with {process.returncode}: start it by hand to see why")
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except OSError:
            time.sleep(0.5)
    raise TimeoutError(f"no Prefect server answers at {url} after {START_LIMIT:.0f} s")


def one_run(server: str | None, iterations: int, group_size: int) -> dict[str, Any]:
    """Run once in a new process; return what bench.operating.noop_run prints."""
    with TemporaryDirectory() as folder:
        place = Path(folder)
        script = [sys.executable, "-m", "bench.operating.noop_run", folder]
        sizes = ["--iterations", str(iterations), "--group-size", str(group_size)]
        done = subprocess.run(
            [*script, *sizes], cwd=ROOT, env=environment(place, server), capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise RuntimeError(f"the run failed:\n{done.stderr[-2000:]}")
        found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        return found


def milliseconds(seconds: list[float]) -> str:
    """Return the median and the least of some times."""
    return f"{1000 * median(seconds):.1f} ({1000 * min(seconds):.1f})"


def figures(runs: list[dict[str, Any]]) -> dict[str, str]:
    """Return what is printed of one kind of run: iterations of all runs together, the rest by the median run."""
    iterations = [seconds for run in runs for seconds in run["iterations"]]
    tasks = runs[0]["tasks_per_iteration"]
    processor = [run["processor"] / tasks / len(run["iterations"]) for run in runs]
    return {
        "an iteration, ms": milliseconds(iterations),
        f"a task, ms (wanted: ≤ {TASK_LIMIT:.0f})": milliseconds([seconds / tasks for seconds in iterations]),
        "of it processor time of the flow, ms": milliseconds(processor),
        "imports, s": f"{median(run['imports'] for run in runs):.1f}",
        "Prefect's start-up, s": f"{median(run['start'] for run in runs):.1f}",
        "inputs and first iteration, s": f"{median(run['first'] for run in runs):.1f}",
        "test, adapter and report, s": f"{median(run['conclusion'] for run in runs):.1f}",
        "resident memory at the end, MB": f"{max(run['resident'][-1] for run in runs) / 1e6:.0f}",
        "its growth an iteration, kB": f"{median(map(growth, runs)) / 1e3:.0f}",
        f"farthest from iteration {SETTLED} (wanted: ≤ {FLAT:.0%})": f"{max(map(drift, runs), key=abs):+.1%}",
    }


def drift(run: dict[str, Any]) -> float:
    """Return the share by which resident memory was farthest from that of iteration `SETTLED`, in those after it."""
    first, *later = run["resident"][SETTLED:]
    changes: list[float] = [(resident - first) / first for resident in later]
    return max(changes, key=abs)


def missed(kind: str, runs: list[dict[str, Any]]) -> list[str]:
    """Return a line for each figure that runs of this kind miss."""
    cost = 1000 * median(seconds / run["tasks_per_iteration"] for run in runs for seconds in run["iterations"])
    farthest = max(map(drift, runs), key=abs)
    lines = [f"{kind}: {cost:.1f} ms a task, more than {TASK_LIMIT:.0f}"] if cost > TASK_LIMIT else []
    return lines + ([f"{kind}: memory changed by {farthest:+.1%}"] if abs(farthest) > FLAT else [])


def growth(run: dict[str, Any]) -> float:
    """Return the bytes by which resident memory grows an iteration, over the second half of a run."""
    late: list[int] = run["resident"][len(run["resident"]) // 2 :]
    return (late[-1] - late[0]) / max(1, len(late) - 1)


def own_code(runs: list[dict[str, Any]]) -> Table:
    """Return what the tasks' own code takes: the rest of a task's time is Prefect's."""
    table = Table("task's own code (embedded)", "ms: median (least)")
    for name in runs[0]["task_code"]:
        seconds = [second for run in runs for second in run["task_code"][name]]
        if seconds:
            table.add_row(name, milliseconds(seconds))
    return table


def main(
    iterations: Annotated[int, typer.Option(min=SETTLED + 1, help="Moves of the search.")] = 50,
    group_size: Annotated[int, typer.Option(min=1, help="Particles an evaluation task.")] = 8,
    runs: Annotated[int, typer.Option(min=1, help="Runs of each kind; kinds take turns.")] = 3,
    quick: Quick = False,
) -> None:
    """Print milliseconds a Prefect task and an iteration, start-up, the memory of the flow's process, and a verdict."""
    if quick:
        iterations, runs = SETTLED + 2, 1
    console.print(describe(1), soft_wrap=True)
    found: dict[str, list[dict[str, Any]]] = {"embedded": [], "server": []}
    with prefect_server() as server:
        for _ in range(runs):
            found["embedded"].append(one_run(None, iterations, group_size))
            found["server"].append(one_run(server, iterations, group_size))
    tasks = found["embedded"][0]["tasks_per_iteration"]
    console.print(f"20 particles, {iterations} iterations, {tasks} tasks an iteration, {runs} run(s); median (least)")
    by_kind = {kind: figures(results) for kind, results in found.items()}
    table = Table("", *by_kind)
    for name in by_kind["embedded"]:
        table.add_row(name, *(by_kind[kind][name] for kind in by_kind))
    console.print(table, own_code(found["embedded"]))
    lines = [line for kind, results in found.items() for line in missed(kind, results)]
    wanted = f"≤ {TASK_LIMIT:.0f} ms a task, and memory within {FLAT:.0%} of what it was in iteration {SETTLED}"
    verdict = f"missed: {'; '.join(lines)}" if lines else f"passed: {wanted}, embedded and against a server"
    console.print(verdict, soft_wrap=True)
    raise typer.Exit(1 if lines else 0)


if __name__ == "__main__":
    typer.run(main)
