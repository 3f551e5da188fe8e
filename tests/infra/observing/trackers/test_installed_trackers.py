"""Trackers that installed packages add by entry points."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.configs.trackers import BUILT_IN_TRACKERS, TRACKERS_GROUP, tracker_names
from infra.observing.trackers.base import TrackedRun
from infra.observing.trackers.registry import open_tracker, require_trackers, tracker_extensions
from swarm.errors import InputError
from tests.installed_packages import forget_packages, make_package

CODE = """
class Diary:
    def __init__(self, run):
        self.run = run
"""


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(folder)
    yield folder
    forget_packages()


def test_an_installed_tracker_is_opened_by_its_name(site: Path, tmp_path: Path) -> None:
    make_package(site, "ep_diary", {TRACKERS_GROUP: {"diary": "ep_diary:Diary"}}, CODE)
    run = TrackedRun("first-1", "first", tmp_path, {})
    assert tracker_names() == (*BUILT_IN_TRACKERS, "diary")
    require_trackers(["diary"])
    assert open_tracker("diary", run).run is run
    (extension,) = tracker_extensions()
    assert (extension.name, extension.distribution, extension.problem) == ("diary", "ep_diary 1.0", None)


def test_one_that_cant_be_loaded_is_refused_in_one_line_before_the_run(site: Path) -> None:
    make_package(site, "ep_broken", {TRACKERS_GROUP: {"broken": "ep_broken:Diary"}}, "import nobody_has_this")
    line = (
        "track: entry point broken = ep_broken:Diary of ep_broken 1.0 can't be loaded (ModuleNotFoundError: "
        "No module named 'nobody_has_this'): correct or uninstall it, or take 'broken' out"
    )
    with pytest.raises(InputError) as error:
        require_trackers(["broken"])
    assert str(error.value) == line
    assert [extension.problem for extension in tracker_extensions()] == [line]


def test_one_that_is_no_function_or_class_is_refused(site: Path) -> None:
    make_package(site, "ep_number", {TRACKERS_GROUP: {"number": "ep_number:NUMBER"}}, "NUMBER = 3")
    with pytest.raises(InputError, match="can't be called: it must take a TrackedRun"):
        require_trackers(["number"])


def test_one_that_was_uninstalled_meanwhile_is_refused() -> None:
    with pytest.raises(InputError, match="track: there is no 'diary': install the package that has it"):
        require_trackers(["diary"])


def test_the_name_of_a_built_in_tracker_cant_be_taken(site: Path) -> None:
    make_package(site, "ep_thief", {TRACKERS_GROUP: {"wandb": "ep_thief:Diary"}}, CODE)
    assert tracker_names() == BUILT_IN_TRACKERS
    (extension,) = tracker_extensions()
    assert extension.problem == "wandb is the name of a built-in tracker"


def test_configurations_take_the_installed_names_too(site: Path) -> None:
    make_package(site, "ep_diary", {TRACKERS_GROUP: {"diary": "ep_diary:Diary"}}, "raise SystemExit('it was imported')")
    program = (
        "import json; from infra.configs.common import RunConfig; "
        "print(json.dumps(RunConfig.model_json_schema()['properties']['track']['items']['enum']))"
    )
    for folders, names in (([], []), ([str(site)], ["diary"])):
        done = subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONPATH": os.pathsep.join([str(Path.cwd()), *folders])},
            capture_output=True,
            text=True,
            check=True,
        )
        assert json.loads(done.stdout) == [*BUILT_IN_TRACKERS, *names]
