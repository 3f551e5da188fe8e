from dataclasses import replace

import pytest

from infra.records.values import EvaluationRecord
from infra.searches.model_swarms.report.emergence import Changes, changes, emergence
from infra.searches.model_swarms.report.evidence import Evidence


def evaluation(*scores: float) -> EvaluationRecord:
    blank = ("",) * len(scores)
    return EvaluationRecord("g", 0, {}, 0.5, (0.5,), scores, blank, blank)


def test_only_examples_that_no_initial_expert_solves_are_followed(finished: Evidence) -> None:
    result = emergence(finished)
    assert result is not None
    experts = [finished.search_evaluations[0, particle].scores for particle in range(5)]
    assert sorted(result.examples) == [k for k in range(40) if all(scores[k] < 1 for scores in experts)]


def test_every_share_is_that_of_the_personal_bests_of_its_iteration(finished: Evidence) -> None:
    result = emergence(finished)
    assert result is not None
    for column, state in enumerate(finished.states):
        bests = [finished.search_evaluations[when, i].scores for i, when in enumerate(state.personal_best_iterations)]
        expectation = [sum(scores[k] == 1 for scores in bests) / len(bests) for k in result.examples]
        assert result.shares[:, column].tolist() == expectation


def test_the_global_best_s_curve_ends_with_what_the_final_best_solves(finished: Evidence) -> None:
    result, best = emergence(finished), finished.best
    assert result is not None and best is not None
    scores = finished.search_evaluations[best.iteration, best.particle].scores
    assert result.solved == sum(scores[k] == 1 for k in result.examples)
    assert result.global_best[-1] == pytest.approx(result.solved / len(result.examples))
    assert len(result.global_best) == len(finished.states)


def test_the_examples_that_most_personal_bests_solve_in_the_end_come_first(finished: Evidence) -> None:
    result = emergence(finished)
    assert result is not None
    last = result.shares[:, -1].tolist()
    assert last == sorted(last, reverse=True) and last[0] > last[-1]


def test_nothing_emerges_where_the_experts_solve_everything(finished: Evidence) -> None:
    perfect = {index: replace(result, scores=(1.0,) * 40) for index, result in finished.search_evaluations.items()}
    assert emergence(replace(finished, search_evaluations=perfect)) is None


def test_nothing_emerges_before_the_first_iteration(finished: Evidence) -> None:
    assert emergence(replace(finished, states=(), search_evaluations={})) is None


def test_changes_tell_gained_examples_from_lost_ones() -> None:
    assert changes(evaluation(0, 1, 0.5, 1), evaluation(1, 0, 0.75, 1)) == Changes(gains=(0, 2), losses=(1,))


def test_where_answers_are_not_right_or_wrong_nothing_emerges(finished: Evidence) -> None:
    assert emergence(with_kind(finished, "conciseness")) is None


def with_kind(evidence: Evidence, kind: str) -> Evidence:
    config = evidence.run.config | {"objective": {"tasks": [{"kind": kind, "data": "d.json", "name": "facts"}]}}
    return replace(evidence, run=replace(evidence.run, config=config))
