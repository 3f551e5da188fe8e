"""The report of an evolution strategies run: rewards by iteration, the best mean against the start, the costs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from infra.records.store import Records
from infra.records.values import EvaluationRecord, Purpose, RunRecord
from infra.report.asked_examples import AskedExample
from infra.report.chart import BEST, MUTED, WINNER, Json, axis, figure, round_values, whole_numbers
from infra.report.formats import p_value
from infra.report.rendering import render_page
from swarm.es_state import EsState

MOST_EXAMPLES = 8
"""The number of test examples that are shown before and after."""

_LONGEST = 600


@dataclass(frozen=True)
class EvolutionEvidence:
    """What the records hold of one run.

    Attributes:
        run: the run itself; its summary is None before the end.
        states: the states of iterations 0, 1, …, with their rewards.
        test_evaluations: the start and the best mean on the test split; empty before the end.
        seconds: part → seconds over the whole run, the longest first.

    """

    run: RunRecord
    states: tuple[EsState, ...]
    test_evaluations: Mapping[Purpose, EvaluationRecord]
    seconds: Mapping[str, float]


@dataclass(frozen=True)
class AnswerChange:
    """A test example's answers and scores, by the start and by the best mean."""

    before: str
    after: str
    score_before: float
    score_after: float


def read_evolution(records: Records, run: str) -> EvolutionEvidence:
    """Return what `records` hold of `run`, finished or not; raises `InputError` if there is no such run."""
    ends = (Purpose.STARTING_BEST, Purpose.ENDING_BEST)
    return EvolutionEvidence(
        run=records.run(run),
        states=tuple(EsState.from_json(record.state) for record in records.iterations(run)),
        test_evaluations={
            purpose: link.evaluation for purpose in ends for link in records.run_evaluations(run, purpose)
        },
        seconds=records.timings(run),
    )


def render_evolution(evidence: EvolutionEvidence, asked_examples: Sequence[AskedExample] = ()) -> str:
    """Return the report as HTML, with `asked_examples`; the same evidence gives the same text."""
    figures = {"rewards": reward_curve(evidence.states)} if evidence.states else {}
    return render_page(
        "evolution.html",
        figures,
        evidence=evidence,
        run=evidence.run,
        verdict=_verdict(evidence.run.summary),
        examples=changed_most(evidence.test_evaluations),
        asked_examples=asked_examples,
        config=yaml.safe_dump(evidence.run.config, sort_keys=False, allow_unicode=True),
    )


def reward_curve(states: Sequence[EsState]) -> Json:
    """Draw the least, mean and greatest reward of each population, and the mean's on the held-out examples."""
    evaluated_states = [state for state in states if state.rewards]
    measured_states = [state for state in states if state.held_out is not None]
    means = [sum(state.rewards) / len(state.rewards) for state in evaluated_states]
    traces = [
        _line("greatest", evaluated_states, [max(state.rewards) for state in evaluated_states], MUTED, dash="dot"),
        _line("mean of the population", evaluated_states, means, BEST),
        _line("least", evaluated_states, [min(state.rewards) for state in evaluated_states], MUTED, dash="dot"),
        _line(
            "the mean, held-out examples",
            measured_states,
            [state.held_out for state in measured_states],
            WINNER,
            mode="lines+markers",
        ),
    ]
    return figure(traces, whole_numbers("iteration", states[-1].iteration), axis("reward"), height=440)


def changed_most(test_evaluations: Mapping[Purpose, EvaluationRecord]) -> tuple[AnswerChange, ...]:
    """Return the test examples whose score changed most, for better or worse; none before the test."""
    if len(test_evaluations) < 2:
        return ()
    before, after = test_evaluations[Purpose.STARTING_BEST], test_evaluations[Purpose.ENDING_BEST]
    change = [b - a for a, b in zip(before.scores, after.scores, strict=True)]
    indices = sorted(range(len(change)), key=lambda index: (-abs(change[index]), index))[:MOST_EXAMPLES]
    return tuple(
        AnswerChange(before.outputs[i][:_LONGEST], after.outputs[i][:_LONGEST], before.scores[i], after.scores[i])
        for i in indices
    )


def _line(
    name: str,
    states: Sequence[EsState],
    values: Sequence[float | None],
    color: str,
    dash: str = "solid",
    mode: str = "lines",
) -> Json:
    return {
        "type": "scatter",
        "mode": mode,
        "name": name,
        "x": [state.iteration for state in states],
        "y": round_values(values),
        "line": {"color": color, "width": 2, "dash": dash},
        "hovertemplate": f"{name}, iteration %{{x}}: %{{y:.4f}}<extra></extra>",
    }


def _verdict(summary: Mapping[str, Any] | None) -> str:
    """Return what the paired test, and nothing but the test, says."""
    if summary is None:
        return "Not finished yet; nothing is tested before the search ends."
    start, end = summary["starting_best"], summary["ending_best"]
    if end["p_value_vs_starting_best"] is None:
        return "The objective has no test examples, so nothing can be said of the gain."
    change = f"{start['test']:.3f} → {end['test']:.3f} on the test split".replace("-", "−")
    result = f"{change}, paired {p_value(end['p_value_vs_starting_best'])}"
    if end["p_value_vs_starting_best"] >= 0.05:
        return f"No evidence of a difference: {result}."
    return f"{'Better' if end['test'] > start['test'] else 'Worse'} than the start: {result}."
