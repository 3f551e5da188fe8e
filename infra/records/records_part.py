"""The base class of the parts of the records, and the helpers that they share."""

import difflib
import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from infra.records.database import Database
from infra.records.models import Base, RunRow
from swarm.canonical import canonical_json
from swarm.errors import InputError

Clock = Callable[[], datetime]
"""Returns the time, with its zone."""


class RecordsPart:
    """A part of the records: methods over one database, each of them one transaction."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock


def existing_run(session: Session, name: str) -> RunRow:
    """Return the row of the run called `name`; an unknown one raises `InputError` that names the nearest."""
    row = session.get(RunRow, name)
    if row is not None:
        return row
    near = difflib.get_close_matches(name, session.scalars(select(RunRow.name)).all(), n=1)
    remedy = f"did you mean {near[0]!r}?" if near else "'swarm status' lists the runs"
    raise InputError(f"there is no run {name!r}: {remedy}")


def insert_if_absent(session: Session, row: Base) -> bool:
    """Insert `row` and return True; return False if a constraint forbids it, which leaves the transaction usable.

    Portable to every database, and right when two transactions do it at once: the second waits for the first.
    """
    try:
        with session.begin_nested():
            session.add(row)
    except IntegrityError:
        return False
    return True


def plain(value: Any) -> Any:
    """Return `value` as the records would return it after saving it (tuples are lists, enumerations strings)."""
    return json.loads(canonical_json(value))
