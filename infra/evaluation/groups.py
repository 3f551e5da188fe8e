"""The evaluation groups of a run: found in the records, or made by the one engine and the scorers that it opens."""

import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from data.examples import Split
from data.objective import Objective
from data.requests import Request, Response
from data.subset import select_examples
from infra.configs.systems import SystemConfig
from infra.engines.base import Engine
from infra.engines.host import EngineHost
from infra.evaluation.answering import Ask
from infra.evaluation.evaluator import Evaluator, initial_recipes
from infra.observing.clock import RunClock
from infra.observing.observer import Observer, Work
from infra.records.store import Records
from infra.records.values import EvaluationRecord, Purpose
from infra.run.prepare import Prepared
from infra.scorers.open_scorers import Scorers
from infra.settings import Settings
from infra.systems.group import Candidate, SystemsGroup, candidate_of
from swarm.plan import Link
from swarm.recipes import Recipe
from swarm.systems import System


class StopRequested(Exception):
    """Somebody asked the run to stop; it is resumable."""


class EvaluationGroups:
    """Evaluates groups for the run called `run`; engine and scorers are opened when they are first needed.

    Scores are committed before a method returns them. Calls may come from several threads.
    """

    def __init__(
        self,
        run: str,
        inputs: Prepared,
        settings: Settings,
        records: Records,
        observer: Observer,
        clock: RunClock,
        open_engine: Callable[[], Engine],
    ) -> None:
        self._run, self._inputs, self._records = run, inputs, records
        self._observer, self._clock = observer, clock
        self._host = EngineHost(open_engine, observer.rows, self._refuse_if_stopped)
        self._scorers = Scorers(settings)
        self._evaluator = Evaluator(
            inputs.objective, inputs.engine, initial_recipes(inputs.basis), self._scorers, records, clock.measure
        )
        self._calls = threading.Condition()
        self._under_way = 0
        self._made: set[str] = set()

    def close(self) -> None:
        """End the evaluations under way, and wait until what they save is saved; may be called again."""
        self._host.close()
        self._scorers.close()
        with self._calls:
            self._calls.wait_for(lambda: self._under_way == 0)

    def evaluate(self, recipes: Sequence[Recipe], split: Split, places: Sequence[int] | None = None) -> dict[str, Any]:
        """Evaluate a group of recipes, or find it in the records; the scores are committed before this returns.

        `places` are those of the split's examples that are asked; all of them if it is None.

        Returns:
            {"group": its key, "utilities": one a recipe}.

        Raises:
            EvaluationError: the engine could not answer.
            StopRequested: somebody asked the run to stop.

        """
        with self._awaited():
            objective = self._asked(split, places)
            key = self.key(recipes, split, objective)
            found = self._records.evaluation_group(key) or self._made_now(
                key, lambda: self._evaluate(recipes, split, objective)
            )
        return {"group": key, "utilities": [evaluation.utility for evaluation in found]}

    def evaluate_systems(
        self, systems: Sequence[System], prompts: SystemConfig, split: Split, after: Sequence[str] = ()
    ) -> dict[str, Any]:
        """Evaluate a group of systems, or find it in the records, as `evaluate` does recipes.

        What the nodes of the groups `after` were asked, all of them evaluated before, is not asked again.

        Returns:
            {"group": its key, "utilities": one a system, "saved": `infra.systems.executor.Saved` as JSON}.

        """
        return self.evaluate_candidates([candidate_of(system) for system in systems], prompts, split, after)

    def evaluate_candidates(
        self, candidates: Sequence[Candidate], prompts: SystemConfig, split: Split, after: Sequence[str] = ()
    ) -> dict[str, Any]:
        """Evaluate as `evaluate_systems` does what need not be a whole system: parts of one, or one model alone."""
        inputs = self._inputs
        group = SystemsGroup(
            tuple(candidates), prompts, inputs.objective, split, inputs.engine, self._evaluator.scale_key, tuple(after)
        )
        with self._awaited():
            found = self._records.evaluation_group(group.key) or self._made_now(
                group.key, lambda: group.evaluate(self._evaluator, self._records, self._ask(split))
            )
        saved = (self._records.node_answers(group.key) or {})["saved"]
        return {"group": group.key, "utilities": [evaluation.utility for evaluation in found], "saved": saved}

    def ask(self, recipes: Sequence[Recipe], requests: Sequence[Sequence[Request]]) -> list[list[Response]]:
        """Have the engine answer what is no evaluation: each recipe its own requests; nothing is recorded."""
        with self._awaited():
            return self._ask("test")(recipes, requests)[0]

    def _asked(self, split: Split, places: Sequence[int] | None) -> Objective:
        return self._inputs.objective if places is None else select_examples(self._inputs.objective, split, places)

    def key(self, recipes: Sequence[Recipe], split: Split, objective: Objective | None = None) -> str:
        """Return the content hash of an evaluation group: who is evaluated together, on what, by which engine."""
        return self._evaluator.key(recipes, split, objective)

    def link(self, iteration: int, purpose: Purpose, links: Sequence[Link]) -> None:
        """Record whose evaluations the run used, and what for."""
        places = [(link.particle, link.group, link.index) for link in links]
        self._records.link_evaluations(self._run, iteration, purpose, places)
        work = self._work(len(links), {link.group for link in links})
        self._observer.work(work, reused_evaluations=sum(link.group not in self._made for link in links))

    @contextmanager
    def _awaited(self) -> Iterator[None]:
        """Let the run be left, and its lock be freed, only when the block has ended: it may be saving scores."""
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

    def _made_now(self, key: str, make: Callable[[], tuple[EvaluationRecord, ...]]) -> tuple[EvaluationRecord, ...]:
        made = make()
        self._made.add(key)
        self._observer.evaluation(self._work(len(made), {key}))
        return made

    def _work(self, evaluations: int, keys: Collection[str]) -> Work:
        """Return what the groups called `keys` cost whoever made them, as the records have it."""
        groups = self._records.evaluation_groups(keys)
        tokens = sum(group.generated_tokens for group in groups)
        return Work(evaluations, tokens, sum(group.seconds for group in groups))

    def _ask(self, split: Split) -> Ask:
        """Return what asks the engine, and counts the seconds as those of evaluating on `split`."""

        def ask(
            population: Sequence[Recipe], requests: Sequence[Sequence[Request]]
        ) -> tuple[list[list[Response]], float]:
            responses, seconds = self._host.run(population, requests)
            self._clock.count(f"evaluation ({split})", seconds)
            return responses, seconds

        return ask

    def _evaluate(self, recipes: Sequence[Recipe], split: Split, objective: Objective) -> tuple[EvaluationRecord, ...]:
        made = self._evaluator.evaluate(recipes, split, self._ask(split), objective)
        scales = self._evaluator.scale_key
        if scales is not None and self._records.has_evaluation_group(scales):
            everybody = [(index, scales, index) for index in range(len(self._evaluator.initial))]
            self._records.link_evaluations(self._run, 0, Purpose.SCALE, everybody)
        return made
