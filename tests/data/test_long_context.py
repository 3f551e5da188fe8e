import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.examples import Example, InvalidExample, parse_example
from data.long_context import context_chunks, whole_context
from data.objective import Objective, ObjectiveConfig, load_objective
from data.requests import Generate

CHUNKS = ["one", "two", "three", "four", "five"]


def with_chunks(*chunks: str) -> Example:
    value = {"question": "Which?", "answer": "two", "context_chunks": list(chunks)}
    return parse_example(value, "papers", "dev", 0)


def objective(folder: Path, **fields: Any) -> Objective:
    value = {"question": "Which?", "answer": "two", "context_chunks": CHUNKS}
    (folder / "papers.json").write_text(json.dumps({"dev": [value], "test": [{**value, "question": "Who?"}]}))
    task = {"kind": "exact_match", "data": "papers.json", "max_new_tokens": 5, **fields}
    return load_objective(ObjectiveConfig.model_validate({"tasks": [task]}, context={"folder": folder}))


@pytest.mark.parametrize(
    ("count", "shares"),
    [
        (1, ["one\ntwo\nthree\nfour\nfive"]),
        (2, ["one\ntwo\nthree", "four\nfive"]),
        (3, ["one\ntwo", "three\nfour", "five"]),
        (5, CHUNKS),
        (7, [*CHUNKS, "", ""]),
    ],
)
def test_nodes_read_neighbouring_chunks(count: int, shares: list[str]) -> None:
    assert context_chunks(with_chunks(*CHUNKS), count) == shares


def test_the_blank_chunks_that_fill_a_list_up_are_nobodys_share() -> None:
    assert context_chunks(with_chunks("one", "", "two", ""), 3) == ["one", "two", ""]
    assert context_chunks(Example("set", "dev", 0, "0", "Which?", "two"), 2) == ["", ""]


@given(st.lists(st.text(min_size=1).filter(str.strip), max_size=12), st.integers(1, 15))
def test_every_chunk_is_read_once_in_order(chunks: list[str], count: int) -> None:
    shares = context_chunks(with_chunks(*chunks), count)
    assert len(shares) == count
    assert "\n".join(share for share in shares if share) == "\n".join(chunks)


def test_no_nodes_are_refused() -> None:
    with pytest.raises(ValueError, match="a context for 0 nodes: give 1 or more"):
        context_chunks(with_chunks("one"), 0)


@pytest.mark.parametrize(
    ("most", "whole"), [(None, "one\nthree\nsix"), (13, "one\nthree\nsix"), (12, "one\nthre\nsix"), (8, "on\nth\nsi")]
)
def test_a_context_loses_the_ends_of_its_longest_chunks(most: int | None, whole: str) -> None:
    assert whole_context(with_chunks("one", "three", "six"), most) == whole


@given(st.lists(st.text("ab", min_size=1, max_size=9), max_size=6), st.integers(1, 50))
def test_a_context_is_never_longer_than_it_may_be_unless_only_line_breaks_are_left(
    chunks: list[str], most: int
) -> None:
    whole = whole_context(with_chunks(*chunks), most)
    assert len(whole) <= max(most, len(chunks) - 1)
    if len("\n".join(chunks)) <= most:
        assert whole == "\n".join(chunks)


def test_one_model_reads_the_whole_context_before_the_question(tmp_path: Path) -> None:
    assert objective(tmp_path).requests("dev") == [Generate("Context: one\ntwo\nthree\nfour\nfive\nWhich?", 5)]
    cut = objective(tmp_path, context_characters=14, template="{question}\n{context}")
    assert cut.requests("dev") == [Generate("Which?\non\ntw\nth\nfo\nfi", 5)]


def test_a_node_is_asked_with_its_own_share(tmp_path: Path) -> None:
    made = objective(tmp_path)
    [task], [example] = made.tasks, made.examples("dev")
    assert task.request(example, context_chunks(example, 5)[3]) == Generate("Context: four\nWhich?", 5)
    assert task.request(example, "") == Generate("Which?", 5)


@pytest.mark.parametrize(
    ("chunks", "message"),
    [
        ("one", "context_chunks: 'one' is not a list: write a list of texts"),
        ([1], "context_chunks[0]: 1 is not a text: give the text, in quotes"),
        (["a", " "], "context_chunks[1]: ' ' is empty: give the text"),
    ],
)
def test_chunks_that_are_no_texts_are_refused(chunks: Any, message: str) -> None:
    with pytest.raises(InvalidExample) as error:
        parse_example({"question": "Which?", "answer": "two", "context_chunks": chunks}, "papers", "dev", 0)
    assert str(error.value) == message
