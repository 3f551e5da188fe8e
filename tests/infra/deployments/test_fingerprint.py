import os
from pathlib import Path

import pytest

from infra.deployments.fingerprint import fingerprint
from swarm.errors import InputError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "deeper").mkdir()
    (tmp_path / "one.json").write_text("1")
    (tmp_path / "deeper" / "two.json").write_text("2")
    return tmp_path


def test_it_changes_with_what_a_file_holds_and_not_with_its_time(folder: Path) -> None:
    before = fingerprint([str(folder)])
    os.utime(folder / "one.json", (1, 1))
    assert fingerprint([str(folder)]) == before
    (folder / "deeper" / "two.json").write_text("3")
    assert fingerprint([str(folder)]) != before


def test_a_new_file_changes_that_of_its_folder_and_pattern(folder: Path) -> None:
    watched = ([str(folder)], [str(folder / "*.json")])
    before = [fingerprint(each) for each in watched]
    (folder / "three.json").write_text("3")
    assert all(fingerprint(each) != old for each, old in zip(watched, before, strict=True))


def test_moving_the_folder_and_naming_a_file_twice_change_nothing(folder: Path) -> None:
    before = fingerprint([str(folder)])
    moved = folder.rename(folder.with_name("moved"))
    assert fingerprint([str(moved), str(moved / "one.json"), str(moved / "**" / "*.json")]) == before


def test_hidden_files_are_left_out_of_a_folder(folder: Path) -> None:
    before = fingerprint([str(folder)])
    (folder / ".one.json.part").write_text("half")
    assert fingerprint([str(folder)]) == before


@pytest.mark.parametrize("name", ["missing.json", "*.csv", "empty"])
def test_what_names_no_file_is_refused(folder: Path, name: str) -> None:
    (folder / "empty").mkdir()
    with pytest.raises(InputError) as refused:
        fingerprint([str(folder / "one.json"), str(folder / name)])
    assert str(refused.value).startswith(f"{folder / name}: there is no such file: give files, ")
