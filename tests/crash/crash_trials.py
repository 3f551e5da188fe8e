"""Run a trial: start the search, kill it, resume it, look at what is left."""

import multiprocessing
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing.context import ForkServerProcess
from pathlib import Path

from tests.crash.crash_child import run_child
from tests.crash.crash_plan import SIGNALS, Trial
from tests.crash.crash_records import Ending, ending, moment
from tests.tiny_search import RUN

PRELOADED = [
    "cli.process",
    "fastapi",
    "flows.evolution_strategies",
    "flows.heterogeneous_swarms",
    "flows.model_swarms",
    "infra.engines.packed.engine",
    "infra.searches.model_swarms.report.page",
    "peft",
    "prefect.engine",
    "prefect.flow_engine",
    "prefect.task_engine",
    "sqlite3",
    "transformers.models.llama.modeling_llama",
]
"""Imported once, in the process that children are forked from: a child starts at once."""

END_SECONDS = 600
"""A process that was asked to end, or has everything to end, and has not after this long hangs."""

UNFINISHED = 1
"""How the `swarm` command ends when it is asked to end while it drives a run."""

NOTHING_TO_DO = 2
"""How `swarm resume` ends if the run was not recorded yet, or is finished; `swarm run` is right for both."""


@dataclass(frozen=True)
class Verdict:
    """What came of a trial.

    Attributes:
        trial: which.
        places: where each signal hit the run.
        resumed_seconds: how long the last process took.
        ending: how the run ended; None if it did not.
        problems: what was not as it has to be; nothing, one hopes.

    """

    trial: Trial
    places: tuple[str, ...]
    resumed_seconds: float
    ending: Ending | None
    problems: tuple[str, ...]


class Processes:
    """Starts children of the search in `folder`; thread-safe. Its environment must be set before the first start."""

    def __init__(self, folder: Path, config: Path) -> None:
        self.folder, self._config = folder, config
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(PRELOADED)

    def start(self, runs: Path, arguments: Sequence[str]) -> ForkServerProcess:
        """Start a process that does `arguments` with the runs folder `runs`."""
        process = self._context.Process(target=run_child, args=(arguments, runs, runs / "output.log"))
        process.start()
        return process

    def uninterrupted(self, name: str) -> tuple[Ending, float]:
        """Run the search to its end; return how it ended and the seconds that it took."""
        runs = self._new(name)
        start = time.monotonic()
        self._finish(self.start(runs, self.beginning(True)))
        return ending(runs), time.monotonic() - start

    def attempt(self, trial: Trial, seconds: float, expected: Ending) -> Verdict:
        """Kill and resume a run whose uninterrupted twin takes `seconds` and ends as `expected`."""
        runs = self._new(f"trial{trial.number:03}")
        places: list[str] = []
        found, problems, start = None, [], time.monotonic()
        try:
            for at in trial.moments:
                places.append(self._kill(runs, trial, at * seconds))
            start = time.monotonic()
            self._resume(runs, trial)
            found = ending(runs)
            problems = _differences(found, expected)
        except Exception as error:
            problems = [f"{type(error).__name__}: {error}"]
        return Verdict(trial, tuple(places), time.monotonic() - start, found, tuple(problems))

    def beginning(self, by_command: bool) -> list[str]:
        """Return the arguments that start, or start again, the search."""
        return ["run" if by_command else "flow", str(self._config)]

    def _kill(self, runs: Path, trial: Trial, after: float) -> str:
        known = (runs / RUN / "config.yaml").exists()
        arguments = ["resume", RUN] if known and trial.by_command else self.beginning(trial.by_command)
        process = self.start(runs, arguments)
        process.join(after)
        if process.exitcode is not None:
            return self._ended_before(process, arguments)
        at_work = (runs / "engine_at_work").exists()
        os.kill(process.pid or 0, SIGNALS[trial.kind])
        process.join(END_SECONDS)
        if process.exitcode is None:
            process.kill()
            raise TimeoutError(f"still there {END_SECONDS} s after {SIGNALS[trial.kind].name}")
        place = moment(runs, at_work)
        driven = place not in {"before the run was recorded", "after the end"}
        if trial.by_command and trial.kind in {"sigint", "sigterm"} and driven and process.exitcode != UNFINISHED:
            raise RuntimeError(f"ended with {process.exitcode} and not {UNFINISHED} after {SIGNALS[trial.kind].name}")
        return place

    def _ended_before(self, process: ForkServerProcess, arguments: Sequence[str]) -> str:
        if process.exitcode != NOTHING_TO_DO or arguments[0] != "resume":
            self._finish(process)
        return "after the end"

    def _resume(self, runs: Path, trial: Trial) -> None:
        if not trial.by_command:
            self._finish(self.start(runs, self.beginning(False)))
            return
        resumed = self.start(runs, ["resume", RUN])
        resumed.join(END_SECONDS)
        if resumed.exitcode == NOTHING_TO_DO:
            self._finish(self.start(runs, self.beginning(True)))
        else:
            self._finish(resumed)

    def _finish(self, process: ForkServerProcess) -> None:
        process.join(END_SECONDS)
        if process.exitcode is None:
            process.kill()
            raise TimeoutError(f"a run that nobody killed has not ended after {END_SECONDS} s")
        if process.exitcode != 0:
            raise RuntimeError(f"a run that nobody killed ended with {process.exitcode}")

    def _new(self, name: str) -> Path:
        runs = self.folder / name
        runs.mkdir()
        return runs


def _differences(found: Ending, expected: Ending) -> list[str]:
    problems = []
    if found.state != expected.state:
        problems.append(f"state {found.state[:12]} and not {expected.state[:12]}")
    if found.adapter != expected.adapter:
        problems.append(f"adapter {found.adapter[:12]} and not {expected.adapter[:12]}")
    if found.groups.keys() != expected.groups.keys():
        problems.append("other evaluation groups than in an uninterrupted run")
    if found.repeated:
        problems.append(f"{found.repeated} finished evaluation groups evaluated again")
    return problems
