"""Replies of judges, read a second way: 1000 generated ones."""

import random

from infra.scorers.judge import parse_rating

SCRAPS = [
    *("Rating", "rating", "RATING", "Overrating", "Rating: 7/10", "Rating: ?/10", "**Rating:** 8/10"),
    *("1", "5", "7.5", "10", "11", "0", "08", "100", "/10", "/ 10", " / 10", "/100", "/5"),
    *(":", ": ", "**", " ", ".", "\n", "is"),
]


def plain_rating(reply: str) -> float | None:
    """Return the first number from 1 to 10 that stands "/10", shortly after the word "rating"."""
    lower = reply.lower()
    place = lower.find("rating")
    while place >= 0:
        start = place + len("rating")
        rest = lower[start:]
        skipped = 0
        while skipped < len(rest) and not (rest[skipped].isalnum() or rest[skipped] == "_"):
            skipped += 1
        number, after = split_number(rest[skipped:]) if skipped <= 8 else ("", "")
        after = after.lstrip()
        if number and after.startswith("/"):
            whole = after[1:].lstrip()
            if whole.startswith("10") and not whole[2:3].isdigit() and 1 <= float(number) <= 10:
                return float(number)
        place = lower.find("rating", start)
    return None


def split_number(text: str) -> tuple[str, str]:
    """Return the number of one or two digits, and decimals, that `text` begins with, and the rest."""
    digits = len(text) - len(text.lstrip("0123456789"))
    if not 1 <= digits <= 2:
        return "", ""
    whole, rest = text[:digits], text[digits:]
    decimals = len(rest[1:]) - len(rest[1:].lstrip("0123456789"))
    if rest[:1] == "." and decimals:
        return whole + rest[: decimals + 1], rest[decimals + 1 :]
    return whole, rest


def test_replies_are_read_as_a_plain_reader_does() -> None:
    rng, read = random.Random(1), []
    for _ in range(1000):
        reply = "".join(rng.choice(SCRAPS) for _ in range(rng.randrange(9)))
        read.append(parse_rating(reply))
        assert read[-1] == plain_rating(reply), reply
    assert 100 < sum(value is not None for value in read) < 900
