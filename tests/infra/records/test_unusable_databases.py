"""Databases that cannot be used: one line, with what to do."""

import sqlite3
from pathlib import Path

import pytest

from infra.records import database
from infra.records.store import Records
from swarm.errors import InputError
from tests.infra.records.record_samples import save, start


def refused(url: str) -> str:
    with pytest.raises(InputError) as caught:
        Records(url)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "records.db"


def filled(path: Path) -> None:
    with Records(f"sqlite:///{path}") as records:
        start(records)
        for number in range(20):
            save(records, f"group-{number}", size=20)


def test_a_file_that_is_no_database(path: Path) -> None:
    path.write_bytes(b"not SQLite at all" * 100)
    assert refused(f"sqlite:///{path}") == (
        f"cannot use the records at {path}: file is not a database: "
        "restore it from a backup, or move it away and start again"
    )
    assert path.read_bytes() == b"not SQLite at all" * 100


def test_damaged_pages_are_found_by_the_check(path: Path) -> None:
    filled(path)
    with path.open("r+b") as file:
        file.seek(path.stat().st_size // 2)
        file.write(b"\xff" * 8192)
    with pytest.raises(InputError) as caught, Records(f"sqlite:///{path}") as records:
        records.check_integrity()
    assert "move it away and start again" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_truncated_database_is_an_input_error_wherever_it_shows(path: Path) -> None:
    filled(path)
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size // 8192 * 4096)
    with pytest.raises(InputError, match="malformed"), Records(f"sqlite:///{path}") as records:
        for number in range(20):
            records.evaluation_group(f"group-{number}")


def test_a_reference_to_a_missing_row_is_found_by_the_check(path: Path) -> None:
    filled(path)
    connection = sqlite3.connect(path)
    connection.execute("DELETE FROM evaluation_groups WHERE key = 'group-3'")
    connection.commit()
    connection.close()
    with Records(f"sqlite:///{path}") as records, pytest.raises(InputError) as caught:
        records.check_integrity()
    assert "of evaluations refers to a missing row of evaluation_groups" in str(caught.value)


def test_a_database_of_something_else(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE runs (x)")
    connection.close()
    assert "it holds something else's tables" in refused(f"sqlite:///{path}")


def test_a_folder_in_place_of_the_file(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    assert refused(f"sqlite:///{folder}") == (
        f"cannot use the records at {folder}: unable to open database file: "
        "check that it is a file this user may write, or set SWARM_DATABASE_URL"
    )


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert refused(f"sqlite:///{tmp_path}/file/below/records.db").startswith(f"cannot write {tmp_path}/file/below: ")


def test_a_database_that_another_process_keeps_locked(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "BUSY_SECONDS", 0)
    with Records(f"sqlite:///{path}") as records:
        start(records)
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(InputError, match=r"database is locked: another process kept it locked for .* then resume"):
            records.request_stop("first")
        assert not records.stop_requested("first")
        other.close()
        records.request_stop("first")
        assert records.stop_requested("first")


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:"])
def test_a_database_in_memory(url: str) -> None:
    assert refused(url) == ("SWARM_DATABASE_URL names a database in memory: records outlive a process, so name a file")


def test_a_url_that_is_none(tmp_path: Path) -> None:
    message = (
        "SWARM_DATABASE_URL is not a database URL: use sqlite:////folder/records.db or postgresql://user@host/name"
    )
    assert refused("secret") == message


def test_another_kind_of_database() -> None:
    message = "SWARM_DATABASE_URL names the database 'mysql': use sqlite or postgresql"
    assert refused("mysql://me:secret@host/name") == message


def test_a_server_that_cannot_be_reached_is_named_without_the_password() -> None:
    message = refused("postgresql://me:secret@127.0.0.1:1/name")
    assert "secret" not in message
    assert "SWARM_DATABASE_URL" in message


def test_committed_changes_are_synchronised_to_disk(path: Path) -> None:
    with Records(f"sqlite:///{path}") as records, records._database.writing() as session:
        pragmas = ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        found = {name: session.connection().exec_driver_sql(f"PRAGMA {name}").scalar() for name in pragmas}
    assert found == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 30_000}
