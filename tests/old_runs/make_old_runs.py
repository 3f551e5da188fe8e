"""Make a folder of old runs from the code that is checked out: each search of the tiny model, killed in its middle.

    python -m tests.old_runs.make_old_runs 0.2

writes tests/old_runs/0.2, which is committed and never changed again.
"""

import json
import multiprocessing.forkserver
import os
import shutil
import sqlite3
import sys
import tempfile
from pathlib import Path
from typing import Any

import torch

from tests.crash.crash_trials import Processes
from tests.old_runs.old_runs import SHARED, edit_run, engine_of, hashes
from tests.prefect_server import prefect_server
from tests.tiny_search import CONFIG, EVOLUTION, EXPERTS, HETEROGENEOUS, RUN, make_search

ROOT = Path(__file__).parents[2]
CHILDREN = {"PYTHONPATH": str(ROOT), "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false"}
LAST_CALLS = {"model-swarms": 6, "heterogeneous-swarms": 5, "evolution-strategies": 4}
"""The call of the engine at which each search is killed: some groups are finished then, and one is under way."""


def main() -> int:
    """Make the folder that the command line names; return the exit code."""
    target = Path(__file__).parent / sys.argv[1]
    target.mkdir()
    expected = {}
    for settings in (CONFIG, HETEROGENEOUS, EVOLUTION):
        with tempfile.TemporaryDirectory(prefix="old-runs-", ignore_cleanup_errors=True) as name:
            expected[settings.get("algorithm", "model-swarms")] = _make(Path(name), settings, target)
    write_expected(target, expected)
    return 0


def _make(folder: Path, settings: dict[str, Any], target: Path) -> dict[str, str]:
    """Run a search to its end, and kill its twin; keep the latter in `target`, and return how the former ended."""
    algorithm = settings.get("algorithm", "model-swarms")
    config = make_search(folder, settings)
    with prefect_server(folder / "prefect") as environment:
        os.environ.update(environment, **CHILDREN)
        processes = Processes(folder, config)
        processes.uninterrupted("whole")
        (folder / "runs").mkdir()
        killed = processes.start(folder / "runs", ["flow", str(config), str(LAST_CALLS[algorithm])])
        killed.join()
    multiprocessing.forkserver._forkserver._stop()  # type: ignore[attr-defined]  # the next one needs a new environment
    if killed.exitcode != -9:
        raise RuntimeError(f"{algorithm} ended with {killed.exitcode} instead of dying at its call")
    keep(folder, target, algorithm)
    return hashes(folder / "whole")


def keep(folder: Path, target: Path, algorithm: str) -> None:
    """Copy the killed run in `folder` into `target`, with no path of this machine and nothing that can be made again.

    Base model, experts and data are kept once: they are the same for every search.
    """
    shared, kept = target / SHARED, target / algorithm
    if not shared.exists():
        shutil.copytree(folder / "base", shared / "base")
        shutil.copy(folder / "data.json", shared)
        for name in EXPERTS:
            shutil.copytree(folder / name, shared / name)
            adapter = shared / name / "adapter_config.json"
            adapter.write_text(json.dumps(json.loads(adapter.read_text()) | {"base_model_name_or_path": "base"}))
    (kept / "runs" / ".swarm").mkdir(parents=True)
    (kept / "runs" / RUN).mkdir()
    shutil.copy(folder / "run.yaml", kept)
    resolved = (folder / "runs" / RUN / "config.yaml").read_text().replace(f"{folder}/", "")
    (kept / "runs" / RUN / "config.yaml").write_text(resolved)
    for path in (folder / "runs" / ".swarm").glob("records.db*"):
        shutil.copy(path, kept / "runs" / ".swarm")
    records = kept / "runs" / ".swarm" / "records.db"
    edit_run(records, base_model="base")
    with sqlite3.connect(records) as database:  # one file, without what was overwritten
        database.execute("VACUUM")
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()
    for path in records.parent.glob("records.db?*"):
        path.unlink()


def write_expected(target: Path, expected: dict[str, dict[str, str]]) -> None:
    """Write how the uninterrupted searches ended, and on what machine: elsewhere the last bits may differ."""
    first = next(iter(expected))
    document = {
        "libraries": engine_of(target / first / "runs" / ".swarm" / "records.db")["libraries"],
        "cpu_capability": torch.backends.cpu.get_cpu_capability(),
        "searches": expected,
    }
    (target / "expected.json").write_text(json.dumps(document, indent=2) + "\n")


if __name__ == "__main__":
    sys.exit(main())
