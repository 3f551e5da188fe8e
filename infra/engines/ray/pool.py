"""A pool of engines in Ray actors, on one machine or many: Ray places and restarts them, this gives them groups."""

import logging
from collections.abc import Callable, Sequence
from itertools import count
from typing import Any, TypeVar

from data.requests import Request, Response
from experts.base_models import BaseModel
from experts.bases import AnyBasis
from experts.basis import Basis
from infra.engines.base import Progress, check_population
from infra.engines.config import EngineConfig, RayConfig
from infra.engines.ray.cluster import RayCluster, actors_that_fit
from infra.engines.ray.identity import actor_config, pool_identity
from swarm.errors import EvaluationError
from swarm.recipes import Recipe

ATTEMPTS = 3
"""A group is given to so many actors, one after the loss of another."""
_RESTARTS = 3
"""So often Ray restarts one actor; then the pool starts another in its location."""

T = TypeVar("T")

logger = logging.getLogger(__name__)


class RayEngine:
    """Evaluates populations on a pool of actors; see `infra.engines.base.Engine` for what it promises.

    Each call is evaluated by one actor, so `slots` calls, one an actor, are answered at the same time. Adapters reach
    the actors through Ray's object store; base models and full-model experts lie in the same folders on every node.
    """

    def __init__(self, config: EngineConfig, base: BaseModel, basis: AnyBasis) -> None:
        """Connect to the cluster, or start one; return as soon as the first actor has loaded `base`.

        Raises:
            InputError: Ray is not installed, no cluster answers or it has no room, or a node lacks what the run needs.
            EvaluationError: no actor was ready in time.

        """
        self._identity = pool_identity(config, base)
        self._calls = count()
        self._actors: Any = None
        self._cluster = RayCluster(config.ray.address)
        try:
            self._actors = _start(config, base, basis, self._identity)
            self._answer(lambda: None, lambda actor: None)
        except BaseException:
            self.close()
            raise

    @property
    def identity(self) -> str:
        """What the answers depend on besides their inputs, as canonical JSON: that of the engines in the actors."""
        return self._identity

    @property
    def slots(self) -> int:
        """How many actors there are."""
        return int(self._actors.size)

    def run(
        self, population: Sequence[Recipe], requests: Sequence[Sequence[Request]], progress: Progress | None = None
    ) -> list[list[Response]]:
        """Answer each recipe's own requests, on one actor; see `infra.engines.base.Engine`.

        Raises:
            InputError: as the engine in the actor does, or a node lacks what the run needs.
            EvaluationError: as the engine does, or no actor lived long enough to answer.
            ValueError: the recipes don't share their bases and their space, or there are not as many lists of requests.

        """
        check_population(population, requests)
        report = _Reporter(progress, sum(map(len, requests)))
        call, arguments = str(next(self._calls)), (list(population), list(requests))

        def ask(actor: Any) -> Any:
            logger.debug("engine ray: %s answers call %s", actor.location, call)
            return actor.answer(call, arguments, report.answers)

        answer = self._answer(report.waiting, ask)
        if isinstance(answer, list):
            report.answers(report.total)
            return answer
        raise answer.error()

    def close(self) -> None:
        """End the actors, and the cluster if it was started for this engine."""
        if self._actors is not None:
            self._actors.close()
        self._cluster.close()

    def _answer(self, waiting: Callable[[], None], ask: Callable[[Any], T]) -> T:
        """Return what `ask` gets from an idle actor, or from others after it if that is lost."""
        from ray.exceptions import RayError, RayTaskError

        lost = ""
        for _ in range(ATTEMPTS):
            location = None
            try:
                with self._actors.acquire(waiting) as actor:
                    location = actor.location
                    return ask(actor)
            except RayTaskError:
                raise
            except RayError as error:
                lost = f"{location or 'an actor that was loading'}: {(str(error).splitlines() or [''])[0]}"
                logger.warning("engine ray: lost %s; its work is given to another", lost)
        raise EvaluationError(f"engine ray: lost {ATTEMPTS} actors over one group of particles, the last: {lost}")


class _Reporter:
    """Passes progress on; a group that starts again on another actor is reported once it is further than before."""

    def __init__(self, progress: Progress | None, total: int) -> None:
        self._progress = progress
        self._done = 0
        self.total = total

    def answers(self, done: int) -> None:
        if done > self._done:
            self._done = done
            self.waiting()

    def waiting(self) -> None:
        if self._progress is not None:
            self._progress(self._done, self.total)


def _start(config: EngineConfig, base: BaseModel, basis: AnyBasis, identity: str) -> Any:
    import ray

    from infra.engines.ray.actor import Assignment, EngineActor, StoredBasis
    from infra.engines.ray.actor_pool import ActorPool, PooledActor

    inner = actor_config(config)
    gpus = _gpus(config.ray, inner.device)
    size = actors_that_fit(config.ray, gpus)
    shared = ray.put(StoredBasis.of(basis) if isinstance(basis, Basis) else basis)
    assignment = Assignment(inner, base, identity, ray.get_runtime_context().get_node_id())
    actor: Any = ray.remote(
        num_cpus=config.ray.cpus,
        num_gpus=gpus,
        scheduling_strategy="SPREAD",
        max_restarts=_RESTARTS,
        concurrency_groups={"progress": 1},
    )(EngineActor)
    return ActorPool(lambda: PooledActor(actor.remote(assignment), [shared]), size, config.ray.wait)


def _gpus(config: RayConfig, device: str) -> float:
    if config.gpus is not None:
        return config.gpus
    return 1.0 if device == "cuda" else 0.0
