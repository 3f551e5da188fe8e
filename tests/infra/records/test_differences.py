"""Differences between configurations, as a person reads them."""

from infra.records.differences import differences


def test_equal_values_have_none() -> None:
    assert differences({"a": [1, {"b": None}]}, {"a": [1, {"b": None}]}) == ""


def test_nested_fields_are_dotted_and_lists_are_indexed() -> None:
    old, new = {"a": {"b": 1, "c": [1, 2]}, "d": "x"}, {"a": {"b": 1.5, "c": [1, 3]}, "d": "x"}
    assert differences(old, new) == "a.b: 1 → 1.5; a.c.1: 2 → 3"


def test_a_field_on_one_side_only_is_absent_on_the_other() -> None:
    assert differences({"a": 1}, {"b": None}) == "a: 1 → absent; b: absent → null"


def test_an_emptied_list_and_an_emptied_mapping_show() -> None:
    assert differences({"a": [1], "b": {}}, {"a": [], "b": []}) == "a.0: 1 → absent; b: {} → []; a: absent → []"


def test_after_five_the_rest_is_counted() -> None:
    old, new = dict.fromkeys("abcdefg", 1), dict.fromkeys("abcdefg", 2)
    assert differences(old, new) == "a: 1 → 2; b: 1 → 2; c: 1 → 2; d: 1 → 2; e: 1 → 2; and 2 more"


def test_a_value_of_many_lines_stays_on_one_and_is_cut() -> None:
    assert differences({"a": "x\ny"}, {"a": "z" * 100}) == 'a: "x\\ny" → "' + "z" * 38 + "…"
