"""A deployed run, seen from outside: where it is, and what is done to it."""

import os
import re
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

from bench.operating.api import Api
from bench.operating.telling import say, took, wait_for
from infra.records.store import Records
from tests.prefect_worker import Worker, flow_process, kill
from tests.tiny_search import RUN

GROUPS = 3
"""Evaluation groups of an iteration: six particles, two at a time."""
ACTORS = 2
"""Actors of the pool, and slots of the limit on the tag `gpu`."""

_READY = re.compile(r"the actor in process (\d+) of node \S+ is ready")
_LOST = "engine ray: lost the actor"
_SETTLED = 0.5
"""Seconds in which the server has dealt with what a process sent before it was stopped."""


class DisturbedRun:
    """A flow run, its records and its log."""

    def __init__(self, api: Api, flow_run: UUID, records: Records, log: Path) -> None:
        self._api = api
        self._flow_run = flow_run
        self._records = records
        self._log = log

    @property
    def state(self) -> str:
        """The type of the flow run's state."""
        return self._api.state(self._flow_run)[0]

    def lose_an_actor(self, after: int) -> None:
        """Kill actors of the pool in iterations later than `after`, until one of them was at work."""
        killed = 0
        while not self._losses():
            self._wait_for_middle(after)
            reached = self._iterations()
            kill(int(_READY.findall(self._log.read_text())[-1]))
            killed += 1
            wait_for("the run goes on", self._beyond(reached), pause=0.1)
        say(f"killed {killed} actor(s), the last at work, in iteration {reached}: another took its group")

    def lose_a_node(self, lose: Callable[[], None], after: int) -> None:
        """Have a node lost in an iteration later than `after` while two groups are under way; wait for the next one."""
        losses = self._losses()
        wait_for(
            "two groups are under way", lambda: self._in_an_iteration(after) and self._slots_are_held(), pause=0.02
        )
        reached = self._iterations()
        lose()
        with took(f"lost a node in iteration {reached}; until the next iteration"):
            wait_for("the run goes on", self._beyond(reached), pause=0.1)
        say(f"  its actor was {'at work' if self._losses() > losses else 'idle'} then")

    def kill_holder_of_slots(self, after: int) -> None:
        """Kill the process in an iteration later than `after`, while it holds every slot of the tag `gpu`."""
        process = flow_process(self._flow_run)
        self._wait_for_middle(after)
        while True:
            os.kill(process, signal.SIGSTOP)
            time.sleep(_SETTLED)
            if self._slots_are_held() and self._in_an_iteration(after):
                break
            os.kill(process, signal.SIGCONT)
            time.sleep(0.05)
        kill(process)
        say(f"killed the flow run's process in iteration {self._iterations()}; it held all {ACTORS} gpu slots")

    def kill_with(self, worker: Worker, after: int) -> None:
        """Kill the process and its worker in an iteration later than `after`."""
        process = flow_process(self._flow_run)
        self._wait_for_middle(after)
        worker.kill()
        kill(process)
        say(f"killed the worker and the flow run's process in iteration {self._iterations()}")

    @contextmanager
    def restarted(self) -> Iterator[None]:
        """Wait until the killed run is Crashed, run the block, and wait for the next iteration.

        On a busy machine Prefect's worker may report one crash twice, minutes apart, and the run be started twice: then
        the other process, which waited, goes on at once.
        """
        goes_on = self._beyond(self._iterations())
        with took("  until it is marked Crashed"):
            wait_for("the run is Crashed", lambda: self.state == "CRASHED" or goes_on(), pause=0.2)
        if goes_on():
            say("  it had been started twice: the other process went on")
        yield
        with took("  until the next iteration"):
            wait_for("the run goes on", goes_on)

    def _wait_for_middle(self, after: int) -> None:
        wait_for("the middle of an iteration", lambda: self._in_an_iteration(after), pause=0.02)

    def _in_an_iteration(self, after: int) -> bool:
        """Tell whether some, not all groups of the iteration under way are finished."""
        return self._iterations() > after and len(self._records.evaluation_groups()) % GROUPS != 0

    def _slots_are_held(self) -> bool:
        return self._api.gpu_slots() == ACTORS

    def _beyond(self, iteration: int) -> Callable[[], bool]:
        return lambda: self._iterations() > iteration

    def _iterations(self) -> int:
        return len(self._records.iterations(RUN)) if self._records.has_run(RUN) else 0

    def _losses(self) -> int:
        return self._log.read_text().count(_LOST) if self._log.exists() else 0
