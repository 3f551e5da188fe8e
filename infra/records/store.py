"""The records: what happened, in one database."""

from datetime import UTC, datetime
from types import TracebackType
from typing import Self

from sqlalchemy import URL

from infra.records.database import Database
from infra.records.evaluations import Evaluations
from infra.records.iterations import Iterations
from infra.records.records_part import Clock
from infra.records.runs import Runs


def utc_now() -> datetime:
    """Return the time now, in UTC."""
    return datetime.now(UTC)


class Records(Runs, Iterations, Evaluations):
    """The records of all runs, iterations and evaluations in one database.

    Obligations, checked by `tests/infra/records/test_records_conformance.py` on every kind of database:

    - Durable: when a method that writes has returned, the change survives SIGKILL and (as far as the disk keeps its
      word) a power cut.
    - Whole: each method is one transaction; a process killed inside it leaves nothing of it.
    - Immutable: an iteration and an evaluation never change once saved, and nothing is ever deleted. Only a run's
      status, request to stop and summary change, and a group's `finished`, which counts.
    - Repeatable: starting, saving and linking the same again is no error, since a resumed run does so.
    - Shared: threads and processes may use one database at once; of several that create the same thing, one does and
      the others get that. A `Records` may be used by all threads of the process that opened it, not after a fork.
    - Complete: a group that was saved with what it was asked never stands without that, to the letter.
    - Exact: floats and texts come back bit by bit, tuples as tuples, times as aware UTC.
    - Patient: a database server that goes away in the middle is waited for, and what was under way is done again,
      once and for all (`infra.records.connection_loss`); at worst a timing is counted twice.
    - Refusing: an unknown run, and a database that is damaged, unreachable or newer than this version, raise
      `InputError` with a remedy; a number that is not finite is never saved.
    """

    def __init__(self, url: str | URL, clock: Clock = utc_now) -> None:
        """Open the database at `url` (SQLite or PostgreSQL); create it, or upgrade its schema, where needed."""
        super().__init__(Database(url), clock)

    def check_integrity(self) -> None:
        """Verify the whole database; a damaged one raises `InputError`."""
        self._database.check_integrity()

    def close(self) -> None:
        """Close every connection."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
