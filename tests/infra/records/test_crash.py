"""A process that is killed (SIGKILL) while it writes."""

import pytest

from infra.records.store import Records
from tests.infra.records.record_samples import child, end, group, line, save, start

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("groups", [1, 7, 40])
def test_killed_between_or_in_groups_leaves_only_whole_ones_and_all_that_were_committed(
    database_url: str, groups: int
) -> None:
    process = child("save_forever", database_url)
    committed = [line(process) for _ in range(groups)]
    process.kill()
    assert end(process) == -9
    with Records(database_url) as records:
        records.check_integrity()
        found = [info.key for info in records.evaluation_groups()]
        assert found[:groups] == committed
        assert all(records.evaluation_group(key) == group(key, size=20) for key in found)


def test_killed_before_the_commit_leaves_nothing_and_the_group_can_be_saved(database_url: str) -> None:
    with Records(database_url) as records:
        save(records, "before")
        process = child("hang_before_commit", database_url, "during")
        assert line(process) == "before the commit"
        process.kill()
        assert end(process) == -9
        assert [info.key for info in records.evaluation_groups()] == ["before"]
        assert save(records, "during", size=20) == group("during", size=20)
        assert [info.finished for info in records.evaluation_groups()] == [1, 1]
        records.check_integrity()


def test_killed_while_the_schema_is_made_leaves_a_database_that_opens(database_url: str) -> None:
    process = child("hang_before_commit", database_url, "")
    assert line(process) == "before the commit"
    process.kill()
    assert end(process) == -9
    with Records(database_url) as records:
        assert records.runs() == []
        start(records)
        records.check_integrity()
