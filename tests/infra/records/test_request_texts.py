"""What engines were asked: there with the first group of an objective, once, to the letter."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from sqlalchemy import text

from infra.records.request_texts import GroupRequests, RequestJson, pack_requests, unpack_requests
from infra.records.store import Records
from swarm.canonical import content_hash
from tests.infra.records.raw_database import connected, downgrade
from tests.infra.records.record_samples import REQUESTS, child, end, group, line, save


def save_on(records: Records, key: str, objective: str, by_task: Sequence[Sequence[RequestJson]]) -> None:
    records.save_evaluation_group(
        key, objective, "dev", "e", group(key), 1, 1.0, requests=GroupRequests(by_task=lambda: by_task)
    )


def rows(url: str, table: str) -> int:
    with connected(url) as connection:
        count: int = connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one()
    return count


def test_what_was_asked_comes_back_to_the_letter(records: Records, database_url: str) -> None:
    assert records.objective_requests("objective") is None
    save(records, "key")
    with Records(database_url) as again:
        assert again.objective_requests("objective") == REQUESTS
        assert again.objective_requests("another") is None


def test_texts_are_stored_once_whatever_asks_them_and_however_often(records: Records, database_url: str) -> None:
    for number in range(20):
        save(records, f"group-{number}")
    save_on(records, "part", "a part of it", [REQUESTS[0][1:], REQUESTS[1]])
    save_on(records, "twice", "one question twice", [[REQUESTS[0][0], REQUESTS[0][0]]])
    assert (rows(database_url, "requests"), rows(database_url, "objective_requests")) == (3, 3)
    assert records.objective_requests("a part of it") == (REQUESTS[0][1:], REQUESTS[1])
    assert records.objective_requests("one question twice") == ((REQUESTS[0][0],) * 2,)


def test_what_is_there_is_not_made_again(records: Records) -> None:
    save(records, "first")

    def fail() -> Sequence[Sequence[RequestJson]]:
        raise AssertionError("the records hold it")

    records.save_evaluation_group(
        "key", "objective", "dev", "e", group("key"), 1, 1.0, requests=GroupRequests(by_task=fail)
    )
    assert records.objective_requests("objective") == REQUESTS


@pytest.mark.slow
def test_more_requests_than_a_query_takes_parameters(records: Records) -> None:
    many = [["Generate", {"prompt": f"{number}+1="}] for number in range(40_000)]
    save_on(records, "key", "many", [many])
    assert records.objective_requests("many") == (tuple(many),)


def test_groups_saved_at_once_share_their_texts(records: Records, database_url: str) -> None:
    orders = [REQUESTS, REQUESTS[::-1], (REQUESTS[0][::-1],), (REQUESTS[1], REQUESTS[0])]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda k: save_on(records, f"key-{k}", f"objective-{k % 8}", orders[k % 4]), range(32)))
    assert (rows(database_url, "requests"), rows(database_url, "objective_requests")) == (3, 8)
    assert [records.objective_requests(f"objective-{k}") for k in range(4)] == orders


def test_a_group_that_fails_leaves_no_texts(records: Records, database_url: str) -> None:
    good, bad = group("key")
    bad = replace(bad, recipe={"coefficients": [float("nan")]})
    with pytest.raises(ValueError, match="Out of range float"):
        records.save_evaluation_group(
            "key", "objective", "dev", "e", [good, bad], 1, 1.0, requests=GroupRequests(lambda: REQUESTS)
        )
    assert records.objective_requests("objective") is None
    assert rows(database_url, "requests") == 0


def test_killed_before_the_commit_leaves_no_texts_and_saving_again_writes_them_once(database_url: str) -> None:
    process = child("hang_before_commit", database_url, "during")
    assert line(process) == "before the commit"
    process.kill()
    assert end(process) == -9
    with Records(database_url) as records:
        assert records.objective_requests("objective") is None
        assert rows(database_url, "requests") == 0
        save(records, "during")
        assert records.objective_requests("objective") == REQUESTS
        assert rows(database_url, "requests") == 3
        records.check_integrity()


def test_what_nodes_were_asked_comes_back_by_key(records: Records, database_url: str) -> None:
    sent = [*REQUESTS[0], *REQUESTS[1]]
    records.save_evaluation_group("key", "o", "dev", "e", group("key"), 1, 1.0, {}, GroupRequests(nodes=sent))
    records.save_evaluation_group("key", "o", "dev", "e", group("key"), 1, 1.0, {}, GroupRequests(nodes=sent[:1]))
    with Records(database_url) as again:
        assert again.node_requests("key") == {content_hash(request): request for request in sent}
        assert again.node_requests("of recipes") == {}
    assert rows(database_url, "node_requests") == 1 and rows(database_url, "requests") == 0


def test_nodes_texts_take_little_room_because_they_repeat_each_other() -> None:
    question = "A long question, with all that stands before it. " * 20
    sent = [["Generate", {"prompt": f"{question}\nResponse {node}: answer {node * 7}"}] for node in range(200)]
    assert len(pack_requests(sent)) < 0.02 * sum(len(str(request)) for request in sent)
    assert unpack_requests(pack_requests(sent)) == {content_hash(request): request for request in sent}


def test_a_database_of_the_second_schema_is_upgraded_and_keeps_what_it_holds(database_url: str) -> None:
    with Records(database_url) as records:
        first = save(records, "key")
    downgrade(database_url, "0002")
    with Records(database_url) as records:
        assert records.evaluation_group("key") == first
        assert records.objective_requests("objective") is None
        save(records, "new")
        assert records.objective_requests("objective") == REQUESTS
