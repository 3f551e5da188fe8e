"""Several processes and threads on one database."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from infra.records.store import Records
from tests.infra.records.record_samples import child, end, go, group, line, save, start

pytestmark = pytest.mark.slow


def test_of_processes_that_start_different_runs_of_one_name_at_once_one_wins(database_url: str) -> None:
    children = [child("start_run", database_url, seed) for seed in ("1", "2", "3")]
    assert [line(process) for process in children] == ["ready"] * 3
    for process in children:
        go(process)
    said = [line(process) for process in children]
    assert [end(process) for process in children] == [0, 0, 0]
    with Records(database_url) as records:
        assert sorted(said) == ["refused", "refused", f"started {records.run('shared').seed}"]


def test_processes_that_start_the_same_run_at_once_all_get_it(database_url: str) -> None:
    children = [child("start_run", database_url, "5") for _ in range(3)]
    assert [line(process) for process in children] == ["ready"] * 3
    for process in children:
        go(process)
    assert [line(process) for process in children] == ["started 5"] * 3
    assert [end(process) for process in children] == [0, 0, 0]


def test_threads_that_write_at_once_lose_nothing(records: Records) -> None:
    start(records)

    def write(thread: int) -> None:
        for step in range(10):
            records.save_iteration("first", thread * 10 + step, {"thread": thread})
            save(records, f"group-{thread}-{step}")
            records.link_evaluations("first", step, "search", [(thread, f"group-{thread}-{step}", 1)])

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(4)))
    assert [record.iteration for record in records.iterations("first")] == list(range(40))
    assert len(records.run_evaluations("first")) == 40
    assert {info.finished for info in records.evaluation_groups()} == {1}
    records.check_integrity()


def test_threads_that_finish_one_group_at_once_agree_on_it(records: Records) -> None:
    with ThreadPoolExecutor(4) as pool:
        kept = set(pool.map(lambda utility: repr(save(records, "key", utility=utility)), [0.1, 0.2, 0.3, 0.4]))
    assert kept == {repr(records.evaluation_group("key"))}
    assert kept <= {repr(group("key", utility=utility)) for utility in (0.1, 0.2, 0.3, 0.4)}
    assert [info.finished for info in records.evaluation_groups()] == [4]
