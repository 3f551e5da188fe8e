"""What the nodes of systems answered: saved whole with its group, never changed, and new in the second schema."""

import pytest

from infra.records.store import Records
from tests.infra.records.raw_database import downgrade
from tests.infra.records.record_samples import group, save

ANSWERS = {"answers": [["recipe", "request", ["a\N{SNOWMAN}\0", 3]]], "nodes": [[[0, None]]], "saved": {"calls": 0.1}}


def test_node_answers_come_back_as_they_were_saved(records: Records, database_url: str) -> None:
    records.save_evaluation_group("key", "objective", "dev", "engine", group("key"), 1, 1.0, ANSWERS)
    save(records, "of recipes")
    with Records(database_url) as again:
        assert again.node_answers("key") == ANSWERS
        assert again.node_answers("of recipes") is None
        assert again.node_answers("nowhere") is None


def test_a_group_saved_again_keeps_the_first_answers(records: Records) -> None:
    records.save_evaluation_group("key", "objective", "dev", "engine", group("key"), 1, 1.0, ANSWERS)
    records.save_evaluation_group("key", "objective", "dev", "engine", group("key"), 1, 1.0, {"answers": []})
    assert records.node_answers("key") == ANSWERS


def test_answers_that_are_no_json_leave_nothing_of_their_group(records: Records) -> None:
    with pytest.raises(ValueError, match="Out of range float"):
        records.save_evaluation_group("key", "o", "dev", "e", group("key"), 1, 1.0, {"saved": float("nan")})
    assert not records.has_evaluation_group("key") and records.node_answers("key") is None


def test_a_database_of_the_first_schema_is_upgraded_and_keeps_what_it_holds(database_url: str) -> None:
    with Records(database_url) as records:
        first = save(records, "key")
    downgrade(database_url, "0001")
    with Records(database_url) as records:
        assert records.evaluation_group("key") == first
        records.save_evaluation_group("new", "objective", "dev", "engine", group("new"), 1, 1.0, ANSWERS)
        assert records.node_answers("new") == ANSWERS
