"""The report of a Heterogeneous Swarms run: the system as a picture, what it gains, and how it was found."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from infra.records.store import Records
from infra.records.values import EvaluationRecord, Purpose, RunRecord
from infra.report.asked_examples import AskedExample
from infra.report.chart import Json
from infra.report.contenders import Contender, contender_scale
from infra.report.plain import plain_verdict
from infra.report.rendering import render_page
from infra.report.tasks import is_graded
from infra.searches.heterogeneous_swarms.report.c_gain_figure import c_gain_figure
from infra.searches.heterogeneous_swarms.report.curves import system_curves
from infra.searches.heterogeneous_swarms.report.graph import GraphPicture, graph_picture
from infra.systems.group import transcript
from swarm.heterogeneous_state import HeterogeneousState
from swarm.systems import System

MOST_EXAMPLES = 4
"""The number of test examples that are shown where the system does better than its models, and where worse."""
_LONGEST = 400
"""Characters of an answer that are shown."""


@dataclass(frozen=True)
class SystemEvidence:
    """What the records hold of one run.

    Attributes:
        run: the run itself; its summary is None before the end.
        states: the states of iterations 0, 1, …, with their utilities.
        test_evaluation: the best system on the test split; None before the end.
        components: its different models, each alone, on the test split.
        answers: what its nodes answered on the test (`infra.systems.group.node_answers`).
        seconds: part → seconds over the whole run, the longest first.

    """

    run: RunRecord
    states: tuple[HeterogeneousState, ...]
    test_evaluation: EvaluationRecord | None
    components: tuple[EvaluationRecord, ...]
    answers: Mapping[str, Any]
    seconds: Mapping[str, float]


@dataclass(frozen=True)
class Talk:
    """The answers of the nodes to one test example (the first is 1).

    Attributes:
        number: the example's.
        score: the system's.
        alone: the mean score of its models, each alone.
        answers: each node's number and its answer, in the order in which they answered.

    """

    number: int
    score: float
    alone: float
    answers: tuple[tuple[int, str], ...]


def read_system_run(records: Records, run: str) -> SystemEvidence:
    """Return what `records` hold of `run`, finished or not; raises `InputError` if there is no such run."""
    links = records.run_evaluations(run, Purpose.ENDING_BEST)
    test_evaluation = links[0].evaluation if links else None
    return SystemEvidence(
        run=records.run(run),
        states=tuple(HeterogeneousState.from_json(record.state) for record in records.iterations(run)),
        test_evaluation=test_evaluation,
        components=tuple(link.evaluation for link in records.run_evaluations(run, Purpose.COMPONENT)),
        answers=(records.node_answers(test_evaluation.group) or {}) if test_evaluation else {},
        seconds=records.timings(run),
    )


def render_system_run(evidence: SystemEvidence, asked_examples: Sequence[AskedExample] = ()) -> str:
    """Return the report as HTML, with `asked_examples`; the same evidence gives the same text."""
    summary = evidence.run.summary
    rows = contenders(summary)
    best_talks, worst_talks = talks(evidence)
    return render_page(
        "system.html",
        _figures(evidence),
        evidence=evidence,
        run=evidence.run,
        verdict=plain_verdict(evidence.run),
        is_graded=is_graded(evidence.run),
        contenders=rows,
        scale=contender_scale(rows),
        graph=picture(summary) if summary else None,
        best_talks=best_talks,
        worst_talks=worst_talks,
        asked_examples=asked_examples,
        config=yaml.safe_dump(evidence.run.config, sort_keys=False, allow_unicode=True),
    )


def contenders(summary: Mapping[str, Any] | None) -> tuple[Contender, ...]:
    """Return the best expert and the system; nobody before the end."""
    if summary is None:
        return ()
    start, end = summary["starting_best"], summary["ending_best"]
    nodes = len(end["nodes"])
    return (
        Contender("Best expert alone", start["expert"], start["dev"], start["test"], _interval(start)),
        Contender(
            "The system", f"{nodes} nodes, iteration {end['iteration']}", end["dev"], end["test"], _interval(end)
        ),
    )


def picture(summary: Mapping[str, Any]) -> GraphPicture:
    """Return the drawing of the best system."""
    best = summary["ending_best"]
    names = {key: name for name, key in summary["experts"].items()}
    return graph_picture(System.from_json(best["system"]), names, [node["contribution"] for node in best["nodes"]])


def talks(evidence: SystemEvidence) -> tuple[tuple[Talk, ...], tuple[Talk, ...]]:
    """Return the test examples at which working together helped most, and those at which it did most harm."""
    if evidence.test_evaluation is None or not evidence.components or not evidence.answers:
        return (), ()
    alone = [
        sum(scores) / len(scores)
        for scores in zip(*(component.scores for component in evidence.components), strict=True)
    ]
    gains = [score - other for score, other in zip(evidence.test_evaluation.scores, alone, strict=True)]
    order = sorted(range(len(gains)), key=lambda example: (-gains[example], example))
    gain_examples = [example for example in order[:MOST_EXAMPLES] if gains[example] > 0]
    loss_examples = [example for example in reversed(order[-MOST_EXAMPLES:]) if gains[example] < 0]
    best, worst = (
        tuple(_talk(evidence, example, alone) for example in examples) for examples in (gain_examples, loss_examples)
    )
    return best, worst


def _talk(evidence: SystemEvidence, example: int, alone: Sequence[float]) -> Talk:
    test_evaluation = evidence.test_evaluation
    assert test_evaluation is not None
    order = System.from_json(test_evaluation.recipe).dag.order
    answers = transcript(evidence.answers, test_evaluation.index, example)
    texts = [test_evaluation.predictions[example] if text is None else text.strip() for text in answers]
    return Talk(
        example + 1,
        test_evaluation.scores[example],
        alone[example],
        tuple((node, text[:_LONGEST]) for node, text in zip(order, texts, strict=True)),
    )


def _figures(evidence: SystemEvidence) -> dict[str, Json]:
    figures = {"systems": system_curves(evidence.states)} if evidence.states else {}
    gain = (evidence.run.summary or {}).get("c_gain")
    return figures | {"c-gain": c_gain_figure(gain)} if gain else figures


def _interval(row: Mapping[str, Any]) -> tuple[float, float] | None:
    bounds = row.get("test_ci95")
    return None if bounds is None else (bounds[0], bounds[1])
