"""A search of another package: the example, found by its entry point, keeps what every search keeps."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from flows.searches import GROUP, SEARCHES, run_config
from swarm.errors import InputError
from tests.searches.conformance import SearchConformance
from tests.tiny_search import CONFIG

RANDOM = "random-search = examples.random_search.search:RANDOM_SEARCH"


def install(folder: Path, patch: pytest.MonkeyPatch, entry: str) -> None:
    """Let the environment have a distribution with one entry point."""
    information = folder / "a_search-1.0.dist-info"
    information.mkdir(parents=True)
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: a-search\nVersion: 1.0\n")
    (information / "entry_points.txt").write_text(f"[{GROUP}]\n{entry}\n")
    patch.syspath_prepend(str(folder))


class TestRandomSearch(SearchConformance):
    """The suite over the example."""

    @pytest.fixture(scope="class", autouse=True)
    @classmethod
    def plugin(cls, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
        with pytest.MonkeyPatch.context() as patch:
            install(tmp_path_factory.mktemp("plugin"), patch, RANDOM)
            yield

    @pytest.fixture(scope="class")
    @classmethod
    def settings(cls, plugin: None) -> dict[str, Any]:
        common = {name: value for name, value in CONFIG.items() if name != "ensemble"}
        return {**common, "algorithm": "random-search", "search": {"candidates": 4, "max_iterations": 2}}


def test_without_its_entry_point_the_example_is_unknown() -> None:
    with pytest.raises(InputError, match="there is no 'random-search', only model-swarms, heterogeneous-swarms, "):
        run_config({"algorithm": "random-search"}, "run.yaml")


@pytest.mark.parametrize(
    ("entry", "problem"),
    [
        ("broken = no_such_package.search:SEARCH", "can't be loaded"),
        ("broken = examples.random_search.search:RANDOM_SEARCH", "is no search of that name"),
        ("broken = json:dumps", "is no search of that name"),
    ],
)
def test_an_entry_point_that_is_no_search_is_refused_in_one_line_when_it_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, entry: str, problem: str
) -> None:
    install(tmp_path, monkeypatch, entry)
    with pytest.raises(InputError, match=problem) as refused:
        run_config({"algorithm": "broken"}, "run.yaml")
    assert len(str(refused.value).splitlines()) == 1
    assert SEARCHES["model-swarms"].title == "Model Swarms"


def test_an_entry_point_can_t_take_the_name_of_a_search_of_this_project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path, monkeypatch, "model-swarms = examples.random_search.search:RANDOM_SEARCH")
    assert SEARCHES["model-swarms"].title == "Model Swarms"
    assert "model-swarms" not in SEARCHES.plugins()


def test_the_table_is_read_without_pytorch_and_prefect() -> None:
    script = "import sys, flows.searches; print([m for m in ('torch', 'prefect') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", script], capture_output=True, text=True).stdout == "[]\n"
