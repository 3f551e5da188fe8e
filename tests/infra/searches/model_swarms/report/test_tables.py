from dataclasses import replace
from typing import Any

import pytest

from infra.records.values import Purpose
from infra.report.contenders import Contender, scale
from infra.searches.model_swarms.report.evidence import Evidence
from infra.searches.model_swarms.report.tables import MOST_EXAMPLES, changed_examples, contenders, task_rows


def summary(evidence: Evidence) -> dict[str, Any]:
    assert evidence.run.summary is not None
    return evidence.run.summary


def test_the_comparison_shows_who_was_tested_as_the_summary_has_it(finished: Evidence) -> None:
    start, end, best = summary(finished)["starting_best"], summary(finished)["ending_best"], finished.best
    assert best is not None
    assert contenders(finished) == (
        Contender("Best expert at the start", start["expert"], start["dev"], start["test"], tuple(start["test_ci95"])),
        Contender(
            "Found by the search",
            f"particle {best.particle}, iteration {best.iteration}",
            end["dev"],
            end["test"],
            tuple(end["test_ci95"]),
        ),
        Contender("Ensemble", "majority vote of the best 10 particles", best.utility, end["test"], None),
    )


def test_an_unfinished_run_is_compared_on_dev_alone(finished: Evidence) -> None:
    rows = contenders(replace(finished, run=replace(finished.run, summary=None)))
    assert [row.title for row in rows] == ["Best expert at the start", "Best so far"]
    assert all(row.test is None and row.interval is None for row in rows)


def test_each_task_is_shown_on_each_split(finished: Evidence) -> None:
    rows = task_rows(finished)
    assert [(row.task, row.split) for row in rows] == [
        ("facts", "dev"),
        ("facts", "test"),
        ("sums", "dev"),
        ("sums", "test"),
    ]
    test_evaluations = [
        finished.test_evaluations[purpose].task_utilities for purpose in (Purpose.STARTING_BEST, Purpose.ENDING_BEST)
    ]
    assert [(row.before, row.after) for row in rows if row.split == "test"] == list(zip(*test_evaluations, strict=True))


def test_one_task_needs_no_table_of_tasks(finished: Evidence) -> None:
    assert task_rows(replace(finished, tasks=("facts",))) == ()


def test_changed_examples_are_those_of_the_test(finished: Evidence) -> None:
    result = changed_examples(finished)
    assert result is not None
    before, after = finished.test_evaluations[Purpose.STARTING_BEST], finished.test_evaluations[Purpose.ENDING_BEST]
    gained = [k for k in range(40) if after.scores[k] > before.scores[k]]
    assert (result.split, result.examples, result.changes.gains) == ("test", 40, tuple(gained))
    assert [row.number for row in result.gains] == [k + 1 for k in gained[:MOST_EXAMPLES]]
    assert all(row.after.output == "The answer is 42" and row.before.score == 0 for row in result.gains)


def test_before_a_test_changed_examples_are_those_of_dev(finished: Evidence) -> None:
    result = changed_examples(replace(finished, test_evaluations={}))
    assert result is not None and result.split == "dev"


def test_a_long_output_is_shortened_and_says_so(finished: Evidence) -> None:
    after = finished.test_evaluations[Purpose.ENDING_BEST]
    long = finished.test_evaluations | {Purpose.ENDING_BEST: replace(after, outputs=("x" * 601,) * 40)}
    result = changed_examples(replace(finished, test_evaluations=long))
    assert result is not None
    answer = result.gains[0].after
    assert (len(answer.output), answer.shortened, result.gains[0].before.shortened) == (600, True, False)


@pytest.mark.parametrize(
    ("values", "low", "high"),
    [
        ([0.42, 0.58], 0.4, 0.6),
        ([0.5], 0.5, 0.6),
        ([None, None], 0.0, 0.1),
        ([0.0, 1.0], 0.0, 1.0),
        ([0.3, 0.7], 0.3, 0.7),
    ],
)
def test_a_scale_spans_the_tenths_around_its_values(values: list[float | None], low: float, high: float) -> None:
    result = scale(values)
    assert (result.low, result.high) == pytest.approx((low, high))
    assert result(result.low) == "3.00%" and result(result.high) == "97.00%"
