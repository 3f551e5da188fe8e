"""When `bench.evaluation.comparison` calls two completions the same."""

import pytest

from bench.evaluation.parts.agreement import same_answer
from data.requests import Completion

OTHERS = [7, 1, 2, 3]


def text(tokens: list[int]) -> str:
    return "".join(map(str, tokens))


@pytest.mark.parametrize(
    ("ours", "same"),
    [
        (Completion("7123", 4), True),
        (Completion("712", 3), True),  # ended early, and the same answer is read
        (Completion("", 0), False),  # ended before the answer
        (Completion("713", 3), False),
        (Completion("71234", 5), False),
        (Completion("7123", 3), False),  # the count is not that of the text
    ],
)
def test_fewer_tokens_are_the_same_only_if_the_same_answer_is_read(ours: Completion, same: bool) -> None:
    assert same_answer(ours, OTHERS, text, lambda read: read[:1]) is same  # type: ignore[arg-type]
