"""A run that this process drives: its lock, folder, records, engine and clock."""

import logging
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from types import TracebackType
from typing import Any, Generic, Protocol, Self, TypeVar

from data.examples import Split
from data.kinds.rated import unparsable
from data.objective import Objective
from data.part import part_of
from data.requests import Request, Response
from experts.basis import Basis
from experts.export import export_adapter, export_merged
from experts.seed_basis import SeedBasis
from infra.answering import Ask
from infra.configs.common import RunConfig
from infra.engines.host import EngineHost
from infra.engines.opening import open_engine
from infra.evaluating import Evaluator, initial_recipes
from infra.observer import Work, current_observer
from infra.prepare import prepare
from infra.records.store import Records
from infra.records.values import EvaluationRecord, Purpose, RunStatus
from infra.run_folder import RunFolder
from infra.run_lock import run_lock
from infra.run_log import run_log
from infra.scorers.opening import Scorers
from infra.settings import Settings
from infra.systems.config import SystemConfig
from infra.systems.group import Candidate, SystemsGroup, candidate_of
from infra.views.base import IterationView
from infra.watching import watched
from swarm.plan import Link
from swarm.recipes import Recipe
from swarm.systems import System

logger = logging.getLogger(__name__)


class StopRequested(Exception):
    """Somebody asked the run to stop; it is resumable."""


Config = TypeVar("Config", bound=RunConfig)


class SavedState(Protocol):
    """The whole state of a search after an iteration."""

    @property
    def iteration(self) -> int:
        """Its number; the first is 0."""
        ...

    @property
    def sha256(self) -> str:
        """The state's content hash."""
        ...

    def to_json(self) -> dict[str, Any]:
        """Return the state as JSON."""
        ...


