"""Trackers that installed packages add by entry points."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from data.plugins import Entry
from infra.configs.trackers import TRACKER_PLUGINS
from infra.observing.trackers.base import TrackedRun
from infra.observing.trackers.registry import open_tracker, require_trackers, tracker_entries
from swarm.errors import InputError
from tests.distributions import install

CODE = """
class Diary:
    def __init__(self, run):
        self.run = run
"""


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(folder)
    return folder


def add(site: Path, name: str, code: str) -> None:
    """Install distribution `name` with a tracker of its name, the `Diary` of a module with this code."""
    module = f"{name}_module"
    install(site, f"{name}-trackers", TRACKER_PLUGINS.group, {name: f"{module}:Diary"}, **{module: code})


def test_an_installed_tracker_is_opened_by_its_name(site: Path, tmp_path: Path) -> None:
    add(site, "diary", CODE)
    run = TrackedRun("first-1", "first", tmp_path, {})
    assert TRACKER_PLUGINS.names() == [*TRACKER_PLUGINS.built_in, "diary"]
    require_trackers(["diary"])
    assert open_tracker("diary", run).run is run
    assert tracker_entries() == [Entry("diary", "diary-trackers 1.0")]


def test_one_that_cant_be_loaded_is_refused_in_one_line_before_the_run(site: Path) -> None:
    add(site, "broken", "import nobody_has_this")
    problem = "broken_module:Diary can't be loaded (ModuleNotFoundError: No module named 'nobody_has_this')"
    with pytest.raises(InputError) as error:
        require_trackers(["broken"])
    assert str(error.value) == f"track: broken of broken-trackers 1.0: {problem}: repair, update or uninstall it"
    assert [entry.problem for entry in tracker_entries()] == [problem]


def test_one_that_is_no_function_or_class_is_refused(site: Path) -> None:
    add(site, "number", "Diary = 3")
    with pytest.raises(InputError, match="number_module:Diary can't be called: it must take a TrackedRun"):
        require_trackers(["number"])


def test_one_that_was_uninstalled_meanwhile_is_refused() -> None:
    with pytest.raises(InputError, match="track: diary: no installed package has it as entry point of model_swarms"):
        require_trackers(["diary"])


def test_the_name_of_a_built_in_tracker_cant_be_taken(site: Path) -> None:
    add(site, "wandb", "raise SystemExit('it was imported')")
    assert TRACKER_PLUGINS.names() == list(TRACKER_PLUGINS.built_in)
    [entry] = tracker_entries()
    assert entry.problem == "the name is that of a built-in entry, which is used instead"


def test_configurations_take_the_installed_names_too(site: Path) -> None:
    add(site, "diary", "raise SystemExit('it was imported')")
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
        assert json.loads(done.stdout) == [*TRACKER_PLUGINS.built_in, *names]
