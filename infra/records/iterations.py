"""Iterations: the whole swarm state after each of them, never changed."""

import json
from typing import Any

from sqlalchemy import Row, Select, Text, cast, select

from infra.records.connection_loss import survives_loss
from infra.records.damage import damage_in, require_saved_text
from infra.records.models import IterationRow
from infra.records.records_part import RecordsPart, existing_run, insert_if_absent, plain
from infra.records.values import IterationRecord
from swarm.canonical import content_hash
from swarm.errors import InputError


class Iterations(RecordsPart):
    """The part of the records that is about iterations; `Records` states the obligations of every method."""

    @survives_loss
    def save_iteration(self, run: str, iteration: int, state: dict[str, Any]) -> None:
        """Save the state after an iteration with its hash, once: saving an equal one again changes nothing.

        Raises:
            InputError: another state is there, so replaying the run did not give what it gave before.

        """
        now, plain_state, sha256 = self._clock(), plain(state), content_hash(state)
        with self._database.writing() as session:
            owner = existing_run(session, run)
            row = IterationRow(run=run, iteration=iteration, state=plain_state, sha256=sha256, created_at=now)
            if insert_if_absent(session, row):
                owner.updated_at = now
                return
            earlier = _record(session.execute(_rows(run).where(IterationRow.iteration == iteration)).one())
            if earlier.sha256 != sha256:
                raise InputError(
                    f"replay of run {run!r} diverged at iteration {iteration}: its state was {earlier.sha256[:12]}… "
                    f"and is now {sha256[:12]}…: the records or this machine changed since: restore the records from "
                    "a backup, or search again under another name"
                )

    @survives_loss
    def iteration(self, run: str, iteration: int) -> IterationRecord:
        """Return one saved iteration of a run; one that was not saved raises `LookupError`."""
        with self._database.reading() as session:
            existing_run(session, run)
            row = session.execute(_rows(run).where(IterationRow.iteration == iteration)).one_or_none()
            if row is None:
                raise LookupError(f"run {run!r} has no iteration {iteration}")
            return _record(row)

    @survives_loss
    def iterations(self, run: str) -> list[IterationRecord]:
        """Return the saved iterations of a run, in order."""
        with self._database.reading() as session:
            existing_run(session, run)
            return [_record(row) for row in session.execute(_rows(run).order_by(IterationRow.iteration))]


def _rows(run: str) -> Select[Any]:
    """Select the iterations of a run, their states as the text that was saved."""
    row = IterationRow
    return select(row.run, row.iteration, cast(row.state, Text).label("text"), row.sha256, row.created_at).where(
        row.run == run
    )


def _record(row: Row[Any]) -> IterationRecord:
    """Return an iteration; one that is not what was saved raises `Damage`."""
    what = f"iteration {row.iteration} of run {row.run!r}"
    with damage_in(what):
        state = json.loads(row.text)
    require_saved_text(row.text, state, row.sha256, what)
    return IterationRecord(row.iteration, state, row.sha256, row.created_at)
