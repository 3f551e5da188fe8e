"""What keeps `make test-fast` fast: a test that needs a server or a browser is marked so, or fails."""

import subprocess

import pytest

from tests import needs


@pytest.mark.parametrize(
    ("command", "marker"),
    [
        (["python", "-m", "uvicorn", "prefect.server.api.server:create_app"], "server"),
        (["/usr/lib/postgresql/15/bin/initdb", "-D", "data"], "server"),
        (["/somewhere/ray/core/src/ray/gcs/gcs_server"], "server"),
        (["/somewhere/playwright/driver/node", "cli.js"], "browser"),
    ],
)
def test_a_test_without_the_marker_fails_before_the_program_starts(command: list[str], marker: str) -> None:
    with pytest.raises(pytest.fail.Exception, match=rf"mark it with pytest\.mark\.{marker} \(tests/needs\.py\)$"):
        subprocess.Popen(command)


@pytest.mark.server
def test_one_with_the_marker_starts_it() -> None:
    with pytest.raises(FileNotFoundError):
        subprocess.Popen(["/nowhere/initdb"])


def test_tests_have_the_markers_of_their_fixtures_and_folders(request: pytest.FixtureRequest) -> None:
    for item in request.session.items:
        for fixture, marker in needs.FIXTURES.items():
            if fixture in getattr(item, "fixturenames", ()):
                assert item.get_closest_marker(marker), item.nodeid
        for place, markers in needs.PLACES.items():
            if item.path.is_relative_to(needs.ROOT / place):
                assert all(item.get_closest_marker(marker) for marker in markers), item.nodeid
