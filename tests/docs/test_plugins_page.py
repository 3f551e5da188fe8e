import re
import tomllib
from pathlib import Path

import pytest

from data.kinds.registry import KIND_PLUGINS
from data.plugins import Entry
from flows.searches import SEARCH_PLUGINS, search_entries
from infra.configs.trackers import TRACKER_PLUGINS
from infra.engines.config import ENGINE_PLUGINS
from infra.engines.kinds import engine_entries
from infra.observing.trackers.base import TrackedRun
from infra.observing.trackers.registry import open_tracker, tracker_entries
from tests.distributions import install

PAGE = (Path(__file__).parents[2] / "docs" / "plugins.md").read_text(encoding="utf-8")
GROUPS = [plugins.group for plugins in (SEARCH_PLUGINS, ENGINE_PLUGINS, KIND_PLUGINS, TRACKER_PLUGINS)]


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


@pytest.fixture
def examples(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The groups of the page's examples, which are all installed, in their order."""
    modules = {re.match(r"# (\w+)\.py\n", code)[1]: code for code in blocks("python")}
    groups = []
    for number, block in enumerate(blocks("toml")):
        [(group, points)] = tomllib.loads(block)["project"]["entry-points"].items()
        install(tmp_path, f"example{number}", group, points, **modules)
        groups.append(group)
    monkeypatch.syspath_prepend(str(tmp_path))
    return groups


def test_every_group_is_in_the_table_and_has_an_example(examples: list[str]) -> None:
    assert re.findall(r"^\| `([\w.]+)` \|", PAGE, re.MULTILINE) == GROUPS
    assert examples == GROUPS


def test_the_examples_can_be_used(examples: list[str]) -> None:
    assert search_entries() == [Entry("random-search", "example0 1.0")]
    assert engine_entries() == [Entry("echo", "example1 1.0")]
    assert tracker_entries() == [Entry("diary", "example3 1.0")]
    assert KIND_PLUGINS.plugin_names() == ["letters"]  # tests/docs/test_objectives_page.py uses its class


def test_the_tracker_on_the_page_writes_the_figures(examples: list[str], tmp_path: Path) -> None:
    tracker = open_tracker("diary", TrackedRun("first-1", "first", tmp_path, {}))
    tracker.log(0, {"utility": 0.5})
    tracker.finish({"run": "first"})
    tracker.close()
    lines = (tmp_path / "diary.jsonl").read_text().splitlines()
    assert lines == ['{"iteration": 0, "utility": 0.5}', '{"run": "first"}']
