"""A search of another package: the example, found by its entry point, keeps what every search keeps."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from flows.searches import SEARCH_PLUGINS, SEARCHES, run_config, search_entries
from swarm.errors import InputError
from tests.distributions import install
from tests.searches.conformance import SearchConformance
from tests.tiny_search import CONFIG

RANDOM = "examples.random_search.search:RANDOM_SEARCH"


class TestRandomSearch(SearchConformance):
    """The suite over the example."""

    @pytest.fixture(scope="class", autouse=True)
    @classmethod
    def plugin(cls, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
        with pytest.MonkeyPatch.context() as patch:
            folder = tmp_path_factory.mktemp("plugin")
            install(folder, "a-search", SEARCH_PLUGINS.group, {"random-search": RANDOM})
            patch.syspath_prepend(str(folder))
            yield

    @pytest.fixture(scope="class")
    @classmethod
    def settings(cls) -> dict[str, Any]:
        common = {name: value for name, value in CONFIG.items() if name != "ensemble"}
        return {**common, "algorithm": "random-search", "search": {"candidates": 4, "max_iterations": 2}}


def test_without_its_entry_point_the_example_is_unknown() -> None:
    with pytest.raises(InputError, match="there is no 'random-search', only model-swarms, heterogeneous-swarms, "):
        run_config({"algorithm": "random-search"}, "run.yaml")


@pytest.mark.parametrize(
    ("target", "problem"),
    [
        ("no_such_package.search:SEARCH", "can't be loaded (ModuleNotFoundError: No module named 'no_such_package')"),
        (RANDOM, "calls itself 'random-search', not 'broken'"),
        ("json:dumps", "is of type function, not Search"),
    ],
)
def test_an_entry_point_that_is_no_search_is_refused_in_one_line_when_it_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, target: str, problem: str
) -> None:
    install(tmp_path, "a-search", SEARCH_PLUGINS.group, {"broken": target})
    monkeypatch.syspath_prepend(str(tmp_path))
    assert "broken" in SEARCHES
    with pytest.raises(InputError) as refused:
        run_config({"algorithm": "broken"}, "run.yaml")
    line = f"algorithm: broken of a-search 1.0: {target} {problem}: repair, update or uninstall it"
    assert str(refused.value) == line
    assert [entry.problem for entry in search_entries()] == [f"{target} {problem}"]
    assert SEARCHES["model-swarms"].title == "Model Swarms"


def test_an_entry_point_can_t_take_the_name_of_a_search_of_this_project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path, "a-search", SEARCH_PLUGINS.group, {"model-swarms": RANDOM})
    monkeypatch.syspath_prepend(str(tmp_path))
    assert SEARCHES["model-swarms"].title == "Model Swarms"
    assert list(SEARCHES).count("model-swarms") == 1
    [entry] = search_entries()
    assert entry.problem == "the name is that of a built-in entry, which is used instead"


def test_the_table_is_read_without_pytorch_and_prefect() -> None:
    script = "import sys, flows.searches; print([m for m in ('torch', 'prefect') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", script], capture_output=True, text=True).stdout == "[]\n"
