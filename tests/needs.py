"""What tests need that takes long or is not everywhere: the markers of `make test-fast`, which leaves those tests out.

    slow        it takes many seconds however fast the machine is: trials of child processes, a real search
    real_model  SmolLM2-135M, the demo's base model
    server      a server: Prefect's, PostgreSQL, or a Ray cluster
    browser     Chromium

A test has them by its fixtures or its folder (below), or says so itself with `pytestmark` or `pytest.mark`. One that
forgets fails: whatever starts a server or a browser from the test process is seen here before it starts. (What a child
process starts is not.)
"""

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

FIXTURES = {"prefect_api": "server", "ray_address": "server", "server": "server"}
"""The marker of every test that uses a fixture of this name, also by way of another fixture."""

PLACES = {
    "tests/crash": ("server", "slow"),
    "tests/old_runs": ("server",),
    "tests/infra/engines/ray": ("server",),
    "tests/bench": ("slow",),
    "tests/infra/observing/trackers": ("slow",),
}
"""The markers of every test in a folder."""

PROGRAMS = {
    "prefect.server": "server",
    "initdb": "server",
    "gcs_server": "server",
    "raylet": "server",
    "playwright": "browser",
}
"""Words in the command line of a process that is started, and the marker that the test must have."""

_running: list[pytest.Item] = []


def mark(item: pytest.Item) -> None:
    """Give a collected test the markers of its fixtures and its folder."""
    fixtures = set(getattr(item, "fixturenames", ()))
    folder = item.path.parent.relative_to(ROOT).as_posix()
    names = {marker for fixture, marker in FIXTURES.items() if fixture in fixtures}
    names.update(*(markers for place, markers in PLACES.items() if _is_below(folder, place)))
    for name in sorted(names):
        item.add_marker(name)


def begin(item: pytest.Item) -> None:
    """Note that a test, with the fixtures that it is the first to use, is now running."""
    _running[:] = [item]


def end() -> None:
    """Note that no test is running."""
    _running.clear()


def watch() -> None:
    """Fail, from now on, each test that starts a program of `PROGRAMS` without having its marker."""
    sys.addaudithook(_check)


def _check(event: str, arguments: tuple[object, ...]) -> None:
    if event != "subprocess.Popen" or not _running:
        return
    command = str(arguments[1])
    for word, marker in PROGRAMS.items():
        if word in command and _running[0].get_closest_marker(marker) is None:
            pytest.fail(f"the test starts {word}: mark it with pytest.mark.{marker} (tests/needs.py)")


def _is_below(folder: str, place: str) -> bool:
    return folder == place or folder.startswith(f"{place}/")
