"""Countdown puzzles: every one can be solved, checked by trying everything."""

import ast
import re
from fractions import Fraction
from itertools import permutations

import numpy as np
import pytest

from data.skills.countdown import countdown
from data.skills.generate import generate
from data.skills.registry import SKILLS


@pytest.fixture(scope="module")
def puzzles():
    rng = np.random.default_rng(11)
    return [countdown(rng) for _ in range(300)]


def value(node):
    match node:
        case ast.Constant(value=int(number)):
            return Fraction(number)
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return value(left) + value(right)
        case ast.BinOp(left=left, op=ast.Sub(), right=right):
            return value(left) - value(right)
        case ast.BinOp(left=left, op=ast.Mult(), right=right):
            return value(left) * value(right)
        case ast.BinOp(left=left, op=ast.Div(), right=right):
            return value(left) / value(right)
    raise AssertionError(ast.dump(node))


def reachable(numbers):
    """Every value that joining all `numbers` can give."""
    if len(numbers) == 1:
        return {numbers[0]}
    found = set()
    for first, second, *rest in permutations(numbers):
        joined = {first + second, first - second, first * second} | ({first / second} if second else set())
        for each in joined:
            found |= reachable((each, *rest))
    return found


def test_a_solution_gives_the_target_with_each_number_once(puzzles):
    for puzzle in puzzles:
        assert value(ast.parse(puzzle["solution"], mode="eval").body) == int(puzzle["target"])
        assert sorted(map(int, re.findall(r"\d+", puzzle["solution"]))) == sorted(puzzle["numbers"])


def test_trying_everything_finds_the_target_too(puzzles):
    for puzzle in [puzzle for puzzle in puzzles if len(puzzle["numbers"]) == 3][:100]:
        assert int(puzzle["target"]) in reachable(tuple(map(Fraction, puzzle["numbers"])))


def test_numbers_and_targets_are_those_of_the_papers_file(puzzles):
    assert {len(puzzle["numbers"]) for puzzle in puzzles} == {3, 4}
    assert all(1 <= number <= 99 for puzzle in puzzles for number in puzzle["numbers"])
    assert all(10 <= int(puzzle["target"]) <= 100 for puzzle in puzzles)
    solutions = "".join(puzzle["solution"] for puzzle in puzzles)
    assert all(operator in solutions for operator in "+-*/")


def test_a_puzzle_has_the_fields_and_the_prompt_of_the_papers_file():
    [example] = generate("countdown", seed=0, train=0, dev=1, test=0)["dev"]
    assert list(example) == ["id", "context", "numbers", "target", "solution"]
    width = max(len(str(number)) for number in example["numbers"])
    numbers = " ".join(f"{number:{width}}" for number in example["numbers"])
    assert (
        f"answer.Using the numbers [{numbers}], create an equation that equals {example['target']}. You"
        in (example["context"])
    )
    assert example["context"].endswith("Let me solve this step by step.\n<think>")


def test_numbers_in_another_order_make_no_other_puzzle():
    drawn = SKILLS["countdown"](np.random.default_rng(0))
    assert drawn.question_key == (*sorted(drawn.fields["numbers"]), drawn.fields["target"])
