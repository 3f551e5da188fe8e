"""Plugins of distributions that are installed, as far as importlib.metadata can tell."""

import sys
from pathlib import Path
from typing import Annotated

import pytest
from pydantic import BaseModel, ValidationError

from data.plugins import Entry, PluginName, entries, load_plugin, plugin_names
from swarm.errors import InputError
from tests.distributions import install

GROUP = "model_swarms.toys"
BUILT_IN = ("car", "doll")


class Toy(BaseModel):
    """A row of the table of toys."""

    kind: Annotated[str, PluginName(GROUP, BUILT_IN)] = "car"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder for distributions, on the path."""
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path


def test_a_plugin_is_loaded_by_its_name(folder: Path) -> None:
    install(folder, "kites", GROUP, {"kite": "kites_module:KITE"}, kites_module="KITE = 'flies'\n")
    assert plugin_names(GROUP, BUILT_IN) == ["kite"]
    assert load_plugin(GROUP, "kite", str, "toy.kind") == "flies"


def test_nothing_is_imported_before_a_plugin_is_used(folder: Path) -> None:
    install(folder, "bombs", GROUP, {"bomb": "bomb_module:BOMB"}, bomb_module="raise ValueError('boom\\nbang')\n")
    assert Toy(kind="bomb").kind == "bomb"
    assert entries(GROUP, BUILT_IN)[-1] == Entry("bomb", "bombs 1.0")
    assert "bomb_module" not in sys.modules
    with pytest.raises(InputError) as caught:
        load_plugin(GROUP, "bomb", str, "toy.kind")
    assert str(caught.value) == (
        "toy.kind: bomb: bomb_module:BOMB of bombs 1.0 can't be loaded (ValueError: boom): "
        "repair, update or uninstall it"
    )


@pytest.mark.parametrize("target", ["no_such_module:X", "kind_module:MISSING"])
def test_an_entry_point_that_leads_nowhere_is_refused_when_it_is_used(folder: Path, target: str) -> None:
    install(folder, "lost", GROUP, {"lost": target}, kind_module="")
    with pytest.raises(InputError, match=rf"^toy\.kind: lost: {target} of lost 1\.0 can't be loaded \("):
        load_plugin(GROUP, "lost", str, "toy.kind")


def test_a_plugin_of_another_type_is_refused(folder: Path) -> None:
    install(folder, "numbers", GROUP, {"number": "number_module:N"}, number_module="N = 3\n")
    with pytest.raises(InputError) as caught:
        load_plugin(GROUP, "number", str, "toy.kind")
    assert str(caught.value) == (
        "toy.kind: number: number_module:N of numbers 1.0 is of type int, not str: repair its package"
    )


def test_a_plugin_that_is_not_installed_is_refused() -> None:
    with pytest.raises(InputError, match=r"^toy\.kind: gone: no installed package has it as entry point of model_sw"):
        load_plugin(GROUP, "gone", str, "toy.kind")


def test_two_plugins_of_one_name_are_both_refused(folder: Path) -> None:
    for name in ("first", "second"):
        install(folder, name, GROUP, {"kite": f"{name}_module:KITE"}, **{f"{name}_module": "KITE = ''\n"})
    with pytest.raises(InputError) as caught:
        load_plugin(GROUP, "kite", str, "toy.kind")
    assert str(caught.value) == (
        "toy.kind: kite: several entry points have this name (first 1.0, second 1.0): uninstall one"
    )
    problem = "several entry points have this name"
    assert entries(GROUP, ()) == [Entry("kite", "first 1.0", problem), Entry("kite", "second 1.0", problem)]


def test_the_name_of_a_built_in_entry_can_not_be_taken(folder: Path) -> None:
    install(folder, "thief", GROUP, {"car": "thief_module:CAR"}, thief_module="CAR = ''\n")
    assert plugin_names(GROUP, BUILT_IN) == []
    assert entries(GROUP, BUILT_IN) == [
        Entry("car", "built in"),
        Entry("doll", "built in"),
        Entry("car", "thief 1.0", "the name is that of a built-in entry, which is used instead"),
    ]


def test_a_field_takes_built_in_names_and_those_of_plugins(folder: Path) -> None:
    install(folder, "kites", GROUP, {"kite": "kites_module:KITE"})
    assert [Toy(kind=kind).kind for kind in ("car", "doll", "kite")] == ["car", "doll", "kite"]
    assert Toy.model_json_schema()["properties"]["kind"]["enum"] == ["car", "doll", "kite"]
    assert Toy(kind="kite").model_dump(mode="json") == {"kind": "kite"}


@pytest.mark.parametrize("value", ["ball", "", 3, None, ["car"]])
def test_another_name_is_refused_with_the_names_that_there_are(folder: Path, value: object) -> None:
    install(folder, "kites", GROUP, {"kite": "kites_module:KITE"})
    with pytest.raises(ValidationError) as caught:
        Toy.model_validate({"kind": value})
    [error] = caught.value.errors()
    assert (error["type"], error["msg"]) == ("literal_error", "Input should be 'car', 'doll' or 'kite'")
