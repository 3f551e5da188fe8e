"""A run that this process drives: its lock, folder, records, engine and clock."""

import logging
import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from types import TracebackType
from typing import Any, Generic, Protocol, Self, TypeVar

from data.examples import Split
from experts.basis import Basis
from experts.export import export_adapter, export_merged
from infra.configs.common import RunConfig
from infra.engines.host import EngineHost
from infra.engines.opening import open_engine
from infra.observer import current_observer
from infra.prepare import prepare
from infra.records.store import Records
from infra.records.values import EvaluationRecord, Purpose, RunStatus
from infra.run_folder import RunFolder
from infra.run_lock import run_lock
from infra.run_log import run_log
from infra.settings import Settings
from infra.views.base import IterationView
from swarm.canonical import content_hash
from swarm.plan import Link
from swarm.recipes import Recipe

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

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self.observer.phase("reading experts and data")
            self.inputs = prepare(self.config, self.settings)
            self.folder = RunFolder(self.settings.runs, self.config.name)
            stack.enter_context(run_lock(self.folder.path))
            self.records = stack.enter_context(Records(self.settings.records_url))
            if not self.records.has_run(self.config.name):
                self._write_config()  # before the record: what is recorded can be resumed
            self.records.start_run(
                self.config.name, self.config.algorithm, self.config.settings(), self.inputs.identity, self.config.seed
            )
            self._write_config()
            stack.enter_context(run_log(self.folder.log))
            self.records.clear_stop(self.config.name)
            self.records.mark(self.config.name, RunStatus.RUNNING)
            self._host = EngineHost(self._open_engine, self.observer.rows, self._refuse_if_stopped)
            stack.callback(self._host.close)
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._host.close()  # ends the evaluation under way before anything it needs is gone
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

    def evaluate(self, recipes: Sequence[Recipe], split: Split) -> dict[str, Any]:
        """Evaluate a group of recipes, or find it in the records; the scores are committed before this returns.

        Returns:
            {"group": its key, "utilities": one a recipe}.

        Raises:
            EvaluationError: the engine could not answer.
            StopRequested: somebody asked the run to stop.

        """
        with self._awaited():
            self._refuse_if_stopped()
            key = self.group_key(recipes, split)
            found = self.records.evaluation_group(key) or self._evaluate(key, recipes, split)
        return {"group": key, "utilities": [evaluation.utility for evaluation in found]}

    def group_key(self, recipes: Sequence[Recipe], split: Split) -> str:
        """Return the content hash of an evaluation group: who is evaluated together, on what, by which engine."""
        content = [
            [recipe.to_json() for recipe in recipes],
            self.inputs.objective.split_key(split),
            split,
            self.inputs.engine,
        ]
        return content_hash(content)

    def has_group(self, key: str) -> bool:
        """Tell whether the records hold the group: a task result alone is no proof that they do."""
        return self.records.has_evaluation_group(key)

    def link(self, iteration: int, purpose: Purpose, links: Sequence[Link]) -> None:
        """Record whose evaluations the run used, and what for."""
        self.records.link_evaluations(
            self.config.name, iteration, purpose, [(link.particle, link.group, link.index) for link in links]
        )

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

    def publish_best(self, recipe: Recipe) -> str:
        """Write the best adapter (or merged model) to the run's folder; return the SHA-256 of its weights."""
        export = export_adapter if isinstance(self.inputs.basis, Basis) else export_merged
        return export(self.inputs.basis, recipe, self.folder.best, self.inputs.base)

    def spent(self) -> dict[str, Any]:
        """Return what the run cost, over all processes that drove it: evaluations, tokens generated, seconds."""
        used = self.records.run_evaluations(self.config.name)
        keys = {found.evaluation.group for found in used}
        groups = [group for group in self.records.evaluation_groups() if group.key in keys]
        return {
            "evaluations": len({(found.evaluation.group, found.evaluation.index) for found in used}),
            "generated_tokens": sum(group.generated_tokens for group in groups),
            "wall_seconds": round(sum(self.records.timings(self.config.name).values()), 3),
        }

    def finish(self, stopped_by: str, summary: dict[str, Any]) -> None:
        """Write the summary and mark the run finished; the last thing that a run does."""
        self.folder.write_summary(summary)
        self.records.mark(self.config.name, RunStatus.FINISHED, stopped_by=stopped_by, summary=summary)
        logger.info("finished: stopped by %s", stopped_by)

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

    def _evaluate(self, key: str, recipes: Sequence[Recipe], split: Split) -> tuple[EvaluationRecord, ...]:
        objective = self.inputs.objective
        responses, seconds = self._host.run(recipes, [objective.requests(split)] * len(recipes))
        self._count(f"evaluation ({split})", seconds)
        with self.timed("scoring and records"):
            evaluations = [objective.score(split, answers) for answers in responses]
            records = [
                EvaluationRecord(
                    key, i, recipe.to_json(), e.utility, e.task_utilities, e.scores, e.predictions, e.outputs
                )
                for i, (recipe, e) in enumerate(zip(recipes, evaluations, strict=True))
            ]
            tokens = sum(getattr(answer, "tokens", 0) for answers in responses for answer in answers)
            return self.records.save_evaluation_group(
                key,
                objective.split_key(split),
                split,
                self.inputs.engine,
                records,
                generated_tokens=tokens,
                seconds=seconds,
            )

    def _count(self, part: str, seconds: float) -> None:
        with self._clock:
            self._seconds[part] += seconds

    def _open_engine(self) -> Any:
        self.observer.phase("loading the engine")
        with self.timed("engine start"):
            engine = open_engine(self.config.engine, self.inputs.base, self.inputs.basis)
        self.observer.phase("searching")
        return engine
