from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import pytest

from infra.deployments.reruns import Rerun, find_rerun, rerun_name
from infra.records.store import Records
from infra.records.values import RunStatus
from swarm.errors import InputError

OLD, NEW = "a1b2c3" + "0" * 58, "d4e5f6" + "0" * 58


@pytest.fixture
def records(tmp_path: Path) -> Iterator[Records]:
    seconds = count()
    clock = lambda: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=next(seconds))  # noqa: E731
    with Records(f"sqlite:///{tmp_path / 'records.db'}", clock) as opened:
        yield opened


def record(records: Records, name: str, status: RunStatus, algorithm: str = "model-swarms") -> None:
    records.start_run(name, algorithm, {}, {}, 0)
    records.mark(name, status)


def test_a_first_search_has_no_previous_one(records: Records) -> None:
    record(records, "other-a1b2c3", RunStatus.FINISHED)
    assert find_rerun(records, "demo", "model-swarms", NEW) == Rerun("demo-d4e5f6", None, None)


def test_the_latest_finished_run_of_the_configuration_is_the_previous_one(records: Records) -> None:
    record(records, "demo", RunStatus.FINISHED)
    record(records, "demo-a1b2c3", RunStatus.FINISHED)
    record(records, "demo-0a0a0a", RunStatus.STOPPED)
    record(records, "demo-second", RunStatus.FINISHED)
    record(records, "demo-b0b0b0", RunStatus.FINISHED, algorithm="evolution-strategies")
    assert find_rerun(records, "demo", "model-swarms", NEW).previous == "demo-a1b2c3"


@pytest.mark.parametrize("status", list(RunStatus))
def test_a_search_on_the_same_data_is_found_wherever_it_stands(records: Records, status: RunStatus) -> None:
    record(records, "demo-a1b2c3", status)
    assert find_rerun(records, "demo", "model-swarms", OLD) == Rerun("demo-a1b2c3", status, None)


def test_a_name_without_room_for_the_fingerprint_is_refused() -> None:
    assert rerun_name("x" * 57, NEW) == f"{'x' * 57}-d4e5f6"
    with pytest.raises(InputError, match=r"run name .* is not allowed"):
        rerun_name("x" * 58, NEW)
