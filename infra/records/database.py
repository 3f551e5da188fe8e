"""Open a database, and give it two kinds of transaction: reading and writing."""

import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from json import JSONDecodeError
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, IntegrityError, NoSuchModuleError
from sqlalchemy.orm import Session

from experts.files import cannot_write
from infra.records.connection_loss import ConnectionLost, is_connection_loss
from infra.records.damage import Damage, DamagedRecords
from infra.records.upgrade import upgrade
from swarm.canonical import canonical_json
from swarm.errors import InputError

BUSY_SECONDS = 30
"""The seconds that a write waits for another process's write."""

_REMEDIES = {
    "not a database": "restore it from a backup, or move it away and start again",
    "malformed": "restore it from a backup, or move it away and start again",
    "locked": f"another process kept it locked for {BUSY_SECONDS} s: find it and end it, then resume",
    "readonly": "this user may not write there: change its permissions or set SWARM_DATABASE_URL",
    "disk": "free some space there and resume; nothing recorded before was touched",
    "unable to open": "check that it is a file this user may write, or set SWARM_DATABASE_URL",
    "already exists": "it holds something else's tables: set SWARM_DATABASE_URL to an empty database",
    "connection": "check that the server runs and that SWARM_DATABASE_URL is right, then resume",
}


class Database:
    """A migrated database and its transactions; safe to use from several threads, not across a fork.

    A database that cannot be opened, read or written raises `InputError`, whose message names it (never its
    password) and says what to do; `ConnectionLost`, which is one, says that trying again may help.
    """

    def __init__(self, url: str | URL) -> None:
        checked_url = _check_url(url)
        # Not the query: a password may stand there, too, and SQLAlchemy hides only the one before the host.
        self._where = checked_url.database if _is_sqlite(checked_url) else checked_url.set(query={}).render_as_string()
        self._engine = _sqlite(checked_url) if _is_sqlite(checked_url) else _postgresql(checked_url)
        self._writer = self._engine.execution_options(sqlite_begin="IMMEDIATE")
        try:
            with self._as_input_errors():
                upgrade(self._engine, self._writer, str(self._where))
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close every connection; everything that was written is safe already."""
        self._engine.dispose()

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """Give a session that sees one snapshot (SQLite) and writes nothing.

        Raises:
            DamagedRecords: the block reads what was not saved so.

        """
        with self._as_input_errors(), Session(self._engine) as session:
            try:
                yield session
            except InputError:
                raise
            except (TypeError, ValueError) as error:  # a value that no column of its kind may hold
                raise _unreadable(error) from error

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """Give a session whose changes become durable together at the end of the block, or not at all if it raises."""
        with self._as_input_errors(), Session(self._writer) as session, session.begin():
            yield session

    def check_integrity(self) -> None:
        """Read the whole SQLite database and verify it; PostgreSQL verifies its own pages, so this only connects to it.

        Raises:
            InputError: a page is damaged, or a row refers to one that is not there.

        """
        with self.reading() as session:
            connection = session.connection()
            damage = _damage(connection) if connection.dialect.name == "sqlite" else None
        if damage:
            raise self._damaged(damage)

    @contextmanager
    def _as_input_errors(self) -> Iterator[None]:
        try:
            yield
        except IntegrityError:
            raise
        except Damage as error:
            raise self._damaged(str(error)) from error
        except (JSONDecodeError, zlib.error) as error:
            raise self._damaged(str(_unreadable(error))) from error
        except DBAPIError as error:
            kind = ConnectionLost if is_connection_loss(error) else InputError
            raise kind(_unusable(str(self._where), str(error.orig))) from error

    def _damaged(self, damage: str) -> DamagedRecords:
        return DamagedRecords(f"the records at {self._where} are damaged: {damage}: {_REMEDIES['malformed']}")


def _unreadable(error: Exception) -> Damage:
    return Damage(f"a value is not readable ({' '.join(str(error).split())})")


def _is_sqlite(url: URL) -> bool:
    return url.get_backend_name() == "sqlite"


def _check_url(url: str | URL) -> URL:
    # The value is not repeated in these messages: it may hold a password.
    try:
        checked_url = make_url(url)
    except (ArgumentError, ValueError) as error:  # ValueError: the port is no number
        raise InputError(
            "SWARM_DATABASE_URL is not a database URL: use sqlite:////folder/records.db or postgresql://user@host/name"
        ) from error
    if "@" in (checked_url.host or ""):  # the rest of a password, which messages would show as the host
        raise InputError("SWARM_DATABASE_URL has more than one '@': write those of the password as %40")
    backend = checked_url.get_backend_name()
    if backend not in {"sqlite", "postgresql"}:
        raise InputError(f"SWARM_DATABASE_URL names the database {backend!r}: use sqlite or postgresql")
    if backend == "sqlite" and (checked_url.database or ":memory:") == ":memory:":
        raise InputError("SWARM_DATABASE_URL names a database in memory: records outlive a process, so name a file")
    return checked_url.set(drivername="postgresql+psycopg") if backend == "postgresql" else checked_url


def _sqlite(url: URL) -> Engine:
    folder = Path(str(url.database)).parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise cannot_write(folder, error) from error
    engine = create_engine(url, json_serializer=canonical_json, connect_args={"timeout": BUSY_SECONDS})
    event.listen(engine, "connect", _configure_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _configure_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # else the driver begins transactions itself, and only at the first change
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}").close()


def _begin_sqlite(connection: Connection) -> None:
    # A write takes the lock when it begins: one that has read before it writes could otherwise fail at once when
    # another process wrote in between, whatever the time-out.
    connection.exec_driver_sql(f"BEGIN {connection.get_execution_options().get('sqlite_begin', 'DEFERRED')}")


def _postgresql(url: URL) -> Engine:
    try:
        return create_engine(
            url, json_serializer=canonical_json, pool_pre_ping=True, connect_args={"connect_timeout": 10}
        )
    except (ModuleNotFoundError, NoSuchModuleError) as error:
        raise InputError(
            "SWARM_DATABASE_URL names a PostgreSQL database but psycopg is missing: pip install 'psycopg[binary]'"
        ) from error


def _damage(connection: Connection) -> str | None:
    pages = connection.exec_driver_sql("PRAGMA integrity_check(1)").scalar_one()
    if pages != "ok":
        return " ".join(str(pages).split())
    row = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
    return None if row is None else f"row {row[1]} of {row[0]} refers to a missing row of {row[2]}"


def _unusable(where: str, reason: str) -> str:
    line = (reason.strip().splitlines() or ["unknown error"])[0]
    remedy = next((text for part, text in _REMEDIES.items() if part in reason), "check the database, then resume")
    return f"cannot use the records at {where}: {line}: {remedy}"
