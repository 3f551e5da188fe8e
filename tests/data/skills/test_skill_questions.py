import re
from datetime import date, timedelta
from itertools import pairwise

import numpy as np
import pytest

from data.skills.generate import generate
from data.skills.questions import QUESTIONS
from data.skills.registry import SKILLS
from swarm.canonical import content_hash
from swarm.errors import InputError


def drawn(skill, count=300):
    rng = np.random.default_rng(5)
    return [QUESTIONS[skill](rng) for _ in range(count)]


def edges(question):
    return [frozenset(pair.split("-")) for pair in re.findall(r"[A-E]-[A-E]", question)]


def walk_lengths(question, start, end):
    """Lengths at which a walk from start to end exists, by powers of the adjacency matrix."""
    nodes = "ABCDE"
    adjacency = np.array([[frozenset((a, b)) in edges(question) for b in nodes] for a in nodes], dtype=int)
    power = np.eye(5, dtype=int)
    for length in range(5):
        if power[nodes.index(start), nodes.index(end)]:
            yield length
        power = power @ adjacency


def test_sorted_letters_are_the_same_letters_in_order():
    for question, answer in drawn("sorting"):
        letters = answer.split()
        assert sorted(question.partition(": ")[2].split()) == letters
        assert all(a < b for a, b in pairwise(letters))


def test_the_picked_word_stands_where_the_question_says():
    places = ["first", "second", "third", "fourth", "fifth"]
    for question, answer in drawn("picking"):
        ordinal, words = re.fullmatch(r"Which word is (\w+): (.*)", question).groups()
        assert words.split()[places.index(ordinal)] == answer


def test_reversed_words_read_backwards():
    for question, answer in drawn("reversing"):
        assert " ".join(reversed(answer.split())) == question.partition(": ")[2]


def test_a_chain_of_digits_is_computed_from_left_to_right():
    for question, answer in drawn("arithmetic"):
        a, s, b, t, c = question.removeprefix("Compute: ").split()
        middle = int(a) + int(f"{s}{b}")
        assert middle >= 0
        assert int(answer) == middle + int(f"{t}{c}") >= 0


def test_a_date_is_the_right_number_of_days_later():
    months = [date(2023, month, 1).strftime("%B") for month in range(1, 13)]
    for question, answer in drawn("dates"):
        steps, month, day = re.fullmatch(r"Which date is (\d+) days? after (\w+) (\d+)\?", question).groups()
        later = date(2023, months.index(month) + 1, int(day)) + timedelta(days=int(steps))
        assert answer == f"{months[later.month - 1]} {later.day}"


def test_units_are_converted_exactly():
    factors = {("m", "cm"): 100, ("weeks", "days"): 7, ("pounds", "ounces"): 16, ("dozen", "eggs"): 12}
    seen = set()
    for question, answer in drawn("units"):
        small, amount, large = re.fullmatch(r"How many (\w+) are (\d+) (\w+)\?", question).groups()
        if (large, small) in factors:
            seen.add((large, small))
            assert int(answer) == int(amount) * factors[large, small]
    assert seen == set(factors)


def test_connectivity_is_what_walks_say_and_half_the_answers_are_yes():
    answers = []
    for question, answer in drawn("connectivity"):
        start, end = re.search(r"from ([A-E]) to ([A-E])", question).groups()
        assert (answer == "yes") == any(walk_lengths(question, start, end))
        answers.append(answer)
    assert 0.4 < answers.count("yes") / len(answers) < 0.6


def test_a_shortest_path_is_the_shortest_walk():
    for question, answer in drawn("shortest_path"):
        start, end = re.search(r"from ([A-E]) to ([A-E])", question).groups()
        assert int(answer) == next(walk_lengths(question, start, end))


@pytest.mark.parametrize("skill", SKILLS)
def test_nothing_is_asked_twice_in_a_data_set(skill):
    made = generate(skill, seed=3, train=40, dev=20, test=30)
    examples = [example for split in ("train", "dev", "test") for example in made[split]]
    assert [len(made[split]) for split in ("train", "dev", "test")] == [40, 20, 30]
    assert len({example.get("question", example.get("context")) for example in examples}) == 90


def test_equal_arguments_give_an_equal_data_set_and_another_seed_another():
    first = generate("sorting", seed=1, train=5, dev=5, test=5)
    assert content_hash(first) == content_hash(generate("sorting", seed=1, train=5, dev=5, test=5))
    assert first["test"] != generate("sorting", seed=2, train=5, dev=5, test=5)["test"]


def test_more_training_data_leaves_dev_and_test_as_they_are():
    small, large = (generate("units", seed=1, train=size, dev=5, test=5) for size in (5, 50))
    assert (small["dev"], small["test"]) == (large["dev"], large["test"])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("sorting", 0, -1, 5, 5), "train: -1 questions were asked for: give 0 or more"),
        (("units", 0, 5000, 5, 5), "skill 'units' has fewer than 5010 different questions: ask for fewer"),
    ],
)
def test_a_data_set_that_cannot_be_made_is_refused(arguments, message):
    with pytest.raises(InputError) as error:
        generate(*arguments)
    assert str(error.value) == message


def test_an_unknown_skill_names_those_there_are():
    with pytest.raises(InputError, match=r"^unknown skill 'juggling': choose one of sorting, picking"):
        generate("juggling", 0, 1, 1, 1)
