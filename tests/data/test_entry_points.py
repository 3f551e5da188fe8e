from collections.abc import Iterator
from pathlib import Path

import pytest

from data.entry_points import Extension, entry_points_of, extension_of, load_entry_point
from swarm.errors import InputError
from tests.installed_packages import forget_packages, make_package

GROUP = "model_swarms.made_up"


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path
    forget_packages()


def test_a_group_that_nobody_has_is_empty() -> None:
    assert entry_points_of("model_swarms.nobody") == {}


def test_entry_points_are_known_by_name_before_their_code_runs(site: Path) -> None:
    make_package(site, "ep_unread", {GROUP: {"b": "ep_unread:b", "a": "ep_unread:a"}}, "raise SystemExit('it ran')")
    points = entry_points_of(GROUP)
    assert [*points] == ["a", "b"]
    assert extension_of(points["a"]) == Extension(GROUP, "a", "ep_unread:a", "ep_unread 1.0", None)


def test_of_equal_names_the_first_package_in_the_alphabet_is_taken(site: Path) -> None:
    make_package(site, "ep_zebra", {GROUP: {"same": "ep_zebra:x"}})
    make_package(site, "ep_ant", {GROUP: {"same": "ep_ant:x"}})
    assert entry_points_of(GROUP)["same"].value == "ep_ant:x"


def test_what_an_entry_point_names_is_imported(site: Path) -> None:
    make_package(site, "ep_good", {GROUP: {"thing": "ep_good:thing"}}, "thing = 7")
    assert load_entry_point(entry_points_of(GROUP)["thing"]) == 7


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("import missing_library_of_nobody", "ModuleNotFoundError: No module named 'missing_library_of_nobody'"),
        ("raise SystemExit", "SystemExit"),
        ("other = 1", "AttributeError: module 'ep_bad' has no attribute 'thing'"),
        ("raise ValueError('first\\nsecond')", "ValueError: first"),
        ("def", "SyntaxError: invalid syntax (ep_bad.py, line 1)"),
    ],
)
def test_one_that_cant_be_loaded_says_why_in_one_line(site: Path, code: str, reason: str) -> None:
    make_package(site, "ep_bad", {GROUP: {"thing": "ep_bad:thing"}}, code)
    with pytest.raises(InputError) as error:
        load_entry_point(entry_points_of(GROUP)["thing"])
    assert str(error.value) == f"entry point thing = ep_bad:thing of ep_bad 1.0 can't be loaded ({reason})"
