import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.searches.heterogeneous_swarms.report.c_gain_figure import c_gain_figure
from infra.searches.heterogeneous_swarms.report.graph import HEIGHT, WIDTH, graph_picture
from infra.searches.heterogeneous_swarms.report.page import read_system_run, talks
from infra.systems.names import recipe_name
from swarm.graphs import Dag
from swarm.recipes import Recipe, Space
from swarm.systems import System
from tests.infra.report.page_reader import Page
from tests.infra.searches.heterogeneous_swarms.report.made_up_system import NAMES, MadeUpSystemRun
from tests.reports import write_report

HOSTILE = '</script><script>alert("x")</script><img src=x onerror=alert(1)>'


def page_of(run: MadeUpSystemRun, path: Path) -> Page:
    write_report(run.records, run.name, path / "report.html")
    run.records.close()
    return Page((path / "report.html").read_text(encoding="utf-8"))


def test_a_finished_run_s_report_shows_the_system_its_gain_and_its_search(tmp_path: Path) -> None:
    run = MadeUpSystemRun(tmp_path)
    summary = run.finish(run.search(3))
    page = page_of(run, tmp_path)
    for heading in ("The system", "Collaborative gain", "Where working together helped", "The search", "What sharing"):
        assert heading in page.text
    assert page.elements.count("rect") >= 2 * len(summary["ending_best"]["nodes"])
    assert set(json.loads(page.scripts["application/json"][0])) == {"systems", "c-gain"}
    assert "2 911 were generated (58 %), with 66 000 tokens in place of 120 000 (55 %)" in page.text
    for node in summary["ending_best"]["nodes"]:
        assert f"Node {node['node']}" in page.text
    assert "You look for mistakes." in page.text


def test_the_same_run_gives_the_same_page(tmp_path: Path) -> None:
    run = MadeUpSystemRun(tmp_path)
    run.finish(run.search(1))
    pages = []
    for name in ("one.html", "two.html"):
        write_report(run.records, run.name, tmp_path / name)
        pages.append((tmp_path / name).read_text())
    run.records.close()
    assert pages[0] == pages[1]


@pytest.mark.parametrize("iterations", [None, 0])
def test_a_run_under_way_has_a_report_without_a_result(tmp_path: Path, iterations: int | None) -> None:
    run = MadeUpSystemRun(tmp_path)
    if iterations is not None:
        run.search(iterations)
    page = page_of(run, tmp_path)
    assert "Not finished yet." in page.text and "Collaborative gain" not in page.text
    assert ("The search" in page.text) is (iterations is not None)


def test_names_roles_and_answers_stay_text(tmp_path: Path) -> None:
    run = MadeUpSystemRun(tmp_path, names=(HOSTILE, *NAMES[1:]), roles=(HOSTILE,) * 6, output=HOSTILE + "{}")
    run.finish(run.search(1))
    page = page_of(run, tmp_path)
    assert not {"img", "iframe"} & set(page.elements)
    assert page.elements.count("script") == 3
    assert not [name for name, _ in page.attributes if name.startswith("on")]
    assert re.search(r"script-src 'sha256-", page.policy)
    assert "alert" in page.text


def test_talks_are_where_the_system_differs_most_from_its_models(tmp_path: Path) -> None:
    run = MadeUpSystemRun(tmp_path)
    run.finish(run.search(2))
    evidence = read_system_run(run.records, run.name)
    run.records.close()
    helped, hurt = talks(evidence)
    assert all(talk.score > talk.alone for talk in helped) and all(talk.score < talk.alone for talk in hurt)
    order = System.from_json(evidence.test_evaluation.recipe).dag.order  # type: ignore[union-attr]
    first = helped[0]
    assert first.answers == tuple((node, f"node {node}: {first.number - 1}") for node in order)


def system(parents: tuple[int, ...]) -> System:
    """Return a system whose node 0 is the end, and whose others answer to a node before them."""
    n = len(parents)
    recipe = Recipe(("a" * 64, "b" * 64), (1.0, 0.0), Space.FACTORS)
    return System(Dag((None, *parents[1:])), (recipe,) * n, ("",) * n, tuple(range(n)))


@given(st.integers(2, 32).flatmap(lambda n: st.tuples(*[st.integers(0, max(0, i - 1)) for i in range(n)])))
def test_boxes_never_overlap_and_arrows_go_to_the_right(parents: tuple[int, ...]) -> None:
    made = system(parents)
    picture = graph_picture(made, {}, [0.0] * len(parents))
    places = [(box.x, box.y) for box in picture.boxes]
    assert all(x >= 0 and x + WIDTH <= picture.width and y >= 0 and y + HEIGHT <= picture.height for x, y in places)
    for one, (x, y) in enumerate(places):
        for other_x, other_y in places[one + 1 :]:
            assert abs(x - other_x) >= WIDTH or abs(y - other_y) >= HEIGHT
    for node, after in enumerate(made.dag.successor):
        assert after is None or places[node][0] + WIDTH < places[after][0]


def test_a_box_says_what_the_node_is() -> None:
    picture = graph_picture(system((0, 0, 1)), {"a" * 64: "cot"}, [0.2, -0.1, 0.0])
    end, middle, source = picture.boxes
    assert (end.end, middle.end) == (True, False)
    assert end.title == "Node 0, the end node: model 0, cot"
    assert (end.share, middle.share, source.share) == (1.0, -0.5, 0.0)
    assert len(picture.arrows) == 2


@pytest.mark.parametrize(
    ("coefficients", "name"),
    [
        ({"a": 1.0, "b": 0.0}, "a"),
        ({"a": 0.25, "b": 0.75}, "0.75 b + 0.25 a"),
        ({"a": 1.5, "b": -0.5}, "1.50 a − 0.50 b"),
        ({"a": -1.0}, "− 1.00 a"),
        ({"a": 0.4, "b": 0.3, "c": 0.2, "d": 0.1}, "0.40 a + 0.30 b + 0.20 c + …"),
        ({"a": 0.0}, "nothing"),
    ],
)
def test_a_model_is_named_by_what_it_is_made_of(coefficients: dict[str, float], name: str) -> None:
    assert recipe_name(coefficients) == name


def test_the_gain_s_interval_is_drawn_around_the_accuracy() -> None:
    interval = {"mean": 0.25, "low": 0.0, "high": 0.5}
    bucket = {"models": 1, "examples": 1, "accuracy": 0.5, "expectation": 0.25, "gain": interval}
    bars, expectation = c_gain_figure({"models": 4, "buckets": [bucket]})["data"]
    assert (bars["x"], bars["y"], expectation["y"]) == (["1 of 4<br>1 problem"], [0.5], [0.25])
    assert (bars["error_y"]["array"], bars["error_y"]["arrayminus"]) == ([0.25], [0.25])
