"""One Prefect server, with its UI, for all tests that deploy; each has a work pool and a name of its own there.

The tests with a browser run where there is one.
"""

from collections.abc import Iterator

import pytest

from tests.browser import PROGRAMS
from tests.installed import program, tested
from tests.prefect_server import prefect_server

BROWSER = tested("Chromium", program(*PROGRAMS) is not None, "apt-get install chromium")
collect_ignore = [] if BROWSER else ["test_prefect_form.py"]


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The environment of the server's clients."""
    home = tmp_path_factory.mktemp("server") / "prefect"
    with prefect_server(home, {"PREFECT_SERVER_DATABASE_TIMEOUT": "60"}, with_ui=True) as environment:
        yield environment
