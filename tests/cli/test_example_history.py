"""`swarm history RUN --example K`: what was asked, word for word, and what the best answered."""

import pytest

from data.requests import Generate, LogLikelihood, Request, request_json
from infra.records.request_texts import GroupRequests
from infra.records.store import Records
from infra.records.values import EvaluationRecord, Purpose
from infra.settings import Settings
from swarm.state import State
from tests.cli.command_line import Command, RecordRun

HOSTILE = "\x1b[2J[bold]gone[/bold]\nsecond line"
DEV: list[Request] = [LogLikelihood("Which is A?\nThe answer is", (" A", " B")), LogLikelihood("Which is B?", (" A",))]
TEST: list[Request] = [Generate("<|user|>Which one is A?\n<|assistant|>", 10, ("\n",)), Generate("Which one is B?", 10)]


def save(records: Records, split: str, places: list[tuple[int, int, Purpose, str]], requests: list[Request]) -> None:
    """Save what particles answered to two examples at (iteration, particle), for what."""
    for iteration, particle, purpose, output in places:
        key = f"{split} {iteration} {particle} {purpose}"
        made = EvaluationRecord(key, 0, {}, 0.5, (0.5,), (1.0, 0.0), ("A", "B"), (output, f"{output}, too"))
        asked = GroupRequests(by_task=lambda: [[request_json(request) for request in requests]])
        records.save_evaluation_group(key, f"key of {split}", split, "e", [made], 1, 1.0, requests=asked)
        records.link_evaluations("demo", iteration, purpose, [(particle, key, 0)])


@pytest.fixture
def states(record_run: RecordRun, settings: Settings) -> list[State]:
    """A search that found nothing better than expert two, which answered two dev examples."""
    states = record_run()
    with Records(settings.records_url) as records:
        save(records, "dev", [(0, 1, Purpose.SEARCH, HOSTILE)], DEV)
    return states


def test_before_the_test_an_example_is_one_of_dev(command: Command, states: list[State]) -> None:
    assert command("history", "demo", "--example", 1).lines == [
        "dev example 1 of letters",
        "",
        "starting best was asked for the likelihoods of ' A', ' B' after:",
        "    Which is A?",
        "    The answer is",
        "",
        "starting best answered (read as 'A', score 1.0000):",
        r"    \x1b[2J[bold]gone[/bold]",
        "    second line",
        "",
        "best was asked the same",
        "",
        "best answered (read as 'A', score 1.0000):",
        r"    \x1b[2J[bold]gone[/bold]",
        "    second line",
    ]


def test_after_the_test_it_is_one_of_the_test_unless_dev_is_named(
    command: Command, states: list[State], settings: Settings
) -> None:
    with Records(settings.records_url) as records:
        ends = [(2, 0, Purpose.STARTING_BEST, "before"), (2, 0, Purpose.ENDING_BEST, "after")]
        save(records, "test", ends, TEST)
    prompt = {"kind": "Generate", "max_new_tokens": 10, "stop": ["\n"], "decided": None}
    prompt["prompt"] = "<|user|>Which one is A?\n<|assistant|>"
    assert command("history", "demo", "-e", 1, "--json").json == {
        "split": "test",
        "example": 1,
        "task": "letters",
        "exchanges": [
            {"who": who, "request": prompt, "output": output, "prediction": "A", "score": 1.0}
            for who, output in (("starting best", "before"), ("best", "after"))
        ],
    }
    assert (
        "starting best was asked for 10 tokens at most, up to '\\n', after:" in command("history", "demo", "-e", 1).out
    )
    shown = command("history", "demo", "--example", 2, "--split", "dev", "--json").json
    assert [item["output"] for item in shown["exchanges"]] == [f"{HOSTILE}, too"] * 2


def test_records_from_before_texts_were_kept_say_so(command: Command, states: list[State], settings: Settings) -> None:
    with Records(settings.records_url) as records, records._database.writing() as session:
        session.connection().exec_driver_sql("DELETE FROM objective_requests")
    assert "best was asked what the records do not hold" in command("history", "demo", "--example", 1).out
    shown = command("history", "demo", "--example", 1, "--json").json
    assert [item["request"] for item in shown["exchanges"]] == [None, None]


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["--example", "0"], "the dev split has no example 0: it has 1 to 2"),
        (["--example", "3"], "the dev split has no example 3: it has 1 to 2"),
        (["--example", "1", "--iteration", "1"], "--example shows the best, whatever its iteration: leave out"),
        (["--split", "dev"], "--split is an example's: give --example K, too"),
        (["--example", "1", "--split", "train"], "--split train: there is no such split: give dev or test"),
        (
            ["--example", "1", "--split", "test"],
            "run 'demo' has no best that was asked the test split yet: it is read after the search: try --split dev",
        ),
    ],
)
def test_what_can_t_be_shown_is_refused(
    command: Command, states: list[State], arguments: list[str], error: str
) -> None:
    outcome = command("history", "demo", *arguments)
    assert outcome.code == 2 and outcome.error.startswith(f"error: {error}")


def test_a_run_that_evaluated_nothing_has_no_example(command: Command, record_run: RecordRun) -> None:
    record_run()
    outcome = command("history", "demo", "--example", 1)
    assert (outcome.code, outcome.error) == (
        2,
        "error: run 'demo' has no best that was asked the dev split yet: wait for its first iteration",
    )
