"""What some tests need that not every machine has: they run wherever it is there, and CI has to have it.

What was not there is said at the end of pytest's output (tests/conftest.py).
"""

import os
import shutil
from importlib.util import find_spec
from pathlib import Path

CI = os.environ.get("CI") == "true"
MISSING: dict[str, str] = {}
"""What is not there, and how it is installed."""

_DEBIANS_POSTGRES = Path("/usr/lib/postgresql")


def tested(what: str, found: bool, remedy: str) -> bool:
    """Tell whether the tests of `what` run: where it is found; in CI always, so that they fail if it is missing."""
    if not found:
        MISSING[what] = remedy
    return found or CI


def package_tested(name: str, extra: str) -> bool:
    """Tell whether the tests of a Python package run, which an extra of this project installs."""
    return tested(name, find_spec(name) is not None, f"pip install --editable '.[{extra}]'")


def program(*names: str) -> str | None:
    """Return the path of the first of these programs that is installed.

    Debian keeps those of PostgreSQL's server away from PATH, in a folder for each release.
    """
    releases = sorted(_DEBIANS_POSTGRES.glob("*/bin"), key=lambda folder: int(folder.parent.name), reverse=True)
    places = os.pathsep.join([os.environ.get("PATH", os.defpath), *map(str, releases)])
    return next((found for name in names if (found := shutil.which(name, path=places))), None)
