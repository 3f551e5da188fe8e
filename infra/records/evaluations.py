"""Evaluations, which all runs share, and the links from runs to the evaluations that they used."""

import math
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Executable, and_, select, update
from sqlalchemy.orm import Session

from infra.records.connection_loss import survives_loss
from infra.records.damage import Damage, damage_in, evaluation_hashes, require_hash, require_parts, utility_hash
from infra.records.models import (
    EvaluationGroupRow,
    EvaluationRow,
    NodeAnswersRow,
    NodeRequestsRow,
    RunEvaluationRow,
)
from infra.records.records_part import RecordsPart, existing_run, insert_if_absent, plain
from infra.records.request_texts import GroupRequests, RequestJson, objective_requests, save_requests, unpack_requests
from infra.records.values import EvaluationGroup, EvaluationRecord, Purpose, RunEvaluation
from swarm.canonical import content_hash
from swarm.errors import EvaluationError


class Evaluations(RecordsPart):
    """The part of the records that is about evaluations; `Records` states the obligations of every method."""

    @survives_loss
    def evaluation_group(self, key: str) -> tuple[EvaluationRecord, ...] | None:
        """Return the evaluations of a finished group in the order of their index; None if it was never finished."""
        with self._database.reading() as session:
            return _members(session, key) or None  # no group is empty

    @survives_loss
    def utilities(self, key: str) -> list[float] | None:
        """Return the utilities of a finished group in the order of their index, without reading its examples.

        None if it was never finished.
        """
        row = EvaluationRow
        query = select(row.index, row.recipe, row.utility, row.task_utilities, row.hashes)
        with self._database.reading() as session:
            rows = session.execute(query.where(row.group == key).order_by(row.index)).all()
            for index, recipe, utility, task_utilities, hashes in rows:
                what = f"evaluation {index} of group {key}"
                with damage_in(what):
                    now = utility_hash(key, index, recipe, utility, task_utilities)
                require_parts({"utility": now}, hashes, what)
        return [utility for _, _, utility, _, _ in rows] or None  # no group is empty

    @survives_loss
    def has_evaluation_group(self, key: str) -> bool:
        """Tell whether a group was finished, without reading its outputs."""
        with self._database.reading() as session:
            return session.get(EvaluationGroupRow, key) is not None

    def save_evaluation_group(
        self,
        key: str,
        objective: str,
        split: str,
        engine: str,
        evaluations: Sequence[EvaluationRecord],
        generated_tokens: int,
        seconds: float,
        node_answers: dict[str, Any] | None = None,
        requests: GroupRequests | None = None,
    ) -> tuple[EvaluationRecord, ...]:
        """Save a finished group, whole or not at all, and return the evaluations that the records hold for it.

        The `node_answers` of systems (plain JSON) and the `requests` of the group are saved in the same transaction, so
        that scores are never there without the texts that they came from.

        A group that is there already stays as it was first saved, its `finished` goes up by one, and the first
        evaluations are returned: whoever goes on with what is returned agrees with everybody else.

        Raises:
            EvaluationError: a utility or a score is not finite: a failure never becomes a score.
            ValueError: the evaluations are none, or are not those of `key` with the indices 0, 1, ….

        """
        _check(key, evaluations, seconds)
        group = {
            "key": key,
            "objective": objective,
            "split": split,
            "engine": engine,
            "finished": 1,
            "generated_tokens": generated_tokens,
            "seconds": seconds,
            "created_at": self._clock(),
        }
        return self._save_group(group, evaluations, node_answers, requests)

    @survives_loss
    def _save_group(
        self,
        group: dict[str, Any],
        evaluations: Sequence[EvaluationRecord],
        node_answers: dict[str, Any] | None,
        requests: GroupRequests | None,
    ) -> tuple[EvaluationRecord, ...]:
        key = group["key"]
        with self._database.writing() as session:
            if insert_if_absent(session, EvaluationGroupRow(**group)):
                if requests is not None:
                    save_requests(session, key, group["objective"], requests)
                session.add_all(map(_evaluation_row, evaluations))
                if node_answers is not None:
                    answers = plain(node_answers)
                    session.add(NodeAnswersRow(group=key, answers=answers, sha256=content_hash(answers)))
                session.flush()
            else:
                _count_again(session, key, group["created_at"])
            return _members(session, key)

    @survives_loss
    def node_answers(self, key: str) -> dict[str, Any] | None:
        """Return the `node_answers` that were saved with a group; None if there are none."""
        with self._database.reading() as session:
            row = session.get(NodeAnswersRow, key)
            if row is None:
                return None
            require_hash(row.answers, row.sha256, f"the answers of the nodes of group {key}")
            return row.answers

    @survives_loss
    def objective_requests(self, objective: str) -> tuple[tuple[RequestJson, ...], ...] | None:
        """Return the requests of the objective with the key `objective`: one list a task, one request an example.

        None if no group of it was saved with its requests.
        """
        with self._database.reading() as session:
            return objective_requests(session, objective)

    @survives_loss
    def node_requests(self, key: str) -> dict[str, RequestJson]:
        """Return the requests to the nodes of a group's systems, by the requests' keys; {} for a group of recipes."""
        with self._database.reading() as session:
            row = session.get(NodeRequestsRow, key)
            return {} if row is None else unpack_requests(row.requests)

    @survives_loss
    def evaluation_groups(self, keys: Collection[str] | None = None) -> list[EvaluationGroup]:
        """Return every finished group, or those with `keys`, the oldest first, without their evaluations."""
        oldest_first = select(EvaluationGroupRow).order_by(EvaluationGroupRow.created_at, EvaluationGroupRow.key)
        if keys is not None:
            oldest_first = oldest_first.where(EvaluationGroupRow.key.in_(keys))
        with self._database.reading() as session:
            return [row.record() for row in session.scalars(oldest_first)]

    @survives_loss
    def link_evaluations(self, run: str, iteration: int, purpose: str, links: Sequence[tuple[int, str, int]]) -> None:
        """Record which evaluations a run used in an iteration; doing so again changes nothing.

        All evaluations of a particle for one purpose are given at once.

        Args:
            run: its name.
            iteration: when.
            purpose: a `Purpose`.
            links: (particle, group, index) of each evaluation.

        Raises:
            DamagedRecords: a particle is linked to another evaluation already.
            LookupError: an evaluation was not saved; scores are saved before what depends on them.
            ValueError: `purpose` is not a `Purpose`.

        """
        rows = [
            RunEvaluationRow(
                run=run, iteration=iteration, particle=particle, purpose=Purpose(purpose), group=group, index=index
            )
            for particle, group, index in dict.fromkeys(links)
        ]
        with self._database.writing() as session:
            existing_run(session, run)
            _require_evaluations(session, {(row.group, row.index) for row in rows})
            existing_links = {tuple(row) for row in session.execute(_links(run, iteration, purpose))}
            _require_same(existing_links, rows)
            for row in rows:
                if (row.particle, row.group, row.index) not in existing_links:
                    session.add(row)

    @survives_loss
    def run_evaluations(self, run: str, purpose: str | None = None) -> list[RunEvaluation]:
        """Return the evaluations of a run by iteration, particle, purpose; those of one purpose if it is given."""
        link = RunEvaluationRow
        query = select(link, EvaluationRow).where(link.run == run)
        query = query.join(EvaluationRow, and_(EvaluationRow.group == link.group, EvaluationRow.index == link.index))
        if purpose is not None:
            query = query.where(link.purpose == Purpose(purpose))
        query = query.order_by(link.iteration, link.particle, link.purpose, link.group, link.index)
        with self._database.reading() as session:
            existing_run(session, run)
            return [
                RunEvaluation(row.iteration, row.particle, Purpose(row.purpose), evaluation.record())
                for row, evaluation in session.execute(query)
            ]


