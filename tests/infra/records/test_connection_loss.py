"""PostgreSQL goes away in the middle and comes back: nothing is lost, nothing is there twice."""

import threading
import time
from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import create_engine, make_url

from infra.records import connection_loss
from infra.records.connection_loss import ConnectionLost
from infra.records.store import Records
from tests.infra.records.cutting_proxy import cutting_proxy
from tests.infra.records.record_samples import group, save, start
from tests.infra.records.written_runs import assert_whole, writers
from tests.postgres_server import PostgresServer


@pytest.fixture
def database_url(server: PostgresServer) -> Iterator[str]:
    """The server's own database, with no records in it."""
    yield server.url()
    engine = create_engine(make_url(server.url()).set(drivername="postgresql+psycopg"))
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP SCHEMA public CASCADE")
        connection.exec_driver_sql("CREATE SCHEMA public")
    engine.dispose()


def test_a_server_that_crashes_twice_while_two_runs_are_recorded_loses_nothing(
    server: PostgresServer, database_url: str
) -> None:
    processes = writers(database_url, 40)
    for _ in range(2):
        for process in processes:
            assert process.stdout is not None
            process.stdout.readline()
        server.stop()
        server.start()
    ended = [(process.communicate()[1], process.returncode) for process in processes]
    assert [code for _, code in ended] == [0, 0], ended
    assert_whole(database_url, 40)


@pytest.mark.parametrize(
    "write",
    [
        lambda records: save(records, "key"),
        lambda records: records.save_iteration("first", 0, {"x": 1}),
        lambda records: records.link_evaluations("first", 0, "search", [(0, "before", 1)]),
        lambda records: records.request_stop("first"),
        lambda records: start(records, "second"),
    ],
)
def test_a_commit_whose_answer_is_lost_counts_once(
    server: PostgresServer, database_url: str, write: Callable[[Records], object]
) -> None:
    with cutting_proxy(server.port) as proxy, Records(server.url(proxy.port)) as records:
        start(records)
        save(records, "before")
        proxy.cut_next_commit = True
        write(records)
        assert proxy.cuts == 1
        assert {info.finished for info in records.evaluation_groups()} == {1}
        assert records.evaluation_group("before") == group("before")
        write(records)
        found = (records.runs(), records.iterations("first"), records.run_evaluations("first"))
        assert all(len(part) <= 2 for part in found)


def test_a_connection_that_an_administrator_ends_is_made_again(server: PostgresServer, database_url: str) -> None:
    with Records(database_url) as records:
        start(records)
        administrator = create_engine(make_url(database_url).set(drivername="postgresql+psycopg"))
        with administrator.connect() as connection:
            ended = connection.exec_driver_sql(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
            ).all()
        administrator.dispose()
        assert ended == [(True,)]
        assert save(records, "key") == group("key")


def test_a_server_that_stays_away_is_one_line_that_says_what_to_do(
    server: PostgresServer, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection_loss, "PATIENCE_SECONDS", 0.3)
    with Records(database_url) as records:
        start(records)
        server.stop()
        try:
            with pytest.raises(ConnectionLost) as caught:
                records.request_stop("first")
        finally:
            server.start()
        assert "\n" not in str(caught.value)
        assert "check that the server runs and that SWARM_DATABASE_URL is right, then resume" in str(caught.value)
        assert make_url(database_url).password not in str(caught.value)
        assert not records.stop_requested("first")


def test_a_reader_waits_until_the_server_is_back(server: PostgresServer, database_url: str) -> None:
    with Records(database_url) as records:
        start(records)
        server.stop()
        back = threading.Thread(target=lambda: (time.sleep(0.5), server.start()))
        back.start()
        assert records.run("first").seed == 7
        back.join()


def test_a_server_that_is_not_there_when_the_records_are_opened_is_said_at_once(
    server: PostgresServer, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection_loss.time, "sleep", pytest.fail)
    server.stop()
    try:
        with pytest.raises(ConnectionLost):
            Records(database_url)
    finally:
        server.start()
