"""The tables as classes. `migrations/` creates them in the database; a test checks that both are equal."""

from dataclasses import fields
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    DateTime,
    Dialect,
    Double,
    ForeignKey,
    ForeignKeyConstraint,
    MetaData,
    String,
    Text,
    TypeDecorator,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from infra.records.damage import damage_in, evaluation_hashes, require_hash, require_parts
from infra.records.values import EvaluationGroup, EvaluationRecord, RunRecord, RunStatus

NAME_LENGTH = 64
HASH_LENGTH = 64

NAMING_CONVENTION = {
    "ix": "ix_%(table_name)s_%(column_0_name)s",
    "uq": "uq_%(table_name)s_%(column_0_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}
"""Constraints have the same names in every database, so that a later migration can name them."""


class UtcDateTime(TypeDecorator[datetime]):
    """An aware datetime, always UTC; SQLite keeps it without a zone, PostgreSQL with one."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Turn an aware datetime into UTC; a naive one raises `ValueError`."""
        if value is not None and value.tzinfo is None:
            raise ValueError(f"{value} has no time zone")
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return the time that was written, as UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    """The base class of all tables."""

    metadata = MetaData(naming_convention=NAMING_CONVENTION)
    type_annotation_map = {  # noqa: RUF012  (SQLAlchemy declares it as a class variable)
        datetime: UtcDateTime,
        dict[str, Any]: JSON(none_as_null=True),
        dict[str, str]: JSON,
        list[str]: JSON,
        list[float]: JSON,
        list[Any]: JSON,
        list[list[str]]: JSON,
        float: Double,
    }

    def values(self, record: type) -> dict[str, Any]:
        """Return the columns that have the names of `record`'s fields."""
        return {field.name: getattr(self, field.name) for field in fields(record) if hasattr(self, field.name)}


class RunRow(Base):
    """One run; the fields are described in `RunRecord`."""

    __tablename__ = "runs"

    name: Mapped[str] = mapped_column(String(NAME_LENGTH), primary_key=True)
    algorithm: Mapped[str] = mapped_column(String(64))
    status: Mapped[str] = mapped_column(String(16))
    config: Mapped[dict[str, Any]]
    identity: Mapped[dict[str, str]]
    seed: Mapped[int] = mapped_column(BigInteger)
    stop_requested: Mapped[bool]
    stopped_by: Mapped[str | None] = mapped_column(Text)
    error: Mapped[str | None] = mapped_column(Text)
    summary: Mapped[dict[str, Any] | None]
    summary_sha256: Mapped[str | None] = mapped_column(String(HASH_LENGTH))
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]

    def record(self) -> RunRecord:
        """Return this row as a frozen value; one that is not what was saved raises `Damage`."""
        if self.summary is not None:
            require_hash(self.summary, self.summary_sha256, f"the summary of run {self.name!r}")
        with damage_in(f"run {self.name!r}"):
            return RunRecord(**{**self.values(RunRecord), "status": RunStatus(self.status)})


class IterationRow(Base):
    """The state after one iteration of a run."""

    __tablename__ = "iterations"

    run: Mapped[str] = mapped_column(ForeignKey("runs.name"), primary_key=True)
    iteration: Mapped[int] = mapped_column(primary_key=True)
    state: Mapped[dict[str, Any]]
    sha256: Mapped[str] = mapped_column(String(HASH_LENGTH))
    created_at: Mapped[datetime]


class EvaluationGroupRow(Base):
    """The recipes that were evaluated together; belongs to no run, so that runs share it."""

    __tablename__ = "evaluation_groups"

    key: Mapped[str] = mapped_column(String(HASH_LENGTH), primary_key=True)
    objective: Mapped[str] = mapped_column(Text)
    split: Mapped[str] = mapped_column(String(16))
    engine: Mapped[str] = mapped_column(Text)
    finished: Mapped[int]
    generated_tokens: Mapped[int] = mapped_column(BigInteger)
    seconds: Mapped[float]
    created_at: Mapped[datetime]

    def record(self) -> EvaluationGroup:
        """Return this row as a frozen value."""
        return EvaluationGroup(**self.values(EvaluationGroup))


class EvaluationRow(Base):
    """One recipe's evaluation in a group."""

    __tablename__ = "evaluations"

    group: Mapped[str] = mapped_column(ForeignKey("evaluation_groups.key"), primary_key=True)
    index: Mapped[int] = mapped_column(primary_key=True)
    recipe: Mapped[dict[str, Any]]
    utility: Mapped[float]
    task_utilities: Mapped[list[float]]
    scores: Mapped[list[float]]
    predictions: Mapped[list[str]]
    outputs: Mapped[list[str]]
    hashes: Mapped[dict[str, Any] | None]

    def record(self) -> EvaluationRecord:
        """Return this row as a frozen value; one that is not what was saved raises `Damage`."""
        what = f"evaluation {self.index} of group {self.group}"
        values = self.values(EvaluationRecord)
        values.update({name: tuple(value) for name, value in values.items() if isinstance(value, list)})
        with damage_in(what):
            evaluation = EvaluationRecord(**values)
            hashes = evaluation_hashes(evaluation)
        require_parts(hashes, self.hashes, what)
        return evaluation


class NodeAnswersRow(Base):
    """The answers of the nodes of a group's systems (`infra.systems.group`); a group of recipes has no such row."""

    __tablename__ = "node_answers"

    group: Mapped[str] = mapped_column(ForeignKey("evaluation_groups.key"), primary_key=True)
    answers: Mapped[dict[str, Any]] = mapped_column(JSON)
    sha256: Mapped[str | None] = mapped_column(String(HASH_LENGTH))


class RequestRow(Base):
    """A request to an engine, by its content hash: stored once, however many objectives have it."""

    __tablename__ = "requests"

    key: Mapped[str] = mapped_column(String(HASH_LENGTH), primary_key=True)
    request: Mapped[list[Any]]


class ObjectiveRequestsRow(Base):
    """The requests of an objective on a split: a list of requests' keys for each task, one key an example."""

    __tablename__ = "objective_requests"

    objective: Mapped[str] = mapped_column(Text, primary_key=True)
    requests: Mapped[list[list[str]]]


class NodeRequestsRow(Base):
    """The requests to the nodes of a group's systems, compressed: most of their text is in the answers, too."""

    __tablename__ = "node_requests"

    group: Mapped[str] = mapped_column(ForeignKey("evaluation_groups.key"), primary_key=True)
    requests: Mapped[bytes]


class RunEvaluationRow(Base):
    """A link from a run to an evaluation that it used, with the iteration and the purpose."""

    __tablename__ = "run_evaluations"
    __table_args__ = (ForeignKeyConstraint(["group", "index"], ["evaluations.group", "evaluations.index"]),)

    run: Mapped[str] = mapped_column(ForeignKey("runs.name"), primary_key=True)
    iteration: Mapped[int] = mapped_column(primary_key=True)
    particle: Mapped[int] = mapped_column(primary_key=True)
    purpose: Mapped[str] = mapped_column(String(16), primary_key=True)
    group: Mapped[str] = mapped_column(String(HASH_LENGTH), primary_key=True)
    index: Mapped[int] = mapped_column(primary_key=True)


class TimingRow(Base):
    """The seconds that one part of one iteration took; a resumed iteration has several rows."""

    __tablename__ = "timings"

    id: Mapped[int] = mapped_column(primary_key=True)
    run: Mapped[str] = mapped_column(ForeignKey("runs.name"), index=True)
    iteration: Mapped[int]
    part: Mapped[str] = mapped_column(String(64))
    seconds: Mapped[float]
