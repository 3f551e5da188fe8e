"""The actors of a pool: who is idle, who is loading, and what becomes of one that is lost."""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import ray
from ray.exceptions import RayError

from infra.engines.ray.actor import Failure, Place, Stored
from swarm.errors import EvaluationError

logger = logging.getLogger(__name__)

POLL = 0.25
"""Seconds between two questions for progress; an answer itself is never waited for so long."""


class Member:
    """An actor, where it runs once that is known, and the promise that its engine is loaded."""

    def __init__(self, handle: Any, stored: Stored) -> None:
        self.handle = handle
        self.place: Place | None = None
        self._stored = stored
        self.load()

    def load(self) -> None:
        """Have the engine loaded, now or as soon as Ray has restarted the actor."""
        self.loaded = self.handle.prepare.options(max_task_retries=-1).remote(self._stored)

    def answer(self, call: str, arguments: tuple[Any, ...], on_rows: Callable[[int], None]) -> Any:
        """Have `EngineActor.evaluate` called with `call` and `arguments`; return what it returned.

        `on_rows` hears now and then how many rows are answered.

        Raises:
            RayError: the actor was lost.

        """
        answer, asked = self.handle.evaluate.remote(self._stored, call, *arguments), None
        while not ray.wait([answer], timeout=POLL)[0]:
            asked = asked or self.handle.progress.remote(call)
            if ray.wait([asked], timeout=0)[0]:
                on_rows(ray.get(asked))
                asked = None
        return ray.get(answer)


class Roster:
    """The members of a pool; thread-safe."""

    def __init__(self, start: Callable[[], Member], count: int, wait: float) -> None:
        """Start `count` actors with `start`; `wait` seconds is the longest that anybody waits for one of them."""
        self._start = start
        self._wait = wait
        self._lock = threading.Lock()
        self._idle = [start() for _ in range(count)]
        self._members = list(self._idle)

    @property
    def size(self) -> int:
        """How many members there are, idle or not."""
        return len(self._members)

    @contextmanager
    def taken(self, waiting: Callable[[], None]) -> Iterator[Member]:
        """Have an idle, loaded member for the block; `waiting` is called now and then until there is one.

        A member that an error in the block leaves at work is stopped, and restarted by Ray.

        Raises:
            EvaluationError: no member is idle and loaded in time.
            InputError: a member can't load its engine on its node.
            RayError: a member was lost for good; another was started in its place.

        """
        member = self._take(waiting)
        try:
            yield member
        except BaseException as error:
            if not isinstance(error, RayError):
                ray.kill(member.handle, no_restart=False)
            member.load()
            raise
        finally:
            self._give_back(member)

    def close(self) -> None:
        """End every actor, at work or not."""
        for member in self._members:
            ray.kill(member.handle)

    def _take(self, waiting: Callable[[], None]) -> Member:
        deadline = time.monotonic() + self._wait
        while True:
            member = self._first_loaded()
            if member is not None:
                self._check(member)
                return member
            if time.monotonic() > deadline:
                raise EvaluationError(
                    f"engine ray: no actor was ready in {self._wait:g} s: see with 'ray status' what the cluster has "
                    "free, or raise engine.ray.wait"
                )
            waiting()
            time.sleep(POLL)

    def _first_loaded(self) -> Member | None:
        with self._lock:
            refs = [member.loaded for member in self._idle]
            done, _ = ray.wait(refs, timeout=0) if refs else ([], [])
            if not done:
                return None
            return self._idle.pop(refs.index(done[0]))

    def _check(self, member: Member) -> None:
        """Raise what kept `member` from loading, and have it try again for whoever comes next."""
        try:
            found: Place | Failure = ray.get(member.loaded)
        except RayError:
            self._give_back(self._replacement(member))
            raise
        if isinstance(found, Failure):
            member.load()
            self._give_back(member)
            raise found.error()
        if member.place != found:
            member.place = found
            logger.info("engine ray: %s is ready", found)

    def _replacement(self, member: Member) -> Member:
        new = self._start()
        with self._lock:
            self._members[self._members.index(member)] = new
        return new

    def _give_back(self, member: Member) -> None:
        with self._lock:
            self._idle.append(member)