class OpenRun(Generic[Config]):
    """A context in which one run goes on: entering it takes the lock and starts or continues the record.

    Leaving it by an exception leaves a resumable run: `stopped` after an interrupt, else `failed` with the error.
    """

    def __init__(self, config: Config, settings: Settings | None = None) -> None:
        self.config = config
        self.settings = settings or Settings()
        self.observer = current_observer()
        self._stack = ExitStack()
        self._seconds: defaultdict[str, float] = defaultdict(float)
        self._flushed = time.perf_counter()
        self._clock = threading.Lock()
        self._evaluations = threading.Condition()
        self._under_way = 0
        self._made: set[str] = set()

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self.observer.phase("reading experts and data")
            self.inputs = prepare(self.config, self.settings)
            self.folder = RunFolder(self.settings.runs, self.config.name)
            stack.enter_context(run_lock(self.folder.path, self.settings.lock_patience))
            self.records = stack.enter_context(Records(self.settings.records_url))
            if not self.records.has_run(self.config.name):
                self._write_config()  # before the record: what is recorded can be resumed
            record = self.records.start_run(
                self.config.name, self.config.algorithm, self.config.settings(), self.inputs.identity, self.config.seed
            )
            self._write_config()
            stack.enter_context(run_log(self.folder.log))
            self.observer = stack.enter_context(
                watched(self.observer, self.config.track, record, self.folder, self.settings.metrics_port)
            )
            self.records.clear_stop(self.config.name)
            self.records.mark(self.config.name, RunStatus.RUNNING)
            self._host = EngineHost(self._open_engine, self.observer.rows, self._refuse_if_stopped)
            stack.callback(self._host.close)
            self._scorers = Scorers(self.settings)
            stack.callback(self._scorers.close)
            self._evaluator = Evaluator(
                self.inputs.objective,
                self.inputs.engine,
                initial_recipes(self.inputs.basis),
                self._scorers,
                self.records,
                self.timed,
            )
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._host.close()  # ends the evaluation under way before anything it needs is gone
        self._scorers.close()
        with self._evaluations:
            self._evaluations.wait_for(lambda: self._under_way == 0)
        with self._stack:
            if isinstance(error, StopRequested):
                logger.info("stopped by request")
                self.records.mark(self.config.name, RunStatus.STOPPED, stopped_by="request")
            elif isinstance(error, Exception):
                logger.error("failed: %s", error)
                self.records.mark(self.config.name, RunStatus.FAILED, error=f"{type(error).__name__}: {error}")
            elif error is not None:
                logger.warning("interrupted")
                self.records.mark(self.config.name, RunStatus.STOPPED, stopped_by="interrupt")

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
            self._refuse_if_stopped()
            objective = self._asked(split, places)
            key = self.group_key(recipes, split, objective)
            found = self.records.evaluation_group(key) or self._made_now(
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
        inputs = self.inputs
        group = SystemsGroup(
            tuple(candidates), prompts, inputs.objective, split, inputs.engine, self._evaluator.scale_key, tuple(after)
        )
        with self._awaited():
            self._refuse_if_stopped()
            found = self.records.evaluation_group(group.key) or self._made_now(
                group.key, lambda: group.evaluate(self._evaluator, self.records, self._ask(split))
            )
        saved = (self.records.node_answers(group.key) or {})["saved"]
        return {"group": group.key, "utilities": [evaluation.utility for evaluation in found], "saved": saved}

    def ask(self, recipes: Sequence[Recipe], requests: Sequence[Sequence[Request]]) -> list[list[Response]]:
        """Have the engine answer what is no evaluation: each recipe its own requests; nothing is recorded."""
        with self._awaited():
            self._refuse_if_stopped()
            return self._ask("test")(recipes, requests)[0]

    def _asked(self, split: Split, places: Sequence[int] | None) -> Objective:
        return self.inputs.objective if places is None else part_of(self.inputs.objective, split, places)

    def group_key(self, recipes: Sequence[Recipe], split: Split, objective: Objective | None = None) -> str:
        """Return the content hash of an evaluation group: who is evaluated together, on what, by which engine."""
        return self._evaluator.key(recipes, split, objective)

    def has_group(self, key: str) -> bool:
        """Tell whether the records hold the group: a task result alone is no proof that they do."""
        return self.records.has_evaluation_group(key)

    def link(self, iteration: int, purpose: Purpose, links: Sequence[Link]) -> None:
        """Record whose evaluations the run used, and what for."""
        self.records.link_evaluations(
            self.config.name, iteration, purpose, [(link.particle, link.group, link.index) for link in links]
        )
        work = self._work(len(links), {link.group for link in links})
        self.observer.used(work, found=sum(link.group not in self._made for link in links))

    def save(self, state: SavedState, links: Sequence[Link], view: IterationView) -> None:
        """Save an iteration, after the evaluations that it came from, and show it as `view`."""
        self.link(state.iteration, Purpose.SEARCH, links)
        self.records.save_iteration(self.config.name, state.iteration, state.to_json(), state.sha256)
        self.flush_timings(state.iteration)
        logger.info(view.headline)
        self.observer.iteration(view)

    def state(self, iteration: int) -> dict[str, Any]:
        """Return a saved iteration's state as JSON."""
        return self.records.iteration(self.config.name, iteration).state

    def evaluation(self, link: Link) -> EvaluationRecord:
        """Return the evaluation that `link` points to; a missing one raises `LookupError`."""
        found = self.records.evaluation_group(link.group)
        if found is None:
            raise LookupError(f"the records hold no evaluation group {link.group}")
        return found[link.index]

    @contextmanager
    def timed(self, part: str) -> Iterator[None]:
        """Count the seconds spent in the block as time of `part`."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self._count(part, time.perf_counter() - start)

    def flush_timings(self, iteration: int) -> None:
        """Write the time since the last flush to the records, as spent in `iteration`, by part."""
        now = time.perf_counter()
        with self._clock:
            parts = dict(self._seconds)
            self._seconds.clear()
        parts["orchestration"] = max(0.0, now - self._flushed - sum(parts.values()))
        self._flushed = now
        for part, seconds in parts.items():
            self.records.add_timing(self.config.name, iteration, part, seconds)
            self.observer.took(part, seconds)

    def publish_best(self, recipe: Recipe) -> str:
        """Write the best adapter (or merged model) to the run's folder; return the SHA-256 of its weights."""
        basis = self.inputs.basis
        assert not isinstance(basis, SeedBasis)  # its mean is published by `tasks.evolution`
        export = export_adapter if isinstance(basis, Basis) else export_merged
        return export(basis, recipe, self.folder.best, self.inputs.base)

    def spent(self) -> dict[str, Any]:
        """Return what the run cost, over all processes that drove it: evaluations, tokens generated, seconds."""
        used = self.records.run_evaluations(self.config.name)
        keys = {found.evaluation.group for found in used}
        groups = [group for group in self.records.evaluation_groups() if group.key in keys]
        evaluations = {(each.evaluation.group, each.evaluation.index): each.evaluation for each in used}
        unread = sum(unparsable(text) for each in evaluations.values() for text in each.predictions)
        return {
            "evaluations": len(evaluations),
            "generated_tokens": sum(group.generated_tokens for group in groups),
            "wall_seconds": round(sum(self.records.timings(self.config.name).values()), 3),
            **({"unparsable_ratings": unread} if unread else {}),
        }

    def finish(self, stopped_by: str, summary: dict[str, Any]) -> None:
        """Write the summary and mark the run finished; the last thing that a run does."""
        self.folder.write_summary(summary)
        self.records.mark(self.config.name, RunStatus.FINISHED, stopped_by=stopped_by, summary=summary)
        logger.info("finished: stopped by %s", stopped_by)
        self.observer.finished(summary)

    def _write_config(self) -> None:
        self.folder.write_config(self.config.model_dump(mode="json"))

    @contextmanager
    def _awaited(self) -> Iterator[None]:
        """Let the run be left, and its lock be freed, only when the block has ended: it may be saving scores."""
        with self._evaluations:
            self._under_way += 1
        try:
            yield
        finally:
            with self._evaluations:
                self._under_way -= 1
                self._evaluations.notify_all()

    def _refuse_if_stopped(self) -> None:
        if self.records.stop_requested(self.config.name):
            raise StopRequested(
                f"run {self.config.name!r} was asked to stop: resume it with: swarm resume {self.config.name}"
            )

    def _made_now(self, key: str, make: Callable[[], tuple[EvaluationRecord, ...]]) -> tuple[EvaluationRecord, ...]:
        made = make()
        self._made.add(key)
        self.observer.evaluated(self._work(len(made), {key}))
        return made

    def _work(self, evaluations: int, keys: Collection[str]) -> Work:
        """Return what the groups called `keys` cost whoever made them, as the records have it."""
        groups = self.records.evaluation_groups(keys)
        tokens = sum(group.generated_tokens for group in groups)
        return Work(evaluations, tokens, sum(group.seconds for group in groups))

    def _ask(self, split: Split) -> Ask:
        """Return what asks the engine, and counts the seconds as those of evaluating on `split`."""

        def ask(
            population: Sequence[Recipe], requests: Sequence[Sequence[Request]]
        ) -> tuple[list[list[Response]], float]:
            responses, seconds = self._host.run(population, requests)
            self._count(f"evaluation ({split})", seconds)
            return responses, seconds

        return ask

    def _evaluate(self, recipes: Sequence[Recipe], split: Split, objective: Objective) -> tuple[EvaluationRecord, ...]:
        made = self._evaluator.evaluate(recipes, split, self._ask(split), objective)
        scales = self._evaluator.scale_key
        if scales is not None and self.records.has_evaluation_group(scales):
            everybody = [(index, scales, index) for index in range(len(self._evaluator.initial))]
            self.records.link_evaluations(self.config.name, 0, Purpose.SCALE, everybody)
        return made

    def _count(self, part: str, seconds: float) -> None:
        with self._clock:
            self._seconds[part] += seconds

    def _open_engine(self) -> Any:
        self.observer.phase("loading the engine")
        with self.timed("engine start"):
            engine = open_engine(self.config.engine, self.inputs.base, self.inputs.basis)
        self.observer.phase("searching")
        return engine
