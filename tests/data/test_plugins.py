"""Plugins of distributions that are installed, as far as importlib.metadata can tell."""

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Annotated, Any

import pytest
from pydantic import BaseModel, ValidationError

from data.plugins import Entry, PluginName, Plugins, check_named
from swarm.errors import InputError
from tests.distributions import install

TOYS = Plugins("model_swarms.toys", "toy.kind", ("car", "doll"))


class Toy(BaseModel):
    """A row of the table of toys."""

    kind: Annotated[str, PluginName(TOYS)] = "car"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder for distributions, on the path."""
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path


def text(value: Any, name: str) -> str:
    """Take any text."""
    if not isinstance(value, str):
        raise InputError("is no text")
    return value


def test_a_plugin_is_loaded_by_its_name(folder: Path) -> None:
    install(folder, "kites", TOYS.group, {"kite": "kites_module:KITE"}, kites_module="KITE = 'flies'\n")
    assert TOYS.names() == ["car", "doll", "kite"]
    assert TOYS.load("kite", text) == "flies"
    assert TOYS.load_all(text) == ({"kite": "flies"}, [Entry("kite", "kites 1.0")])


def test_a_group_that_nobody_adds_to_is_what_is_built_in() -> None:
    assert TOYS.names() == ["car", "doll"]
    assert TOYS.load_all(text) == ({}, [])


def test_nothing_is_imported_before_a_plugin_is_used(folder: Path) -> None:
    install(folder, "bombs", TOYS.group, {"bomb": "bomb_module:BOMB"}, bomb_module="raise ValueError('boom')\n")
    assert Toy(kind="bomb").kind == "bomb"
    assert TOYS.plugin_names() == ["bomb"]
    assert "bomb_module" not in sys.modules


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("import missing_library_of_nobody", "ModuleNotFoundError: No module named 'missing_library_of_nobody'"),
        ("raise SystemExit", "SystemExit"),
        ("OTHER = 1", "AttributeError: module 'broken_toy' has no attribute 'TOY'"),
        ("raise ValueError('first\\nsecond')", "ValueError: first"),
        ("raise ValueError('first\\rsecond')", "ValueError: first"),
        ("def", "SyntaxError: invalid syntax (broken_toy.py, line 1)"),
    ],
)
def test_a_plugin_that_can_not_be_loaded_says_why_in_one_line(folder: Path, code: str, reason: str) -> None:
    install(folder, "broken", TOYS.group, {"toy": "broken_toy:TOY"}, broken_toy=code)
    problem = f"broken_toy:TOY can't be loaded ({reason})"
    with pytest.raises(InputError) as caught:
        TOYS.load("toy", text)
    assert str(caught.value) == f"toy.kind: toy of broken 1.0: {problem}: repair, update or uninstall it"
    assert TOYS.load_all(text) == ({}, [Entry("toy", "broken 1.0", problem, "repair, update or uninstall it")])


def test_a_plugin_that_the_check_refuses_is_refused(folder: Path) -> None:
    install(folder, "numbers", TOYS.group, {"number": "number_module:N"}, number_module="N = 3\n")
    with pytest.raises(InputError) as caught:
        TOYS.load("number", text)
    assert str(caught.value) == (
        "toy.kind: number of numbers 1.0: number_module:N is no text: repair, update or uninstall it"
    )


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        (3, "is of type int, not SimpleNamespace"),
        (SimpleNamespace(), "calls itself None, not 'kite'"),
        (SimpleNamespace(name="ball"), "calls itself 'ball', not 'kite'"),
    ],
)
def test_what_has_another_type_or_name_than_it_must_is_refused(value: object, problem: str) -> None:
    check_named(SimpleNamespace(name="kite"), SimpleNamespace, "kite")
    with pytest.raises(InputError) as caught:
        check_named(value, SimpleNamespace, "kite")
    assert str(caught.value) == problem


def test_a_plugin_that_is_not_installed_is_refused() -> None:
    with pytest.raises(InputError, match=r"^toy\.kind: gone: no installed package has it as entry point of model_sw"):
        TOYS.load("gone", text)


def test_two_plugins_of_one_name_are_both_refused(folder: Path) -> None:
    for name in ("first", "second"):
        module = f"{name}_module"
        install(folder, name, TOYS.group, {"kite": f"{module}:KITE"}, **{module: "raise ValueError('imported')\n"})
    with pytest.raises(InputError) as caught:
        TOYS.load("kite", text)
    assert str(caught.value) == (
        "toy.kind: kite of first 1.0: second 1.0 has an entry point of this name, too: uninstall one of them"
    )
    remedy = "uninstall one of them"
    assert TOYS.load_all(text)[1] == [
        Entry("kite", "first 1.0", "second 1.0 has an entry point of this name, too", remedy),
        Entry("kite", "second 1.0", "first 1.0 has an entry point of this name, too", remedy),
    ]
    assert Toy(kind="kite").kind == "kite"


def test_the_name_of_a_built_in_entry_can_not_be_taken(folder: Path) -> None:
    install(folder, "thief", TOYS.group, {"car": "thief_module:CAR"}, thief_module="raise ValueError('imported')\n")
    assert TOYS.names() == ["car", "doll"]
    problem = "the name is that of a built-in entry, which is used instead"
    assert TOYS.load_all(text) == ({}, [Entry("car", "thief 1.0", problem, "rename or uninstall it")])


def test_a_field_takes_built_in_names_and_those_of_plugins(folder: Path) -> None:
    install(folder, "kites", TOYS.group, {"kite": "kites_module:KITE"})
    assert [Toy(kind=kind).kind for kind in ("car", "doll", "kite")] == ["car", "doll", "kite"]
    assert Toy.model_json_schema()["properties"]["kind"]["enum"] == ["car", "doll", "kite"]
    assert Toy(kind="kite").model_dump(mode="json") == {"kind": "kite"}


@pytest.mark.parametrize("value", ["ball", "", 3, None, ["car"]])
def test_another_name_is_refused_with_the_names_that_there_are(folder: Path, value: object) -> None:
    install(folder, "kites", TOYS.group, {"kite": "kites_module:KITE"})
    with pytest.raises(ValidationError) as caught:
        Toy.model_validate({"kind": value})
    [error] = caught.value.errors()
    assert (error["type"], error["msg"]) == ("literal_error", "Input should be 'car', 'doll' or 'kite'")