def _evaluation_row(evaluation: EvaluationRecord) -> EvaluationRow:
    return EvaluationRow(**plain(vars(evaluation)), hashes=evaluation_hashes(evaluation))


def _count_again(session: Session, key: str, now: datetime) -> None:
    """Count that a group was finished again, unless it was saved at this moment: then a lost commit is repeated."""
    row = EvaluationGroupRow
    session.execute(update(row).where(row.key == key, row.created_at != now).values({row.finished: row.finished + 1}))


def _members(session: Session, key: str) -> tuple[EvaluationRecord, ...]:
    query = select(EvaluationRow).where(EvaluationRow.group == key).order_by(EvaluationRow.index)
    return tuple(row.record() for row in session.scalars(query))


def _links(run: str, iteration: int, purpose: str) -> Executable:
    link = RunEvaluationRow
    return select(link.particle, link.group, link.index).where(
        link.run == run, link.iteration == iteration, link.purpose == purpose
    )


def _require_same(existing_links: Collection[Any], rows: Sequence[RunEvaluationRow]) -> None:
    """Raise `Damage` if a particle of `rows` has another link: replaying a run makes the links that it made before."""
    links = {(row.particle, row.group, row.index) for row in rows}
    particles = {row.particle for row in rows}
    for particle, group, index in existing_links:
        if particle in particles and (particle, group, index) not in links:
            what = f"run {rows[0].run!r}, iteration {rows[0].iteration}, particle {particle} ({rows[0].purpose})"
            raise Damage(f"{what}: linked to evaluation {index} of group {group}, which it did not use")


def _require_evaluations(session: Session, keys: set[tuple[str, int]]) -> None:
    groups = {group for group, _ in keys}
    query = select(EvaluationRow.group, EvaluationRow.index).where(EvaluationRow.group.in_(groups))
    missing = keys - {(row.group, row.index) for row in session.execute(query)}
    if missing:
        group, index = min(missing)
        raise LookupError(f"there is no evaluation {index} of group {group!r}: save the group before linking it")


def _check(key: str, evaluations: Sequence[EvaluationRecord], seconds: float) -> None:
    keys = [(evaluation.group, evaluation.index) for evaluation in evaluations]
    if not keys or keys != [(key, index) for index in range(len(keys))]:
        raise ValueError(f"group {key!r} cannot hold the evaluations {keys}")
    if not (math.isfinite(seconds) and seconds >= 0):
        raise ValueError(f"group {key!r} took {seconds} seconds")
    for evaluation in evaluations:
        numbers = (evaluation.utility, *evaluation.task_utilities, *evaluation.scores)
        wrong = next((number for number in numbers if not math.isfinite(number)), None)
        if wrong is not None:
            raise EvaluationError(f"evaluation {evaluation.index} of group {key} has the score {wrong}: not saved")
