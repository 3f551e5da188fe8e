import re
from collections import Counter
from string import ascii_uppercase
from typing import Any

import numpy as np
import pytest

from data.skills.generate import generate
from data.skills.relay import RESPONSE

ORDINALS = ("first", "second", "third", "fourth", "fifth")
ASKED = re.compile(r"Which letter is (\w+)\? Sort these letters: ([A-Z](?: [A-Z]){4})")
SHOWN = RESPONSE.replace("{response}", "")


def training(skill: str, count: int = 300) -> list[dict[str, Any]]:
    examples: list[dict[str, Any]] = generate(skill, seed=3, train=count, dev=0, test=0)["train"]
    return examples


def read(question: str) -> tuple[list[str], int, list[str]]:
    """Return the previous responses of a question, the position that it asks for, and its letters."""
    asked, *lines = question.split("\n")
    assert not lines or lines.pop(0) == "Answer:"
    match = ASKED.fullmatch(asked)
    assert match is not None
    assert all(line.startswith(SHOWN) for line in lines)
    return [line.removeprefix(SHOWN) for line in lines], ORDINALS.index(match[1]), match[2].split()


def test_a_relay_asks_for_the_letter_at_a_place_once_its_five_letters_are_sorted() -> None:
    for example in training("relay"):
        responses, position, letters = read(example["question"])
        assert responses == []
        assert len(set(letters)) == 5
        assert example["answer"] == sorted(letters)[position]


def test_every_letter_and_every_place_is_asked_for() -> None:
    positions, letters = zip(*(read(example["question"])[1:] for example in training("relay", 500)), strict=True)
    assert all(70 < count < 130 for count in Counter(positions).values())
    assert {letter for five in letters for letter in five} == set(ascii_uppercase)


def test_the_first_step_answers_with_the_sorted_letters() -> None:
    for example in training("relay_first"):
        assert example["answer"].split() == sorted(read(example["question"])[2])


@pytest.mark.parametrize("skill", ["relay_first", "relay_second"])
def test_the_steps_ask_what_the_relay_asks_in_the_same_splits(skill: str) -> None:
    relay, step = (generate(name, seed=1, train=40, dev=20, test=30) for name in ("relay", skill))
    for split in ("train", "dev", "test"):
        bare = [example["question"].partition("\n")[0] for example in step[split]]
        assert bare == [example["question"] for example in relay[split]]


def test_the_second_step_answers_as_the_relay_does() -> None:
    relay, second = training("relay"), training("relay_second")
    assert [example["answer"] for example in second] == [example["answer"] for example in relay]


def test_previous_responses_are_sorted_letters_and_single_ones_of_the_question() -> None:
    counts, lists_right, letters_right, without = Counter[int](), [], [], []
    for example in training("relay_second", 1000):
        responses, _, letters = read(example["question"])
        lists = [response for response in responses if " " in response]
        guesses = [response for response in responses if response not in lists]
        assert all(sorted(one.split()) == sorted(letters) for one in lists)
        assert set(guesses) <= set(letters)
        counts[len(responses)] += 1
        without.append(not lists)
        lists_right += [one.split() == sorted(letters) for one in lists]
        (letters_right if lists else []).extend(guess == example["answer"] for guess in guesses)
    assert set(counts) == {1, 2, 3}
    assert 0.21 < np.mean(without) < 0.29
    assert 0.92 < np.mean(lists_right) < 0.98
    assert 0.52 < np.mean(letters_right) < 0.68


def test_guesses_that_nothing_else_goes_with_are_mostly_right() -> None:
    right = []
    for example in training("relay_second", 1000):
        responses, _, _ = read(example["question"])
        if not any(" " in response for response in responses):
            right += [response == example["answer"] for response in responses]
    assert 0.78 < np.mean(right) < 0.9


def test_equal_arguments_give_equal_responses_and_another_seed_others() -> None:
    assert training("relay_second") == training("relay_second")
    first, second = (generate("relay_second", seed, 30, 0, 0)["train"] for seed in (1, 2))
    assert first != second
