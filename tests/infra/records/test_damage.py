"""What the records hold is checked when it is read: nothing that was not saved so is believed."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Update, text, update

from infra.records.damage import DamagedRecords
from infra.records.models import EvaluationRow, IterationRow, NodeAnswersRow, RequestRow, RunEvaluationRow, RunRow
from infra.records.request_texts import GroupRequests
from infra.records.store import Records
from infra.records.values import Purpose, RunStatus
from tests.infra.records.raw_database import connected, downgrade
from tests.infra.records.record_samples import REQUESTS, group, save, start

ANSWERS = {"answers": [["x", "y"]]}
SUMMARY = {"ending_best": {"test": 0.5}}

Read = Callable[[Records], Any]

READERS: dict[str, Read] = {
    "run": lambda records: records.run("first"),
    "runs": lambda records: records.runs(),
    "start": start,
    "iteration": lambda records: records.iteration("first", 0),
    "iterations": lambda records: records.iterations("first"),
    "replay": lambda records: records.save_iteration("first", 0, {"x": [0.1]}),
    "utilities": lambda records: records.utilities("key"),
    "group": lambda records: records.evaluation_group("key"),
    "saved again": lambda records: records.save_evaluation_group(
        "key", "objective", "dev", "engine", group("key"), 1, 1.0
    ),
    "links": lambda records: records.run_evaluations("first"),
    "linked again": lambda records: records.link_evaluations(
        "first", 0, Purpose.SEARCH, [(0, "key", 0), (1, "key", 1)]
    ),
    "node answers": lambda records: records.node_answers("key"),
    "requests": lambda records: records.objective_requests("objective"),
}

CHANGES: dict[str, tuple[Update, str, set[str]]] = {
    "status": (update(RunRow).values(status="done"), "run 'first'", {"run", "runs", "start"}),
    "summary": (
        update(RunRow).values(summary={"ending_best": {"test": 0.9}}),
        "the summary of run 'first'",
        {"run", "runs", "start"},
    ),
    "state": (
        update(IterationRow).values(state={"x": [0.2]}),
        "iteration 0 of run 'first'",
        {"iteration", "iterations", "replay"},
    ),
    "hash of a state": (
        update(IterationRow).values(sha256="0" * 64),
        "iteration 0 of run 'first'",
        {"iteration", "iterations", "replay"},
    ),
    "utility": (
        update(EvaluationRow).where(EvaluationRow.index == 1).values(utility=9.0),
        "the utility of evaluation 1 of group key",
        {"utilities", "group", "saved again", "links"},
    ),
    "recipe": (
        update(EvaluationRow).values(recipe={"bases": ["b"]}),
        "the utility of evaluation 0 of group key",
        {"utilities", "group", "saved again", "links"},
    ),
    "utilities of tasks": (
        update(EvaluationRow).values(task_utilities=["much"]),
        "evaluation 0 of group key",
        {"utilities", "group", "saved again", "links"},
    ),
    "scores": (
        update(EvaluationRow).values(scores=[1.0, 1.0]),
        "the scores of evaluation 0 of group key",
        {"group", "saved again", "links"},
    ),
    "outputs": (
        update(EvaluationRow).values(outputs=["other", "z"]),
        "the answers of evaluation 0 of group key",
        {"group", "saved again", "links"},
    ),
    "no hashes": (
        update(EvaluationRow).values(hashes=None),
        "the utility of evaluation 0 of group key",
        {"utilities", "group", "saved again", "links"},
    ),
    "answers of nodes": (
        update(NodeAnswersRow).values(answers={"answers": []}),
        "the answers of the nodes of group key",
        {"node answers"},
    ),
    "link": (
        update(RunEvaluationRow).where(RunEvaluationRow.particle == 1).values(index=0),
        "run 'first', iteration 0, particle 1 (search)",
        {"linked again"},
    ),
    "request": (update(RequestRow).values(request=["Generate", {"prompt": "other"}]), "request ", {"requests"}),
}


@pytest.fixture
def filled(records: Records) -> Records:
    return fill(records)


def fill(records: Records) -> Records:
    start(records)
    records.save_iteration("first", 0, {"x": [0.1]})
    requests = GroupRequests(by_task=lambda: REQUESTS)
    records.save_evaluation_group(
        "key", "objective", "dev", "engine", group("key"), 1, 1.0, node_answers=ANSWERS, requests=requests
    )
    records.link_evaluations("first", 0, Purpose.SEARCH, [(0, "key", 0), (1, "key", 1)])
    records.mark("first", RunStatus.FINISHED, summary=SUMMARY)
    return records


def test_what_was_saved_is_read(filled: Records) -> None:
    assert filled.run("first").summary == SUMMARY
    assert filled.utilities("key") == [e.utility for e in filled.evaluation_group("key") or ()] == [0.1, 1.1]
    assert filled.utilities("unknown") is None
    for read in READERS.values():
        read(filled)


@pytest.mark.parametrize("change", CHANGES)
def test_what_was_changed_is_refused_wherever_it_is_read_and_nothing_else_is(
    filled: Records, database_url: str, change: str
) -> None:
    statement, what, refusing = CHANGES[change]
    with connected(database_url) as connection:
        connection.execute(statement)
    for name, read in READERS.items():
        if name not in refusing:
            read(filled)
            continue
        with pytest.raises(DamagedRecords) as refused:
            read(filled)
        message = str(refused.value)
        assert message.startswith("the records at ") and f" are damaged: {what}" in message
        assert message.endswith(": restore it from a backup, or move it away and start again")
        assert "\n" not in message


@pytest.mark.parametrize(
    ("table", "column", "reader"),
    [
        ("runs", "config", "run"),
        ("iterations", "state", "iterations"),
        ("evaluations", "scores", "group"),
        ("evaluations", "hashes", "utilities"),
        ("node_answers", "answers", "node answers"),
        ("objective_requests", "requests", "requests"),
        ("runs", "created_at", "runs"),
    ],
)
def test_a_value_that_sqlite_lets_stand_where_it_does_not_belong_is_refused(
    tmp_path: Path, table: str, column: str, reader: str
) -> None:
    url = f"sqlite:///{tmp_path}/records.db"
    with Records(url) as records:
        fill(records)
        with connected(url) as connection:
            connection.execute(text(f"UPDATE {table} SET \"{column}\" = '[1, '"))
        with pytest.raises(DamagedRecords, match=r"are damaged: .*: restore it from a backup"):
            READERS[reader](records)


def test_a_database_of_the_third_schema_gets_its_hashes(database_url: str) -> None:
    with Records(database_url) as records:
        start(records)
        first = save(records, "key")
        records.save_evaluation_group("other", "o", "dev", "e", group("other"), 1, 1.0, node_answers=ANSWERS)
        records.mark("first", RunStatus.FINISHED, summary=SUMMARY)
    downgrade(database_url, "0003")
    with Records(database_url) as records:
        assert records.evaluation_group("key") == first
        assert records.node_answers("other") == ANSWERS
        assert records.run("first").summary == SUMMARY
