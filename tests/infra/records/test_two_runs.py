"""Two processes that record a run each, at once, on every kind of database."""

import pytest

from tests.infra.records.written_runs import assert_whole, writers

pytestmark = pytest.mark.slow


def test_two_runs_that_are_recorded_at_once_are_both_whole(database_url: str) -> None:
    ended = [(process.communicate()[1], process.returncode) for process in writers(database_url, 12)]
    assert ended == [("", 0), ("", 0)]
    assert_whole(database_url, 12)
