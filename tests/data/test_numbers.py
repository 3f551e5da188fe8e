import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.numbers import last_number, whole_number


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("The answer is 18.", "18"),
        ("First 3, then 4, so 7", "7"),
        ("it costs $1,234.50.", "1234.5"),
        ("1,234,567", "1234567"),
        ("12,34", "34"),
        ("1,2345", "2345"),
        ("x = -3", "-3"),
        ("x = −3", "-3"),
        ("a loss of -$5", "-5"),
        ("10-3", "3"),
        ("(2)-1", "1"),
        ("-0", "0"),
        ("007", "7"),
        ("2.50", "2.5"),
        ("2.", "2"),
        (".5", "0.5"),
        ("-.5", "-0.5"),
        ("1/2", "2"),
        ("node17", "17"),
        ("123456789012345678901234567890.10", "123456789012345678901234567890.1"),
        ("four", ""),
        ("", ""),
    ],
)
def test_last_number_is_found_and_written_in_one_way(text: str, number: str) -> None:
    assert last_number(text) == number


@pytest.mark.parametrize("text", ["Yes", "18 apples", "#### 18", "1 2", "", "10-3", "½"])
def test_text_beside_a_number_makes_it_no_whole_number(text: str) -> None:
    assert whole_number(text) == ""


@given(st.integers())
def test_an_integer_is_the_same_with_and_without_thousands_separators(value: int) -> None:
    assert last_number(f"So it is {value:,}.") == whole_number(str(value)) == str(value)


@given(st.text())
def test_a_canonical_number_is_its_own_canonical_form(text: str) -> None:
    number = last_number(text)
    assert whole_number(number) == number
