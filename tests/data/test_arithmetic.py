from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.arithmetic import MAX_DEPTH, MAX_LENGTH, value_of


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1 + 2 * 3", 7),
        (" (1 + 2) / 3 ", 1),
        ("8 - 3 - 2", 3),
        ("1/3 + 1/3 + 1/3", 1),
        ("10 / (60 - 57) * 80", Fraction(800, 3)),
        ("-(7 - 9) * +3", 6),
        ("--3", 3),
        ("44 + 19 + 35\n", 98),
    ],
)
def test_arithmetic_has_its_exact_value(text: str, value: Fraction) -> None:
    assert value_of(text) == value


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "1 / 0",
        "1 / (2 - 2)",
        "9 ** 9",
        "7 // 2",
        "7 % 2",
        "1 = 1",
        "1.5",
        "1e3",
        "1, 2",
        "1 2",
        "1(2)",
        "()",
        "(1",
        "1)",
        "007",
        "1_000",
        "1\n+ 2",
        "1 + 2\n\n",
        "0x10",
        "٣ + ٤",
        "1 − 2",
        "a + 1",
        "True",
        "__import__('os')",
        "1 #",
        "*1",
    ],
)
def test_anything_else_has_none(text: str) -> None:
    assert value_of(text) is None


def test_a_text_may_have_200_characters() -> None:
    text = "1" + "0" * (MAX_LENGTH - 3) + "+1"
    assert (len(text), value_of(text)) == (MAX_LENGTH, 10 ** (MAX_LENGTH - 3) + 1)
    assert value_of("1" + text) is None


def test_a_term_may_be_20_deep() -> None:
    signs, sums, parentheses = (MAX_DEPTH - 1, MAX_DEPTH - 1, MAX_DEPTH)
    assert [value_of("+" * n + "1") for n in (signs, signs + 1)] == [1, None]
    assert [value_of("1" + "+1" * n) for n in (sums, sums + 1)] == [MAX_DEPTH, None]
    assert [value_of("(" * n + "1" + ")" * n) for n in (parentheses, parentheses + 1)] == [1, None]


@given(st.text(st.sampled_from("0123456789+-*/() \n"), max_size=MAX_LENGTH + 1) | st.text())
def test_no_text_raises(text: str) -> None:
    assert value_of(text) is None or isinstance(value_of(text), Fraction)


@given(
    st.recursive(
        st.integers(0, 99).map(str),
        lambda term: st.tuples(term, st.sampled_from("+-*/"), term).map(lambda parts: f"({' '.join(parts)})"),
        max_leaves=6,
    )
)
def test_every_fully_parenthesised_term_has_the_value_of_its_operations(text: str) -> None:
    assert value_of(text) == by_stack(text)


def by_stack(text: str) -> Fraction | None:
    """Work out a fully parenthesised term by closing one parenthesis after the other."""
    values: list[Fraction] = []
    operators: list[str] = []
    for token in text.replace("(", "").replace(")", " ) ").split():
        if token.isdigit():
            values.append(Fraction(token))
        elif token != ")":
            operators.append(token)
        else:
            right, left, operator = values.pop(), values.pop(), operators.pop()
            if operator == "/" and right == 0:
                return None
            values.append(
                {"+": left + right, "-": left - right, "*": left * right}.get(operator)
                if operator != "/"
                else left / right
            )
    return values[0]
