import base64
import hashlib
import json
import re
from pathlib import Path

import pytest

from infra.records.values import RunStatus
from infra.searches.model_swarms.report.evidence import Evidence
from infra.searches.model_swarms.report.page import render_report
from swarm.errors import InputError
from swarm.parameters import Parameters
from tests.infra.report.page_reader import Page
from tests.infra.searches.model_swarms.report.made_up_run import MadeUpRun
from tests.reports import first_examples, write_report

HOSTILE = (
    '</script><script>alert("name")</script>',
    "<img src=x onerror=alert(1)>",
    '"><a href="https://example.org/">x</a>',
)
OUTPUT = "<!-- <script></pre></td><iframe src='https://example.org/'></iframe>{}"


def page_of(run: MadeUpRun, path: Path) -> Page:
    write_report(run.records, run.name, path)
    return Page(path.read_text(encoding="utf-8"))


def test_a_finished_run_s_report_has_every_part(finished: Evidence) -> None:
    page = Page(render_report(finished))
    for heading in (
        "Task by task",
        "The search",
        "Where the particles went",
        "The best",
        "Correctness emergence",
        "Examples that changed",
        "Where the time went",
        "What it was made of",
    ):
        assert heading in page.text
    figures = json.loads(page.scripts["application/json"][0])
    assert set(figures) == {"utility-curves", "trajectories", "recipe", "emergence"}
    assert set(figures) < {value for name, value in page.attributes if name == "id"}


def test_a_report_shows_what_was_asked_and_both_answers(made_up: MadeUpRun, tmp_path: Path) -> None:
    states = made_up.search(2)
    dev = page_of(made_up, tmp_path / "dev.html").text
    assert "Dev example 1 of knowledge" in dev and "The answer is dev 0?" in dev
    made_up.finish(states)
    text = " ".join(page_of(made_up, tmp_path / "test.html").text.split())
    assert "What was asked" in text and "The answer is dev" not in text
    for number in (1, 2, 3):
        asked = text.split(f"Test example {number} of knowledge")[1].split("Test example")[0]
        assert f"The answer is test {number - 1}? It answered The answer is " in asked
        assert asked.count(", score ") == 2 and "It was asked the same." in asked
    assert "Test example 4" not in text


def test_the_examples_shown_are_of_every_task(tmp_path: Path) -> None:
    run = MadeUpRun(tmp_path, Parameters(particles=5), tasks=("facts", "sums"), examples=40)
    run.search(0)
    output = first_examples(run.records, run.name)
    run.records.close()
    assert [(example.number, example.task) for example in output] == [(1, "facts"), (2, "facts"), (21, "sums")]


def test_the_same_records_give_the_same_report(finished: Evidence) -> None:
    assert render_report(finished) == render_report(finished)


def test_a_report_loads_nothing(finished: Evidence) -> None:
    page = Page(render_report(finished))
    names = {name for name, _ in page.attributes}
    assert names.isdisjoint({"src", "href", "srcset", "action", "data", "poster", "background", "style"})
    assert set(page.elements).isdisjoint({"link", "img", "iframe", "object", "embed", "base"})
    assert page.policy.startswith("default-src 'none'; ")


def test_the_policy_allows_the_page_s_own_scripts_and_no_other(finished: Evidence) -> None:
    page = Page(render_report(finished))
    hashes = [base64.b64encode(hashlib.sha256(s.encode()).digest()).decode() for s in page.scripts[""]]
    assert len(hashes) == 2
    assert re.findall(r"'sha256-([^']+)'", page.policy) == hashes
    assert "'unsafe-inline'" not in page.policy.split("script-src")[1].split(";")[0]


def test_names_outputs_and_messages_are_text_and_never_markup(tmp_path: Path) -> None:
    hostile = MadeUpRun(tmp_path, Parameters(particles=6), names=HOSTILE, tasks=HOSTILE[:2], examples=40, output=OUTPUT)
    hostile.finish(hostile.search(3))
    hostile.records.mark(hostile.name, RunStatus.FAILED, error=HOSTILE[0])
    page = page_of(hostile, tmp_path / "hostile.html")
    hostile.records.close()
    assert page.elements.count("script") == 3
    assert set(page.elements).isdisjoint({"img", "iframe", "a"})
    assert not any(name.startswith("on") for name, _ in page.attributes)
    assert all(name in page.text for name in HOSTILE)
    assert "</pre></td><iframe src='https://example.org/'></iframe>42" in page.text
    assert "<!-- <script></pre></td><iframe src='https://example.org/'></iframe>test 0?" in page.text  # a prompt
    assert (
        "&lt;img src=x" in json.loads(page.scripts["application/json"][0])["recipe"]["layout"]["yaxis"]["ticktext"][1]
    )


def test_a_failed_run_shows_its_error_and_how_far_it_came(made_up: MadeUpRun, tmp_path: Path) -> None:
    made_up.search(2)
    made_up.records.mark(made_up.name, RunStatus.FAILED, error="EvaluationError: the engine died")
    text = page_of(made_up, tmp_path / "report.html").text
    assert "EvaluationError: the engine died" in text
    assert "What follows is as of iteration 2." in text and "Best so far" in text
    assert "None" not in text


def test_a_run_without_a_finished_iteration_shows_its_configuration(made_up: MadeUpRun, tmp_path: Path) -> None:
    page = page_of(made_up, tmp_path / "report.html")
    assert "No iteration is finished" in page.text and "base_model: smollm2-135m-instruct" in page.text
    assert page.elements.count("script") == 0


def test_a_run_without_test_examples_claims_nothing(made_up: MadeUpRun, tmp_path: Path) -> None:
    made_up.finish(made_up.search(2), with_test=False)
    text = page_of(made_up, tmp_path / "report.html").text
    assert "Not tested: whether it is better is not known." in text
    assert "Better than" not in text


def test_an_unknown_run_leaves_an_earlier_report_alone(made_up: MadeUpRun, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    path.write_text("earlier", encoding="utf-8")
    with pytest.raises(InputError, match="made-upp"):
        write_report(made_up.records, "made-upp", path)
    assert path.read_text(encoding="utf-8") == "earlier"
