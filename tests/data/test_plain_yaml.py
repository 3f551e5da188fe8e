import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from data.plain_yaml import read_yaml

BOMB = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 9)
)
"""Nine lines that stand for more than a billion values."""


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (BOMB, "its aliases stand for more than 1000000 values"),
        ("a: &a [*a]", "line 1, column 8: a value contains itself"),
        ("a: &a {b: {c: *a}}", "a value contains itself"),
        ("[" * 3000, "line 1, column 101: lists and mappings are nested deeper than 100"),
        ("{a: " * 3000, "nested deeper than 100"),
        ("\n".join("- " * n + "a" for n in (200,)), "nested deeper than 100"),
        ("a: 0x" + "f" * 20_000, "a number has more than 300 characters"),
        ("a: " + "9" * 5000, "a number has more than 300 characters"),
        ("a: " + "1:" * 3000 + "1", "a number has more than 300 characters"),
        ("a: " + "9" * 5000 + ".5", "a number has more than 300 characters"),
        ("a: 2026-02-31", "a value is none of its type"),
        ('a: !!int ""', "a value is none of its type"),
        ("a: !!bool x", "a value is none of its type"),
        ("a: !!timestamp x", "a value is none of its type"),
        ("a: !!python/object/apply:os.getcwd []", "could not determine a constructor"),
        ("a: 1\na: 2", "line 2, column 1: the key 'a' stands twice"),
        ("x" * (8 * 2**20 + 1), "it has more than 8388608 characters"),
    ],
    ids=lambda value: value[:24],
)
def test_what_nobody_means_is_one_line(text: str, reason: str) -> None:
    with pytest.raises(yaml.YAMLError) as refusal:
        read_yaml(text)
    assert reason in str(refusal.value) and "\n" not in str(refusal.value)


def test_anchors_aliases_and_merged_mappings_are_read() -> None:
    text = "base: &base {a: 1, b: 2}\nother: {<<: *base, b: 3}\nlist: [*base, *base]"
    assert read_yaml(text) == {"base": {"a": 1, "b": 2}, "other": {"a": 1, "b": 3}, "list": [{"a": 1, "b": 2}] * 2}


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inside: st.lists(inside) | st.dictionaries(st.text(), inside),
    max_leaves=20,
)


@given(values)
def test_what_is_written_is_read_back(value: object) -> None:
    assert read_yaml(yaml.safe_dump(value, allow_unicode=True)) == value


@given(st.text(alphabet="ab:-[]{}&*!#|>'\"\n \t0123456789.,?%@`<x", max_size=60))
def test_any_text_is_a_value_or_one_line(text: str) -> None:
    try:
        read_yaml(text)
    except yaml.YAMLError as error:
        assert "\n" not in str(error)
