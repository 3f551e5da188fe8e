"""Iterations: the whole swarm state after each of them, never changed."""

from typing import Any

from sqlalchemy import select

from infra.records.connection_loss import survives_loss
from infra.records.models import IterationRow
from infra.records.records_part import RecordsPart, existing_run, insert_if_absent, plain
from infra.records.values import IterationRecord


class Iterations(RecordsPart):
    """The part of the records that is about iterations; `Records` states the obligations of every method."""

    @survives_loss
    def save_iteration(self, run: str, iteration: int, state: dict[str, Any], sha256: str) -> None:
        """Save the state after an iteration, once: saving an equal one again changes nothing.

        Raises:
            RuntimeError: another state is there, so replaying the run did not give what it gave before.

        """
        now, plain_state = self._clock(), plain(state)
        with self._database.writing() as session:
            owner = existing_run(session, run)
            row = IterationRow(run=run, iteration=iteration, state=plain_state, sha256=sha256, created_at=now)
            if insert_if_absent(session, row):
                owner.updated_at = now
                return
            earlier_row = session.get_one(IterationRow, (run, iteration))
            if (earlier_row.state, earlier_row.sha256) != (plain_state, sha256):
                raise RuntimeError(
                    f"replay of run {run!r} diverged at iteration {iteration}: "
                    f"its state was {earlier_row.sha256} and is now {sha256}"
                )

    @survives_loss
    def iteration(self, run: str, iteration: int) -> IterationRecord:
        """Return one saved iteration of a run; one that was not saved raises `LookupError`."""
        with self._database.reading() as session:
            existing_run(session, run)
            row = session.get(IterationRow, (run, iteration))
            if row is None:
                raise LookupError(f"run {run!r} has no iteration {iteration}")
            return row.record()

    @survives_loss
    def iterations(self, run: str) -> list[IterationRecord]:
        """Return the saved iterations of a run, in order."""
        with self._database.reading() as session:
            existing_run(session, run)
            rows = session.scalars(select(IterationRow).where(IterationRow.run == run).order_by(IterationRow.iteration))
            return [row.record() for row in rows]
