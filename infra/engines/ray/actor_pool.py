"""The actors of a pool: which are idle, which are loading, and what happens to an actor that is lost."""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import ray
from ray.exceptions import RayError

from infra.engines.ray.actor import ActorLocation, BasisReference, Failure
from swarm.errors import EvaluationError

logger = logging.getLogger(__name__)

POLL = 0.25
"""Seconds between two questions for progress; an answer that is ready is taken at once."""


class PooledActor:
    """An actor, where it runs (once that is known), and the future of its loading."""

    def __init__(self, handle: Any, basis: BasisReference) -> None:
        self.handle = handle
        self.location: ActorLocation | None = None
        self._basis = basis
        self.load()

    def load(self) -> None:
        """Have the engine loaded, now or as soon as Ray has restarted the actor."""
        self.loaded = self.handle.prepare.options(max_task_retries=-1).remote(self._basis)

    def answer(self, call: str, arguments: tuple[Any, ...], on_answers: Callable[[int], None]) -> Any:
        """Have `EngineActor.evaluate` called with `call` and `arguments`; return what it returned.

        `on_answers` is called now and then with the number of requests that are answered.

        Raises:
            RayError: the actor was lost.

        """
        answer, progress = self.handle.evaluate.remote(self._basis, call, *arguments), None
        while not ray.wait([answer], timeout=POLL)[0]:
            progress = progress or self.handle.progress.remote(call)
            if ray.wait([progress], timeout=0)[0]:
                on_answers(ray.get(progress))
                progress = None
        return ray.get(answer)


class ActorPool:
    """The actors of a pool; thread-safe."""

    def __init__(self, start: Callable[[], PooledActor], count: int, wait: float) -> None:
        """Start `count` actors with `start`; a caller waits for one of them for at most `wait` seconds."""
        self._start = start
        self._wait = wait
        self._lock = threading.Lock()
        self._idle = [start() for _ in range(count)]
        self._actors = list(self._idle)

    @property
    def size(self) -> int:
        """How many actors there are, idle or not."""
        return len(self._actors)

    @contextmanager
    def acquire(self, waiting: Callable[[], None]) -> Iterator[PooledActor]:
        """Have an idle, loaded actor for the block; call `waiting` now and then until there is one.

        An actor that an error in the block leaves at work is stopped, and restarted by Ray.

        Raises:
            EvaluationError: no actor is idle and loaded in time.
            InputError: an actor can't load its engine on its node.
            RayError: an actor was lost for good; another was started in its place.

        """
        actor = self._take(waiting)
        try:
            yield actor
        except BaseException as error:
            if not isinstance(error, RayError):
                ray.kill(actor.handle, no_restart=False)
            actor.load()
            raise
        finally:
            self._give_back(actor)

    def close(self) -> None:
        """End every actor, at work or not."""
        for actor in self._actors:
            ray.kill(actor.handle)

    def _take(self, waiting: Callable[[], None]) -> PooledActor:
        deadline = time.monotonic() + self._wait
        while True:
            actor = self._first_loaded()
            if actor is not None:
                self._check(actor)
                return actor
            if time.monotonic() > deadline:
                raise EvaluationError(
                    f"engine ray: no actor was ready in {self._wait:g} s: see with 'ray status' what the cluster has "
                    "free, or raise engine.ray.wait"
                )
            waiting()
            time.sleep(POLL)

    def _first_loaded(self) -> PooledActor | None:
        with self._lock:
            refs = [actor.loaded for actor in self._idle]
            done, _ = ray.wait(refs, timeout=0) if refs else ([], [])
            if not done:
                return None
            return self._idle.pop(refs.index(done[0]))

    def _check(self, actor: PooledActor) -> None:
        """Raise what kept `actor` from loading, and have it try again for the next caller."""
        try:
            loaded: ActorLocation | Failure = ray.get(actor.loaded)
        except RayError:
            self._give_back(self._replacement(actor))
            raise
        if isinstance(loaded, Failure):
            actor.load()
            self._give_back(actor)
            raise loaded.error()
        if actor.location != loaded:
            actor.location = loaded
            logger.info("engine ray: %s is ready", loaded)

    def _replacement(self, actor: PooledActor) -> PooledActor:
        new = self._start()
        with self._lock:
            self._actors[self._actors.index(actor)] = new
        return new

    def _give_back(self, actor: PooledActor) -> None:
        with self._lock:
            self._idle.append(actor)
