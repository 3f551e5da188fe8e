"""Texts of others inside Markdown are shown as they are."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from infra.report.markdown import code, plain
from swarm.names import printable

HOSTILE = st.text() | st.text("`*_[]()<>|~&!\\$# \n\x1b\u202eab:/")


def inline_tokens(markdown: str) -> list[Token]:
    block = MarkdownIt("gfm-like", {"linkify": False}).parse(markdown)
    assert [token.type for token in block] == ["paragraph_open", "inline", "paragraph_close"]
    return list(block[1].children or [])


@given(HOSTILE)
def test_plain_text_is_shown_and_does_nothing(text: str) -> None:
    tokens = inline_tokens(f"before {plain(text)} after")
    assert {token.type for token in tokens} <= {"text", "text_special"}
    assert "".join(token.content for token in tokens) == f"before {printable(text)} after"


@given(HOSTILE.filter(lambda text: text.strip()))
def test_code_is_shown_and_does_nothing(text: str) -> None:
    [_, token, _] = inline_tokens(f"before {code(text)} after")
    assert (token.type, token.content.strip()) == ("code_inline", printable(text).strip())


@pytest.mark.parametrize("text", ["a\nb", "\x1b[31m", "\u202e", "\x00", "\u2028"])
def test_nothing_is_left_that_breaks_lines_or_commands_a_terminal(text: str) -> None:
    assert printable(text).isprintable()
