"""What is too long for the base model (512 tokens, a byte each), or can't be scored: known before anything starts."""

from typing import Any

import pytest

from tests.bad_input.broken_world import BreakableWorld, Refused

TAKES = "are more than the 512 that the base model"
CHOICES = {"A": "dog", "B": "cat"}


def ask(world: BreakableWorld, rows: list[dict[str, Any]], **task: Any) -> None:
    test = [{**row, "question": f"Test: {row['question']}"} for row in rows]
    world.edit_data(lambda data: data.update(dev=rows, test=test))
    world.edit_config(objective={"tasks": [{"kind": "exact_match", "data": "data.json", **task}]})


def test_a_long_example_of_the_test_split_is_named(world: BreakableWorld, refused: Refused) -> None:
    ask(world, [{"question": "x" * 500, "answer": "y"}, {"question": "z", "answer": "y"}], max_new_tokens=10)
    message = refused("run", world.config)
    assert message.startswith("task 'data': test[0]: 506 tokens of prompt and 10 of answer are more than the 512 that ")
    assert message.endswith("takes: shorten it, lower max_new_tokens, or leave it out")


def test_the_others_that_are_too_long_are_counted(world: BreakableWorld, refused: Refused) -> None:
    ask(world, [{"question": f"{n}" + "x" * 520, "answer": "y"} for n in range(3)])
    message = refused("run", world.config)
    assert message.startswith("task 'data': dev[0]: 521 tokens of prompt and 10 of answer are more than the 512 that")
    assert message.endswith("or leave it out (too long, too: 5 more)")


def test_a_long_choice_is_named(world: BreakableWorld, refused: Refused) -> None:
    row = {"question": "Which?", "choices": {"A": "x" * 500, "B": "cat"}, "answer": "A"}
    ask(world, [row], kind="multiple_choice", parse="loglik", loglik_of="text")
    message = refused("run", world.config)
    assert message.startswith("task 'data': dev[0]: ")
    assert TAKES in message
    assert message.endswith("takes: shorten it, shorten its choices, or leave it out (too long, too: 1 more)")


def test_a_follow_up_that_shows_the_answer_again_is_counted(world: BreakableWorld, refused: Refused) -> None:
    row = {"question": "x" * 200, "choices": CHOICES, "answer": "A"}
    ask(world, [row], kind="abstain_qa", max_new_tokens=70)
    message = refused("run", world.config)
    assert message.startswith("task 'data': dev[0]: when it is asked on, ")
    assert TAKES in message


@pytest.mark.parametrize(
    ("question", "tokens", "what"),
    [
        (10, 200, "in a node that reads 2 answers of 200 tokens, "),
        (10, 600, "in a first node of a system, "),
        (460, 1, "in a node that reads 2 answers of 1 tokens, "),
    ],
)
def test_nodes_that_read_the_answers_of_others_are_counted(
    world: BreakableWorld, refused: Refused, question: int, tokens: int, what: str
) -> None:
    ask(world, [{"question": "x" * question, "answer": "y"}], max_new_tokens=1)
    world.edit_config(algorithm="heterogeneous-swarms", search={}, system={"max_new_tokens": tokens})
    message = refused("run", world.config)
    assert message.startswith(f"task 'data': dev[0]: {what}")
    assert TAKES in message
    assert "takes: shorten it, lower system.max_new_tokens, have fewer nodes, or leave it out" in message


def test_the_longest_role_is_counted(world: BreakableWorld, refused: Refused) -> None:
    ask(world, [{"question": "x", "answer": "y"}], max_new_tokens=1)
    roles = ["short", "r" * 500, "short, too"]
    world.edit_config(algorithm="heterogeneous-swarms", search={}, system={"max_new_tokens": 1}, roles=roles)
    assert refused("run", world.config).startswith("task 'data': dev[0]: in a first node of a system, ")


def test_a_choice_that_can_not_be_scored_is_named(world: BreakableWorld, refused: Refused) -> None:
    rows = [{"question": "Which?", "choices": CHOICES, "answer": "A"} for _ in range(2)]
    rows[1] = {**rows[1], "question": "x" * 600}
    ask(world, rows, kind="multiple_choice", parse="loglik", template="{question}{choices}")
    assert refused("run", world.config).startswith("task 'data': dev[1]: ")
