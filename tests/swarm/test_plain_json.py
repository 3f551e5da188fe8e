"""JSON that anybody may have written: every way of breaking it is one line."""

import json
import math

import pytest

from swarm.plain_json import JsonError, parse_json

DEEP = 100_000


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"{", "Expecting property name enclosed in double quotes: line 1 column 2"),
        (b"", "Expecting value: line 1 column 1"),
        (b'{"a": "\xff"}', "byte 7 is not UTF-8"),
        ("[" * DEEP, "nested deeper than 100"),
        ("[" * 101 + "]" * 101, "nested deeper than 100"),
        ('{"a":' * 200 + "1" + "}" * 200, "nested deeper than 100"),
        ("1" * 301, "a number has 301 digits"),
        ("-" + "1" * 5000, "a number has 5001 digits"),
        ("1e999", "the number 1e999 is too large"),
        ("NaN", "NaN is no number of JSON"),
        ("[-Infinity]", "-Infinity is no number of JSON"),
        ('{"a": 1, "a": 1}', "an object has the key 'a' twice"),
        ('[{"\\u001b": {"b": 1, "b": 2}}]', "an object has the key 'b' twice"),
        ('{"\\u001b": 1, "\\u001b": 2}', "an object has the key '\\x1b' twice"),
        ('["\\ud800"]', "half a character"),
        ('{"\\uDC00": 1}', "half a character"),
    ],
)
def test_what_is_refused(content: bytes | str, message: str) -> None:
    with pytest.raises(JsonError) as error:
        parse_json(content)
    assert message in str(error.value)
    assert str(error.value).isprintable()


def test_a_text_that_is_too_large_is_refused_before_it_is_parsed() -> None:
    with pytest.raises(JsonError, match="more than 5 bytes"):
        parse_json(b"[[[[[[", 5)


@pytest.mark.parametrize("text", ['"\\ud83d\\ude00"', '"\\\\ud800"', "1" * 300, "[" * 100 + "]" * 100, '"\ufeff"'])
def test_what_is_read(text: str) -> None:
    assert parse_json(text) == parse_json(text.encode()) == json.loads(text)


def test_a_byte_order_mark_is_no_content() -> None:
    assert parse_json(b"\xef\xbb\xbf[1]") == [1]


def test_infinite_numbers_are_read_where_they_are_allowed() -> None:
    [inf, nan, large] = parse_json("[Infinity, NaN, 1e999]", allow_infinity=True)
    assert (inf, large, math.isnan(nan)) == (math.inf, math.inf, True)
