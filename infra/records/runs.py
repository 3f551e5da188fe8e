"""Runs: their configuration and identity, their status, and how long their parts took."""

import math
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from sqlalchemy import select, update

from infra.files.run_folder import check_run_name
from infra.records.connection_loss import survives_loss
from infra.records.differences import differences
from infra.records.models import RunRow, TimingRow
from infra.records.records_part import RecordsPart, existing_run, insert_if_absent, plain
from infra.records.values import RunRecord, RunStatus
from swarm.canonical import content_hash
from swarm.errors import InputError


class Runs(RecordsPart):
    """The part of the records that is about runs; `Records` states the obligations of every method."""

    @survives_loss
    def start_run(
        self, name: str, algorithm: str, config: dict[str, Any], identity: dict[str, str], seed: int
    ) -> RunRecord:
        """Create a run, or return the run of that name if it is the same; of two callers at once only one creates it.

        An existing run is returned as it stands: its status is for the caller to `mark`.

        Raises:
            InputError: the name is not allowed, or the run of that name differs; the message shows how.

        """
        now = self._clock()
        new_row = RunRow(
            name=check_run_name(name),
            algorithm=algorithm,
            status=RunStatus.RUNNING,
            config=plain(config),
            identity=plain(identity),
            seed=seed,
            stop_requested=False,
            created_at=now,
            updated_at=now,
        )
        new = _content(new_row)
        with self._database.writing() as session:
            insert_if_absent(session, new_row)
            run = existing_run(session, name).record()
        old = _content(run)
        if old != new:
            raise InputError(
                f"run {name!r} exists and differs: {differences(old, new)}: "
                "choose another name, or put these back as they were"
            )
        return run

    @survives_loss
    def run(self, name: str) -> RunRecord:
        """Return the run called `name`; an unknown one raises `InputError` that names the nearest."""
        with self._database.reading() as session:
            return existing_run(session, name).record()

    @survives_loss
    def has_run(self, name: str) -> bool:
        """Tell whether there is a run called `name`."""
        with self._database.reading() as session:
            return session.get(RunRow, name) is not None

    @survives_loss
    def runs(self) -> list[RunRecord]:
        """Return every run, the oldest first."""
        with self._database.reading() as session:
            return [row.record() for row in session.scalars(select(RunRow).order_by(RunRow.created_at, RunRow.name))]

    @survives_loss
    def mark(
        self,
        name: str,
        status: RunStatus,
        stopped_by: str | None = None,
        error: str | None = None,
        summary: dict[str, Any] | None = None,
    ) -> None:
        """Set a run's status, why it ended and its error; without a new summary, an earlier one stays."""
        values: dict[str, Any] = {"status": RunStatus(status), "stopped_by": stopped_by, "error": error}
        if summary is not None:
            values |= {"summary": plain(summary), "summary_sha256": content_hash(summary)}
        self._update(name, values)

    @survives_loss
    def request_stop(self, name: str) -> None:
        """Ask that the run ends after the iteration under way."""
        self._update(name, {"stop_requested": True})

    @survives_loss
    def clear_stop(self, name: str) -> None:
        """Withdraw a request to stop, as resuming does."""
        self._update(name, {"stop_requested": False})

    @survives_loss
    def stop_requested(self, name: str) -> bool:
        """Return whether somebody asked the run to end."""
        with self._database.reading() as session:
            requested = session.scalar(select(RunRow.stop_requested).where(RunRow.name == name))
            return existing_run(session, name).stop_requested if requested is None else requested

    @survives_loss
    def add_timings(self, run: str, iteration: int, seconds: Mapping[str, float]) -> None:
        """Append the seconds that parts of an iteration took; work done again after a crash is appended again."""
        for part, part_seconds in seconds.items():
            if not (math.isfinite(part_seconds) and part_seconds >= 0):
                raise ValueError(f"{part!r} took {part_seconds} seconds")
        with self._database.writing() as session:
            existing_run(session, run)
            session.add_all(
                TimingRow(run=run, iteration=iteration, part=part, seconds=part_seconds)
                for part, part_seconds in seconds.items()
            )

    @survives_loss
    def timings(self, run: str) -> dict[str, float]:
        """Return the seconds that each part took over all iterations, the longest first."""
        totals: defaultdict[str, float] = defaultdict(float)
        for parts in self.timings_by_iteration(run).values():
            for part, seconds in parts.items():
                totals[part] += seconds
        return dict(sorted(totals.items(), key=lambda item: -item[1]))

    @survives_loss
    def timings_by_iteration(self, run: str) -> dict[int, dict[str, float]]:
        """Return {iteration: {part: seconds}}."""
        timings: defaultdict[int, defaultdict[str, float]] = defaultdict(lambda: defaultdict(float))
        with self._database.reading() as session:
            existing_run(session, run)
            for row in session.scalars(
                select(TimingRow).where(TimingRow.run == run).order_by(TimingRow.iteration, TimingRow.id)
            ):
                timings[row.iteration][row.part] += row.seconds
        return {iteration: dict(parts) for iteration, parts in timings.items()}

    def _update(self, name: str, values: dict[str, Any]) -> None:
        with self._database.writing() as session:
            existing_run(session, name)
            session.execute(update(RunRow).where(RunRow.name == name).values(**values, updated_at=self._clock()))


def _content(run: RunRow | RunRecord) -> dict[str, Any]:
    return {**run.config, "algorithm": run.algorithm, "seed": run.seed, "identity": run.identity}
