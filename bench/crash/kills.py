"""Kill a search at random moments and resume it: it has to end as if nothing had happened.

    python -m bench.crash.kills                             # the full list: see FULL
    python -m bench.crash.kills --sigkill 20 --double 5     # only these
    python -m bench.crash.kills --search heterogeneous-swarms

Prints a table, the machine and a verdict; exits with 1 if any run ended otherwise. Every trial has a runs folder of its
own; the processes share one Prefect server. The moments come from `--seed`, so a list of kills can be repeated.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from statistics import median

from cli.runs.drive import PREFECT_DEFAULTS
from tests.crash.crash_plan import SIGNALS, Trial, plan
from tests.crash.crash_records import Ending
from tests.crash.crash_table import as_json, print_table
from tests.crash.crash_trials import Processes, Verdict
from tests.prefect_server import prefect_server
from tests.tiny_search import CONFIG, EVOLUTION, HETEROGENEOUS, make_search

ROOT = Path(__file__).resolve().parents[2]

AT_ONCE = 3

MEASURED_EVERY = 20
"""Trials, after which uninterrupted runs are timed again: on a shared machine kills would else miss the run."""

FULL = {"sigkill": 200, "sigint": 20, "sigterm": 20, "double": 20}
"""How many trials of each kind when the command line names none."""

SEARCHES = {search.get("algorithm", "model-swarms"): search for search in (CONFIG, HETEROGENEOUS, EVOLUTION)}

CHILDREN = {
    "PYTHONPATH": str(ROOT),
    "HF_HUB_OFFLINE": "1",
    "OMP_NUM_THREADS": "1",
    "TOKENIZERS_PARALLELISM": "false",
    "PREFECT_CLIENT_MAX_RETRIES": PREFECT_DEFAULTS["PREFECT_CLIENT_MAX_RETRIES"],  # `flow again` is not `swarm`
}
"""What the processes that are killed find in their environment."""


def main() -> int:
    """Run the trials of the command line; return the exit code."""
    options = _options()
    trials = plan(options.counts, options.seed)
    start = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="crash-", ignore_cleanup_errors=True) as name:
        folder = Path(options.keep or name).resolve()
        folder.mkdir(parents=True, exist_ok=True)
        config = make_search(folder, SEARCHES[options.search])
        with prefect_server(folder / "prefect") as environment:
            os.environ.update(environment, **CHILDREN)
            expected, seconds, verdicts = _attempt(Processes(folder, config), trials)
    if options.json:
        Path(options.json).write_text(json.dumps(as_json(expected, seconds, verdicts), indent=2))
    print_table(verdicts, seconds, time.monotonic() - start)
    return int(any(verdict.problems for verdict in verdicts))


def _attempt(processes: Processes, trials: list[Trial]) -> tuple[Ending, float, list[Verdict]]:
    verdicts: list[Verdict] = []
    twins: list[tuple[Ending, float]] = []
    with ThreadPoolExecutor(AT_ONCE) as pool:
        expected, _ = processes.uninterrupted("warm")
        for first in range(0, len(trials), MEASURED_EVERY):
            now = list(pool.map(processes.uninterrupted, [f"uninterrupted{first}-{i}" for i in range(AT_ONCE)]))
            twins += now
            if any(ending != expected for ending, _ in now):
                raise RuntimeError(f"uninterrupted runs end differently: {twins}")
            attempt = partial(processes.attempt, seconds=_median(now), expected=expected)
            for verdict in pool.map(attempt, trials[first : first + MEASURED_EVERY]):
                verdicts.append(verdict)
                _report(verdict, len(trials))
    return expected, _median(twins), verdicts


def _median(twins: list[tuple[Ending, float]]) -> float:
    return median(took for _, took in twins)


def _report(verdict: Verdict, count: int) -> None:
    trial = verdict.trial
    how = "swarm resume" if trial.by_command else "flow again"
    outcome = "; ".join(verdict.problems) or "same"
    places = ", then ".join(verdict.places)
    print(f"{trial.number + 1}/{count} {trial.kind}, {how}: {places}: {outcome}", file=sys.stderr, flush=True)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    for kind in SIGNALS:
        parser.add_argument(f"--{kind}", type=int, metavar="N", help=f"trials of the kind {kind}")
    parser.add_argument("--search", choices=list(SEARCHES), default="model-swarms", help="what is killed")
    parser.add_argument("--seed", type=int, default=0, help="of the list of moments")
    parser.add_argument("--json", metavar="FILE", help="also write every trial to FILE")
    parser.add_argument("--keep", metavar="FOLDER", help="work in FOLDER, and leave everything there")
    options = parser.parse_args()
    asked = {kind: getattr(options, kind) for kind in SIGNALS}
    options.counts = {kind: asked[kind] or 0 for kind in SIGNALS} if any(asked.values()) else FULL
    return options


if __name__ == "__main__":
    sys.exit(main())
