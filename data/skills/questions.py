"""Seeded questions of small skills: short prompts, short exact answers, enough of them never to repeat one."""

from collections import deque
from collections.abc import Callable, Iterable
from datetime import date, timedelta
from string import ascii_uppercase

import numpy as np

QuestionGenerator = Callable[[np.random.Generator], tuple[str, str]]
"""Draws one (question, answer)."""

_WORDS = tuple(
    "apple river stone cloud bird table green house light music paper glass horse bread chair water snow "  # noqa: SIM905
    "tree road ship gold rain fish moon hand fire book door king wind".split()
)
ORDINALS = ("first", "second", "third", "fourth", "fifth")
_UNITS = (
    ("m", "cm", 100),
    ("km", "m", 1000),
    ("kg", "g", 1000),
    ("cm", "mm", 10),
    ("weeks", "days", 7),
    ("hours", "minutes", 60),
    ("minutes", "seconds", 60),
    ("dozen", "eggs", 12),
    ("years", "months", 12),
    ("days", "hours", 24),
    ("feet", "inches", 12),
    ("pounds", "ounces", 16),
    ("tons", "kg", 1000),
    ("litres", "ml", 1000),
)
_NODES = "ABCDE"


def sorting(rng: np.random.Generator) -> tuple[str, str]:
    """Put five different letters into alphabetical order."""
    letters = [ascii_uppercase[index] for index in rng.permutation(26)[:5]]
    return f"Sort these letters: {_join_with_spaces(letters)}", _join_with_spaces(sorted(letters))


def picking(rng: np.random.Generator) -> tuple[str, str]:
    """Name the k-th of five words."""
    words = [_WORDS[index] for index in rng.permutation(len(_WORDS))[:5]]
    position = int(rng.integers(5))
    return f"Which word is {ORDINALS[position]}: {_join_with_spaces(words)}", words[position]


def reversing(rng: np.random.Generator) -> tuple[str, str]:
    """Write four words from the last to the first."""
    words = [_WORDS[index] for index in rng.permutation(len(_WORDS))[:4]]
    return f"Write in reverse order: {_join_with_spaces(words)}", _join_with_spaces(words[::-1])


def arithmetic(rng: np.random.Generator) -> tuple[str, str]:
    """Compute a chain of two additions or subtractions of digits; no intermediate result is negative."""
    while True:
        first, second, third = (int(digit) for digit in rng.integers(1, 10, 3))
        signs = [1 if rng.random() < 0.5 else -1 for _ in range(2)]
        middle = first + signs[0] * second
        result = middle + signs[1] * third
        if middle >= 0 and result >= 0:
            chain = f"{first} {_sign(signs[0])} {second} {_sign(signs[1])} {third}"
            return f"Compute: {chain}", str(result)


def dates(rng: np.random.Generator) -> tuple[str, str]:
    """Name the date one to nine days after a date (no leap day)."""
    start = date(2023, 1, 1) + timedelta(days=int(rng.integers(365)))
    steps = int(rng.integers(1, 10))
    days = "day" if steps == 1 else "days"
    return f"Which date is {steps} {days} after {_day(start)}?", _day(start + timedelta(days=steps))


def units(rng: np.random.Generator) -> tuple[str, str]:
    """Convert a whole number below 120 between units."""
    larger, smaller, factor = _UNITS[int(rng.integers(len(_UNITS)))]
    amount = int(rng.integers(2, 120))
    return f"How many {smaller} are {amount} {larger}?", str(amount * factor)


def connectivity(rng: np.random.Generator) -> tuple[str, str]:
    """Say whether two nodes of a graph on five nodes are connected; half of the answers are yes."""
    is_connected = bool(rng.random() < 0.5)
    while True:
        edges = _edges(rng, count=int(rng.integers(3, 5)))
        start, end = rng.permutation(list(_NODES))[:2]
        if (_distance(edges, start, end) is not None) == is_connected:
            return (
                f"Edges: {_edge_list(edges)}. Is there a path from {start} to {end}?",
                "yes" if is_connected else "no",
            )


def shortest_path(rng: np.random.Generator) -> tuple[str, str]:
    """Give the length (1 to 3 edges, equally often) of the shortest path between two nodes of a graph on five nodes."""
    target_length = int(rng.integers(1, 4))
    while True:
        edges = _edges(rng, count=5)
        start, end = rng.permutation(list(_NODES))[:2]
        if _distance(edges, start, end) == target_length:
            return f"Edges: {_edge_list(edges)}. How many steps from {start} to {end}?", str(target_length)


QUESTIONS: dict[str, QuestionGenerator] = {
    skill.__name__: skill
    for skill in (sorting, picking, reversing, arithmetic, dates, units, connectivity, shortest_path)
}
"""The questions by the name of their skill."""


def _edges(rng: np.random.Generator, count: int) -> list[tuple[str, str]]:
    pairs = [(a, b) for index, a in enumerate(_NODES) for b in _NODES[index + 1 :]]
    return [pairs[index] for index in rng.permutation(len(pairs))[:count]]


def _distance(edges: list[tuple[str, str]], start: str, end: str) -> int | None:
    distances = {start: 0}
    queue = deque([start])
    while queue:
        node = queue.popleft()
        for edge in edges:
            if node in edge:
                other = edge[1] if edge[0] == node else edge[0]
                if other not in distances:
                    distances[other] = distances[node] + 1
                    queue.append(other)
    return distances.get(end)


def _edge_list(edges: list[tuple[str, str]]) -> str:
    return _join_with_spaces(f"{a}-{b}" for a, b in edges)


def _join_with_spaces(items: Iterable[object]) -> str:
    return " ".join(str(item) for item in items)


def _sign(sign: int) -> str:
    return "+" if sign > 0 else "-"


def _day(day: date) -> str:
    return f"{day:%B} {day.day}"
