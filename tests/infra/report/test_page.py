import base64
import hashlib
import json
import re
from pathlib import Path

import pytest
from made_up_run import MadeUpRun
from page_reader import Page

from infra.records.values import RunStatus
from infra.report.evidence import Evidence
from infra.report.page import render_report, write_report
from swarm.errors import InputError
from swarm.parameters import Parameters

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
