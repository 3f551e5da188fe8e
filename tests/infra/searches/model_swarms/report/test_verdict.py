from dataclasses import replace
from typing import Any

import pytest

from infra.records.values import RunStatus
from infra.searches.model_swarms.report.evidence import Evidence
from infra.searches.model_swarms.report.verdict import verdict


def told(evidence: Evidence, start: float, end: float, p: float | None) -> Evidence:
    summary: dict[str, Any] = {
        "starting_best": {"expert": "cot", "test": start},
        "ending_best": {"test": end, "p_value_vs_starting_best": p},
    }
    return replace(evidence, run=replace(evidence.run, summary=summary))


@pytest.mark.parametrize(
    ("start", "end", "p", "tone", "sentence"),
    [
        (0.4, 0.463, 0.012, "better", "Better than the best expert, cot, by 6.3 points on the test (p = 0.012)."),
        (0.4, 0.5, 0.0001, "better", "Better than the best expert, cot, by 10.0 points on the test (p < 0.001)."),
        (0.5, 0.4, 0.03, "worse", "Worse than the best expert, cot, by 10.0 points on the test (p = 0.030)."),
        (
            0.4,
            0.41,
            0.41,
            "undecided",
            "No evidence that it is better than the best expert, cot: +1.0 points on the test (p = 0.41).",
        ),
        (
            0.4,
            0.5,
            0.05,
            "undecided",
            "No evidence that it is better than the best expert, cot: +10.0 points on the test (p = 0.050).",
        ),
        (
            0.4,
            0.4,
            1.0,
            "undecided",
            "No evidence that it is better than the best expert, cot: 0.0 points on the test (p = 1.00).",
        ),
    ],
)
def test_the_headline_says_no_more_than_the_paired_test(
    finished: Evidence, start: float, end: float, p: float, tone: str, sentence: str
) -> None:
    result = verdict(told(finished, start, end, p))
    assert (result.tone, result.sentence) == (tone, sentence)


def test_scores_of_no_share_of_right_answers_differ_by_no_points(finished: Evidence) -> None:
    task = {"kind": "likelihood", "data": "d.json", "name": "facts"}
    run = replace(finished.run, config=finished.run.config | {"objective": {"tasks": [task]}})
    result = verdict(told(replace(finished, run=run), -2.5, -2.25, 0.01))
    assert result.sentence == "Better than the best expert, cot, by 0.250 on the test (p = 0.010)."


def test_without_test_examples_nothing_is_claimed(finished: Evidence) -> None:
    result = verdict(told(finished, 0.4, 0.9, None))
    assert (result.tone, result.sentence) == ("undecided", "Not tested: whether it is better is not known.")
    assert "no test" in result.reason


def test_an_expert_that_stayed_the_best_is_not_called_a_find(finished: Evidence) -> None:
    first = replace(finished, states=finished.states[:1])
    best, expert = first.best, first.best_expert
    assert best is not None and expert is not None
    stayed = replace(first.states[0], global_best=replace(best, particle=expert))
    result = verdict(told(replace(first, states=(stayed,)), 0.4, 0.4, 1.0))
    assert result.sentence == "The search found nothing better than the best expert, cot."


@pytest.mark.parametrize(
    ("status", "sentence"),
    [
        (RunStatus.RUNNING, "Not finished yet."),
        (RunStatus.STOPPED, "Stopped before its end; it can be resumed."),
        (RunStatus.FAILED, "Failed; it can be resumed."),
    ],
)
def test_an_unfinished_run_is_called_so(finished: Evidence, status: RunStatus, sentence: str) -> None:
    result = verdict(replace(finished, run=replace(finished.run, status=status, summary=None)))
    assert (result.tone, result.sentence) == ("undecided", sentence)
    assert result.reason.startswith("What follows is as of iteration 5.")
