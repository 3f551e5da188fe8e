"""Seeded Countdown puzzles, in the shape of the file that Evolution Strategies at Scale trains on.

A puzzle is made from its solution: numbers are joined by random operators until one value is left, and that value is
the target. So every puzzle can be solved, with each number used once.
"""

from fractions import Fraction
from typing import Any

import numpy as np

_LARGEST_NUMBER = 99
_TARGETS = range(10, 101)
_PROMPT = (
    "You are a helpful assistant. You first think about the reasoning process in your mind and then provide the user "
    "with the answer.Using the numbers {numbers}, create an equation that equals {target}. "
    "You can use basic arithmetic operations (+, -, *, /) and each number can only be used once. "
    "Show your work in <think> </think> tags. And return the final answer in <answer> </answer> tags, "
    "for example <answer> (1 + 2) / 3 </answer>.Let me solve this step by step.\n<think>"
)

Term = tuple[Fraction, str]
"""An expression: its exact value, and how it is written."""


def countdown(rng: np.random.Generator) -> dict[str, Any]:
    """Return `context` (the prompt), `numbers` (three or four, 1 to 99), `target` (10 to 100) and a `solution`."""
    while True:
        numbers = [int(number) for number in rng.integers(1, _LARGEST_NUMBER + 1, size=int(rng.integers(3, 5)))]
        solution = _join(rng, [(Fraction(number), str(number)) for number in numbers])
        if solution is not None and solution[0].denominator == 1 and int(solution[0]) in _TARGETS:
            target = str(solution[0])
            context = _PROMPT.format(numbers=_as_array(numbers), target=target)
            return {"context": context, "numbers": numbers, "target": target, "solution": solution[1]}


def _join(rng: np.random.Generator, terms: list[Term]) -> Term | None:
    """Join all `terms`, two at a time, into one; None if that divides by zero."""
    while len(terms) > 1:
        first, second, *rest = (terms[index] for index in rng.permutation(len(terms)))
        operator = "+-*/"[int(rng.integers(4))]
        if operator == "/" and not second[0]:
            return None
        terms = [*rest, (_compute(operator, first[0], second[0]), f"({first[1]} {operator} {second[1]})")]
    return terms[0]


def _compute(operator: str, first: Fraction, second: Fraction) -> Fraction:
    match operator:
        case "+":
            return first + second
        case "-":
            return first - second
        case "*":
            return first * second
    return first / second


def _as_array(numbers: list[int]) -> str:
    """Return `numbers` as NumPy prints an array, which is how the public prompts have them."""
    width = max(len(str(number)) for number in numbers)
    return f"[{' '.join(str(number).rjust(width) for number in numbers)}]"
