"""Texts from outside in a terminal, a model card and a live table: shown, and nothing else."""

import io

import pytest
from rich.console import Console

from cli.terminal.console import _PlainConsole, table

HOSTILE = "[red]a[/red] [/] \x1b[31m\x1b]0;title\x07 \r \x9b2J \u202e"
SHOWN = r"[red]a[/red] [/] \x1b[31m\x1b]0;title\x07 \r \x9b2J \u202e"


@pytest.fixture
def console() -> _PlainConsole:
    return _PlainConsole(file=io.StringIO(), highlight=False, markup=False, width=200, force_terminal=True)


def printed(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_a_text_commands_no_terminal(console: _PlainConsole) -> None:
    console.print(HOSTILE, soft_wrap=True)
    assert printed(console) == f"{SHOWN}\n"


def test_a_table_commands_no_terminal(console: _PlainConsole) -> None:
    console.print(table((HOSTILE,), [(HOSTILE,)], title=HOSTILE))
    plain = printed(console).replace("\x1b[1m", "").replace("\x1b[3m", "").replace("\x1b[0m", "")
    assert [line.strip() for line in plain.splitlines()] == [SHOWN] * 3
