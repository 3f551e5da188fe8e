"""What a search is: everything that differs from algorithm to algorithm, as one record.

`flows/searches.py` is the table of these records. Nothing else asks which algorithm a run has.
"""

import pkgutil
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from data.examples import Split
from infra.configs.common import RunConfig
from infra.observing.views import BestSoFar, SummaryText, Table
from infra.records.store import Records
from infra.records.values import EvaluationRecord, IterationRecord, Purpose, RunRecord
from infra.report.asked_examples import AskedExample, Pair, first_examples
from infra.settings import Settings
from swarm.errors import InputError

if TYPE_CHECKING:  # these import PyTorch, which takes seconds: not for `swarm status`
    from experts.base_models import BaseModel
    from experts.bases import AnyBasis
    from infra.evaluation.inputs import RunInputs
    from infra.evaluation.subject import Subject

Config = TypeVar("Config", bound=RunConfig)
Json = dict[str, Any]


@dataclass(frozen=True)
class ExportOptions:
    """The options of `swarm export`: the best of one `iteration`, and adapters `merged` into their base."""

    iteration: int | None = None
    merged: bool = False


class Search(ABC, Generic[Config]):
    """One algorithm.

    Obligations, checked by `tests/searches/conformance.py` for every line of the table:

    - `inputs` refuses in one line whatever can't be searched, before anything is written;
    - what is shown and used (`best_so_far` … `export`) reads the records and files alone, of a run that is under way,
      killed or finished; nothing of it needs the flow;
    - a method that this algorithm has no answer to raises `InputError`, which says what to do instead;
    - methods import what takes seconds (PyTorch, Prefect) themselves, so that the table can be read at once.
    """

    name: ClassVar[str]
    """The value of a configuration's `algorithm`."""
    title: ClassVar[str]
    """Its name for people."""
    paper: ClassVar[str]
    """Where it is described: "arXiv 2410.11163"."""
    schema: type[Config]
    """Its configuration."""

    def __init__(self, flow: str) -> None:
        """`flow` names the Prefect flow, "package.module:function"; it is imported when a run starts."""
        self.flow = flow

    def load_flow(self) -> Callable[[Config], Any]:
        """Import the flow."""
        flow: Callable[[Config], Any] = pkgutil.resolve_name(self.flow)
        return flow

    @abstractmethod
    def inputs(self, config: Config, base: "BaseModel", settings: Settings) -> "RunInputs":
        """Read and check everything that `config` names.

        Raises:
            InputError: something is missing, damaged, or doesn't fit.

        """

    @abstractmethod
    def initial_basis(self, config: Config, base: "BaseModel") -> "AnyBasis":
        """Return what the initial recipes are made from, whose answers set scales of rewards."""

    def going_on_from(self, config: Json, run: str) -> Json:
        """Return the configuration (JSON) of the same search that begins with what the finished `run` found.

        As it is, where the algorithm can't do that.
        """
        return config

    def bases(self, run: RunRecord) -> tuple[str, ...]:
        """Return the names of what the coefficients of `run` belong to, in their order."""
        raise InputError(f"run {run.name!r}: {self.title} has no coefficients")

    def most_iterations(self, run: RunRecord) -> int | None:
        """Return the most iterations that `run` makes; None if it has no such limit."""
        most: int | None = run.config["search"]["max_iterations"]
        return most

    @abstractmethod
    def best_so_far(self, run: RunRecord, state: Json) -> BestSoFar | None:
        """Return the best as of the saved `state`; None before there is one."""

    @abstractmethod
    def history(self, run: RunRecord, iterations: Sequence[IterationRecord]) -> Table:
        """Return one row an iteration."""

    @abstractmethod
    def iteration(self, run: RunRecord, iteration: IterationRecord) -> Table:
        """Return what was evaluated in one iteration, a row each."""

    def history_record(self, iteration: IterationRecord) -> Json:
        """Return what `swarm history --json` says of an iteration."""
        return iteration.state

    @abstractmethod
    def summary_text(self, summary: Json) -> SummaryText:
        """Return how the summary of a finished run is printed."""

    def report(self, records: Records, run: str) -> str:
        """Return the report of `run`, finished or not, as one HTML page: a plain one by default."""
        from infra.report.plain import plain_report

        record = records.run(run)
        candidates = (self.best_so_far(record, iteration.state) for iteration in records.iterations(run))
        bests = [best for best in candidates if best is not None]
        return plain_report(records, record, bests, self.examples(records, record))

    def finalists(self, records: Records, run: RunRecord, split: Split) -> Pair:
        """Return the evaluations of the starting best and of the best so far on `split`."""
        if split != "test":
            return self.dev_finalists(records, run)
        start, best = (_greatest(records, run, ends) for ends in (Purpose.STARTING_BEST, Purpose.ENDING_BEST))
        return start, best

    def examples(self, records: Records, run: RunRecord) -> list[AskedExample]:
        """Return the first few examples of a report: what was asked, word for word, and what was answered."""
        return first_examples(records, run, lambda split: self.finalists(records, run, split))

    @abstractmethod
    def dev_finalists(self, records: Records, run: RunRecord) -> Pair:
        """Return the evaluations of the starting best and of the best so far on the dev split."""

    @abstractmethod
    def subject(self, records: Records, settings: Settings, run: RunRecord) -> "Subject":
        """Return the best of `run` so far as what `swarm evaluate` evaluates.

        Raises:
            InputError: it has none yet, or its base model or an expert is gone or changed.

        """

    @abstractmethod
    def export(
        self, records: Records, settings: Settings, run: RunRecord, folder: Path, options: ExportOptions
    ) -> Json:
        """Write the best of `run` so far to `folder`; return what `swarm export --json` says of it.

        That has at least: run, folder, kind, sha256, finished.

        Raises:
            InputError: it has none yet, an option has no meaning here, or a base model or expert is gone or changed.

        """


def _greatest(records: Records, run: RunRecord, purpose: Purpose) -> EvaluationRecord | None:
    evaluations = (link.evaluation for link in records.run_evaluations(run.name, purpose))
    return max(evaluations, key=lambda evaluation: evaluation.utility, default=None)
