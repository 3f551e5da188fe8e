"""Names that are paths, ids and lines of a terminal, and texts that a terminal would obey."""

import pytest

from swarm.errors import InputError
from swarm.names import check_name, printable

BAD = [
    "",
    " a",
    "a\n",
    "a\x1b[31mb",
    "a\tb",
    "a\x7f",
    "a\u202eb",
    "a\u2066b",
    "a\u2028b",
    "a\ud800",
    "a/b",
    "a\\b",
    "..",
    ".hidden",
    "-rf",
    "a" * 201,
    "ä" * 101,
    "a\x00",
]


@pytest.mark.parametrize("name", BAD)
def test_a_bad_name_is_refused_in_one_printable_line(name: str) -> None:
    with pytest.raises(InputError, match=r"expert .* rename it$") as error:
        check_name(name, "expert")
    assert str(error.value).isprintable()
    assert len(str(error.value)) < 400


@pytest.mark.parametrize("name", ["a", "Größe 2", "llama-3.1_8b@x", "a" * 200, "数学"])
def test_a_good_name_is_itself(name: str) -> None:
    assert check_name(name, "expert") == printable(name) == name


def test_what_a_terminal_would_obey_is_shown_as_an_escape() -> None:
    assert printable("a\x1b[31m\nb\u202e\ud800") == "a\\x1b[31m\\nb\\u202e\\ud800"
