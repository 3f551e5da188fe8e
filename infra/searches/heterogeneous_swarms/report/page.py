"""The report of a Heterogeneous Swarms run: the system as a picture, what it gains, and how it was found."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from infra.records.store import Records
from infra.records.values import EvaluationRecord, Purpose, RunRecord
from infra.report.asked import AskedExample
from infra.report.chart import Json
from infra.report.contenders import Contender, contender_scale
from infra.report.plain import plain_verdict
from infra.report.rendering import rendered
from infra.report.tasks import graded
from infra.searches.heterogeneous_swarms.report.c_gain_figure import c_gain_figure
from infra.searches.heterogeneous_swarms.report.curves import system_curves
from infra.searches.heterogeneous_swarms.report.graph import GraphPicture, graph_picture
from infra.systems.group import transcript
from swarm.heterogeneous_state import HeterogeneousState
from swarm.systems import System

SHOWN = 4
"""So many test examples are shown where the system does better than its models, and so many where it does worse."""
_LONGEST = 400
"""Characters of an answer that are shown."""


@dataclass(frozen=True)
class SystemEvidence:
    """What the records hold of one run.

    Attributes:
        run: the run itself; its summary is None before the end.
        states: the told states of iterations 0, 1, ….
        tested: the best system on the test split; None before the end.
        components: its different models, each alone, on the test split.
        answers: what its nodes answered on the test (`infra.systems.group.node_answers`).
        seconds: part → seconds over the whole run, the longest first.

    """

    run: RunRecord
    states: tuple[HeterogeneousState, ...]
    tested: EvaluationRecord | None
    components: tuple[EvaluationRecord, ...]
    answers: Mapping[str, Any]
    seconds: Mapping[str, float]


@dataclass(frozen=True)
class Talk:
    """What the nodes said to one test example, the first of which is 1.

    Attributes:
        number: the example's.
        score: the system's.
        alone: the mean score of its models, each alone.
        said: each node's number and its answer, in the order in which they answered.

    """

    number: int
    score: float
    alone: float
    said: tuple[tuple[int, str], ...]


def read_system_run(records: Records, run: str) -> SystemEvidence:
    """Return what `records` hold of `run`, finished or not; raises `InputError` if there is no such run."""
    found = records.run_evaluations(run, Purpose.ENDING_BEST)
    tested = found[0].evaluation if found else None
    return SystemEvidence(
        run=records.run(run),
        states=tuple(HeterogeneousState.from_json(record.state) for record in records.iterations(run)),
        tested=tested,
        components=tuple(used.evaluation for used in records.run_evaluations(run, Purpose.COMPONENT)),
        answers=(records.node_answers(tested.group) or {}) if tested else {},
        seconds=records.timings(run),
    )


def render_system_run(evidence: SystemEvidence, asked: Sequence[AskedExample] = ()) -> str:
    """Return the report as HTML, with the examples that were `asked`: the same text for the same evidence."""
    summary = evidence.run.summary
    rows = contenders(summary)
    helped, hurt = talks(evidence)
    return rendered(
        "system.html",
        _figures(evidence),
        evidence=evidence,
        run=evidence.run,
        verdict=plain_verdict(evidence.run),
        graded=graded(evidence.run),
        contenders=rows,
        scale=contender_scale(rows),
        graph=picture(summary) if summary else None,
        helped=helped,
        hurt=hurt,
        asked=asked,
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
    if evidence.tested is None or not evidence.components or not evidence.answers:
        return (), ()
    alone = [sum(scores) / len(scores) for scores in zip(*(one.scores for one in evidence.components), strict=True)]
    gains = [score - other for score, other in zip(evidence.tested.scores, alone, strict=True)]
    ranked = sorted(range(len(gains)), key=lambda example: (-gains[example], example))
    helped = [example for example in ranked[:SHOWN] if gains[example] > 0]
    hurt = [example for example in reversed(ranked[-SHOWN:]) if gains[example] < 0]
    return tuple(_talk(evidence, each, alone) for each in helped), tuple(_talk(evidence, each, alone) for each in hurt)


def _talk(evidence: SystemEvidence, example: int, alone: Sequence[float]) -> Talk:
    tested = evidence.tested
    assert tested is not None
    order = System.from_json(tested.recipe).dag.order
    said = transcript(evidence.answers, tested.index, example)
    texts = [tested.predictions[example] if text is None else text.strip() for text in said]
    return Talk(
        example + 1,
        tested.scores[example],
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
