"""A run that this process drives: its lock, folder, records, evaluation groups and clock."""

import logging
from collections.abc import Sequence
from contextlib import ExitStack
from types import TracebackType
from typing import Any, Generic, Protocol, Self

from data.kinds.rated import unparsable
from experts.basis import Basis
from experts.export import export_adapter, export_merged
from experts.seed_basis import SeedBasis
from infra.engines.base import Engine
from infra.engines.kinds import open_engine
from infra.evaluation.groups import EvaluationGroups, StopRequested
from infra.files.locks import run_lock
from infra.files.run_folder import RunFolder
from infra.files.run_log import run_log
from infra.observing.clock import RunClock
from infra.observing.observer import current_observer
from infra.observing.views import IterationView
from infra.observing.watching import watch
from infra.records.store import Records
from infra.records.values import EvaluationRecord, Purpose, RunStatus
from infra.run.prepare import Config, Inputs, ReadInputs, prepare
from infra.settings import Settings
from swarm.plan import Link
from swarm.recipes import Recipe

logger = logging.getLogger(__name__)


class SavedState(Protocol):
    """The whole state of a search after an iteration."""

    @property
    def iteration(self) -> int:
        """Its number; the first is 0."""
        ...

    def to_json(self) -> dict[str, Any]:
        """Return the state as JSON."""
        ...


class OpenRun(Generic[Config, Inputs]):
    """A context in which one run goes on: entering it takes the lock and starts or continues the record.

    Leaving it by an exception leaves a resumable run: `stopped` after an interrupt, else `failed` with the error.
    """

    def __init__(self, config: Config, read: ReadInputs[Config, Inputs], settings: Settings | None = None) -> None:
        """`read` is the algorithm's: it reads what `config` names (`Search.inputs`)."""
        self.config, self._read = config, read
        self.settings = settings or Settings()
        self.observer = current_observer()
        self._stack = ExitStack()
        self.clock = RunClock()

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self.observer.phase("reading experts and data")
            self.inputs = prepare(self.config, self.settings, self._read)
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
            for warning in self.inputs.objective.warnings:
                logger.warning("%s", warning)
            self.observer = stack.enter_context(
                watch(self.observer, self.config.track, record, self.folder, self.settings.metrics_port)
            )
            self.records.clear_stop(self.config.name)
            self.records.mark(self.config.name, RunStatus.RUNNING)
            self.groups = EvaluationGroups(
                self.config.name,
                self.inputs,
                self.settings,
                self.records,
                self.observer,
                self.clock,
                self._open_engine,
            )
            stack.callback(self.groups.close)
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.groups.close()  # before anything is gone that an evaluation under way needs
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

    def save(self, state: SavedState, links: Sequence[Link], view: IterationView) -> None:
        """Save an iteration, after the evaluations that it came from, and show it as `view`."""
        self.groups.link(state.iteration, Purpose.SEARCH, links)
        self.records.save_iteration(self.config.name, state.iteration, state.to_json())
        self.flush_timings(state.iteration)
        logger.info(view.headline)
        self.observer.iteration(view)

    def state(self, iteration: int) -> dict[str, Any]:
        """Return a saved iteration's state as JSON."""
        return self.records.iteration(self.config.name, iteration).state

    def evaluation(self, link: Link) -> EvaluationRecord:
        """Return the evaluation that `link` points to; a missing one raises `LookupError`."""
        evaluations = self.records.evaluation_group(link.group)
        if evaluations is None:
            raise LookupError(f"the records hold no evaluation group {link.group}")
        return evaluations[link.index]

    def flush_timings(self, iteration: int) -> None:
        """Write the time since the last flush to the records, as spent in `iteration`, by part."""
        self.clock.flush(self.records, self.config.name, iteration, self.observer)

    def publish_best(self, recipe: Recipe) -> str:
        """Write the best adapter (or merged model) to the run's folder; return the SHA-256 of its weights."""
        basis = self.inputs.basis
        assert not isinstance(basis, SeedBasis)  # its mean is published by `tasks.evolution`
        export = export_adapter if isinstance(basis, Basis) else export_merged
        return export(basis, recipe, self.folder.best, self.inputs.base)

    def cost(self) -> dict[str, Any]:
        """Return what the run cost, over all processes that drove it: evaluations, tokens generated, seconds."""
        links = self.records.run_evaluations(self.config.name)
        keys = {link.evaluation.group for link in links}
        groups = [group for group in self.records.evaluation_groups() if group.key in keys]
        evaluations = {(link.evaluation.group, link.evaluation.index): link.evaluation for link in links}
        unread = sum(unparsable(text) for evaluation in evaluations.values() for text in evaluation.predictions)
        return {
            "evaluations": len(evaluations),
            "generated_tokens": sum(group.generated_tokens for group in groups),
            "wall_seconds": round(sum(self.records.timings(self.config.name).values()), 3),
            **({"unparsable_ratings": unread} if unread else {}),
        }

    def heading(self, iterations: int, stopped_by: str) -> dict[str, Any]:
        """Return how the summary of every search begins: what was searched with what, until when, at what cost."""
        inputs = self.inputs
        return {
            "run": self.config.name,
            "algorithm": self.config.algorithm,
            "seed": self.config.seed,
            "objective": {task.name: task.data_sha256 for task in inputs.objective.tasks},
            "base_model": {"name": inputs.base.name, "sha256": inputs.base.sha256},
            "experts": dict(zip(inputs.basis.names, inputs.basis.ids, strict=True)),
            "iterations": iterations,
            "stopped_by": stopped_by,
            **self.cost(),
        }

    def finish(self, stopped_by: str, summary: dict[str, Any]) -> None:
        """Write the summary and mark the run finished; the last thing that a run does."""
        self.folder.write_summary(summary)
        self.records.mark(self.config.name, RunStatus.FINISHED, stopped_by=stopped_by, summary=summary)
        logger.info("finished: stopped by %s", stopped_by)
        self.observer.end(summary)

    def _write_config(self) -> None:
        self.folder.write_config(self.config.model_dump(mode="json"))

    def _open_engine(self) -> Engine:
        self.observer.phase("loading the engine")
        with self.clock.measure("engine start"):
            engine = open_engine(self.config.engine, self.inputs.base, self.inputs.basis)
        self.observer.phase("searching")
        return engine
