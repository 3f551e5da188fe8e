"""The evaluation groups of a run: read from the records, or evaluated with an engine and scorers."""

import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from data.requests import Request, Response
from infra.engines.base import Engine
from infra.engines.host import EngineHost
from infra.evaluation.evaluator import Evaluable, Evaluator, initial_recipes
from infra.evaluation.inputs import RunInputs
from infra.observing.clock import RunClock
from infra.observing.observer import Observer, Work
from infra.records.store import Records
from infra.records.values import EvaluationRecord, Purpose
from infra.scorers.open_scorers import Scorers
from infra.settings import Settings
from swarm.plan import Link
from swarm.recipes import Recipe


class StopRequested(Exception):
    """The run was asked to stop; it can be resumed."""


class EvaluationGroups:
    """Evaluates groups for the run called `run`; engine and scorers are opened when they are first needed.

    Scores are committed before a method returns them. Calls may come from several threads.
    """

    def __init__(
        self,
        run: str,
        inputs: RunInputs,
        settings: Settings,
        records: Records,
        observer: Observer,
        clock: RunClock,
        open_engine: Callable[[], Engine],
    ) -> None:
        self._run, self._records, self._observer = run, records, observer
        self._host = EngineHost(open_engine, observer.rows, self._refuse_if_stopped)
        self._scorers = Scorers(settings)
        initial = initial_recipes(inputs.basis)
        self._evaluator = Evaluator(
            inputs.objective, inputs.engine, initial, self._host.run, self._scorers, records, clock
        )
        self._calls = threading.Condition()
        self._under_way = 0
        self._new_groups: set[str] = set()

    def close(self) -> None:
        """End the evaluations under way, and wait until what they save is saved; may be called again."""
        self._host.close()
        self._scorers.close()
        with self._calls:
            self._calls.wait_for(lambda: self._under_way == 0)

    def evaluate(self, group: Evaluable) -> dict[str, Any]:
        """Evaluate `group`, or find it in the records; the scores are committed before this returns.

        Returns:
            {"group": its key, "utilities": one a member}.

        Raises:
            EvaluationError: the engine could not answer, or an answer can't be rated or scored.
            StopRequested: the run was asked to stop.

        """
        with self._count_call():
            key = group.key(self._evaluator)
            utilities = self._records.utilities(key)
            if utilities is None:
                utilities = [evaluation.utility for evaluation in self._make(key, group)]
        return {"group": key, "utilities": utilities}

    def ask(self, recipes: Sequence[Recipe], requests: Sequence[Sequence[Request]]) -> list[list[Response]]:
        """Have the engine answer requests outside of an evaluation, each recipe its own; nothing is recorded."""
        with self._count_call():
            return self._evaluator.ask("test", recipes, requests)[0]

    def link(self, iteration: int, purpose: Purpose, links: Sequence[Link]) -> None:
        """Record whose evaluations the run used, and what for."""
        places = [(link.particle, link.group, link.index) for link in links]
        self._records.link_evaluations(self._run, iteration, purpose, places)
        work = self._work(len(links), {link.group for link in links})
        self._observer.work(work, reused_evaluations=sum(link.group not in self._new_groups for link in links))

    @contextmanager
    def _count_call(self) -> Iterator[None]:
        """Let `close` wait for the end of the block: it may be saving scores."""
        with self._calls:
            self._under_way += 1
        try:
            yield
        finally:
            with self._calls:
                self._under_way -= 1
                self._calls.notify_all()

    def _refuse_if_stopped(self) -> None:
        if self._records.stop_requested(self._run):
            raise StopRequested(f"run {self._run!r} was asked to stop: resume it with: swarm resume {self._run}")

    def _make(self, key: str, group: Evaluable) -> tuple[EvaluationRecord, ...]:
        evaluations = group.evaluate(self._evaluator)
        self._link_scales()
        self._new_groups.add(key)
        self._observer.evaluation(self._work(len(evaluations), {key}))
        return evaluations

    def _link_scales(self) -> None:
        """Record that the run used the evaluations that set the scales, once they are there."""
        scales = self._evaluator.scale_key
        if scales is not None and self._records.has_evaluation_group(scales):
            everybody = [(index, scales, index) for index in range(len(self._evaluator.initial))]
            self._records.link_evaluations(self._run, 0, Purpose.SCALE, everybody)

    def _work(self, evaluations: int, keys: Collection[str]) -> Work:
        """Return the recorded cost of the groups called `keys`, whichever run made them."""
        groups = self._records.evaluation_groups(keys)
        tokens = sum(group.generated_tokens for group in groups)
        return Work(evaluations, tokens, sum(group.seconds for group in groups))
