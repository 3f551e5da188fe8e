"""What runs in a process that is going to be killed: the `swarm` command, or the flow itself."""

import os
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from data.requests import Request, Response
from infra.engines.base import Engine, Progress
from swarm.recipes import Recipe

BATCH_SECONDS = 0.005
"""A tiny model answers a batch in a millisecond; slower ones make kills land inside of evaluations."""


class SlowEngine:
    """A real engine that takes its time, says in a file whether it is at work, and may end the process at a call."""

    slots = 1

    def __init__(self, engine: Engine, mark: Path, last_call: int | None) -> None:
        self._engine, self._mark = engine, mark
        self._calls_left = last_call

    @property
    def identity(self) -> str:
        return self._engine.identity

    def run(
        self, population: Sequence[Recipe], requests: Sequence[Sequence[Request]], progress: Progress | None = None
    ) -> list[list[Response]]:
        def slowly(done: int, total: int) -> None:
            time.sleep(BATCH_SECONDS)
            if progress is not None:
                progress(done, total)

        if self._calls_left is not None:
            self._calls_left -= 1
            if self._calls_left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
        self._mark.touch()
        try:
            return self._engine.run(population, requests, slowly)
        finally:
            self._mark.unlink()

    def close(self) -> None:
        self._engine.close()


def run_child(arguments: Sequence[str], runs: Path, log: Path) -> None:
    """Become `swarm ARGUMENTS`, or with "flow CONFIG" a caller of the flow, with the runs folder `runs`.

    With "flow CONFIG N" the process ends by SIGKILL as it calls the engine for the Nth time.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored in what a shell has put into the background
    os.environ["SWARM_RUNS"] = str(runs)
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(output, 1)
    os.dup2(output, 2)
    _slow_down(runs / "engine_at_work", int(arguments[2]) if arguments[0] == "flow" and arguments[2:] else None)
    if arguments[0] == "flow":
        _call_flow(Path(arguments[1]))
    else:
        from cli.process import swarm

        sys.argv = ["swarm", *arguments]
        swarm()


def _slow_down(mark: Path, last_call: int | None) -> None:
    import infra.run.open_run as module

    real = module.open_engine

    def slow(*arguments: Any) -> SlowEngine:
        return SlowEngine(real(*arguments), mark, last_call)

    module.open_engine = slow  # type: ignore[assignment]


def _call_flow(config: Path) -> None:
    from flows.searches import SEARCHES, load_run_config

    run = load_run_config(config)
    SEARCHES.of(run).load_flow()(run)
