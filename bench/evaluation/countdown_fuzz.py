"""Score fuzzed completions as Countdown answers: none may raise, none may take long.

python -m bench.evaluation.countdown_fuzz [--strings 100000]

The strings are of five families: characters of arithmetic, characters of Python, terms nested without end, tags
repeated without end, and any Unicode. The time is processor time of one scoring, prediction and score together.
"""

import argparse
import random
import time
from collections.abc import Callable

from data.examples import Example
from data.kinds.countdown import Countdown
from data.requests import Completion

LIMIT = 0.010
"""Seconds of one scoring."""

TASK = Countdown.model_validate({"kind": "countdown", "data": "countdown.json"})
ASKED = Example("countdown", "dev", 0, "0", "", "98", (), {"numbers": [44, 19, 35]})
TAGS = ["<think>", "</think>", "<answer>", "</answer>", "</think>\n<answer>"]
PYTHON = [
    "9**9**9",
    "__import__('os')",
    "lambda:0",
    "[",
    "]",
    "{",
    "}",
    "1_0",
    "0x1",
    "1e9",
    "1j",
    "if",
    "//",
    "%",
    ":=",
    "\\",
]

Rng = random.Random


def arithmetic(rng: Rng) -> str:
    """Return characters of arithmetic in any order."""
    return "".join(rng.choices("0123456789+-*/() ", k=rng.randrange(240)))


def python(rng: Rng) -> str:
    """Return pieces of Python that a careless evaluation would run."""
    return "".join(rng.choices([*PYTHON, *"0123456789+-*/() "], k=rng.randrange(60)))


def nested(rng: Rng) -> str:
    """Return a term nested (or chained) up to 200 deep, closed or not."""
    piece, count = rng.choice(["(", "-", "+", "(-", "1+(", "1*", "((1)+", "2**"]), rng.randrange(200)
    return piece * count + "1" + rng.choice(["", ")" * count, ")" * (count // 2)])


def tags(rng: Rng) -> str:
    """Return tags of the format, hundreds of them."""
    return rng.choice(TAGS) * rng.randrange(400) + "".join(rng.choices([*TAGS, "1", "\n"], k=rng.randrange(20)))


def unicode(rng: Rng) -> str:
    """Return any characters, halves of characters too."""
    return "".join(chr(rng.randrange(0x110000)) for _ in range(rng.randrange(120)))


FAMILIES: tuple[Callable[[Rng], str], ...] = (arithmetic, python, nested, tags, unicode)


def seconds_of(text: str) -> float:
    """Return the processor time that scoring `text` takes."""
    start = time.process_time()
    TASK.judge(ASKED, TASK.prediction(ASKED, Completion(text, 1)))
    return time.process_time() - start


def main() -> int:
    """Run, print the figures, and return 1 if a limit was broken."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--strings", type=int, default=100_000)
    count = parser.parse_args().strings
    rng, worst, total, raised = Rng(0), (0.0, ""), 0.0, 0
    for index in range(count):
        made = FAMILIES[index % len(FAMILIES)](rng)
        text = f"so</think>\n<answer>{made}</answer>" if index % 2 else made
        try:
            seconds = seconds_of(text)
        except Exception as error:  # that is what is looked for
            raised += 1
            print(f"{type(error).__name__} on {text[:80]!r}")
            continue
        total += seconds
        worst = max(worst, (seconds, text))
    print(f"{count} strings: {raised} raised; mean {1e6 * total / count:.0f} µs, slowest {1e3 * worst[0]:.2f} ms")
    print(f"slowest: {worst[1][:80]!r}")
    return int(raised > 0 or worst[0] > LIMIT)


if __name__ == "__main__":
    raise SystemExit(main())
