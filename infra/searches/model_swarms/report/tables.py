"""The tables of a report: what its page shows beside the figures."""

from collections.abc import Sequence
from dataclasses import dataclass

from infra.records.values import EvaluationRecord, Purpose
from infra.report.contenders import Contender
from infra.searches.model_swarms.report.emergence import Changes, changes
from infra.searches.model_swarms.report.evidence import Evidence

MOST_EXAMPLES = 5
"""The number of gained, and of lost, examples that are shown."""
_LONGEST = 600
"""Characters of an output that are shown."""


def contenders(evidence: Evidence) -> tuple[Contender, ...]:
    """Return the best expert, the global best and the ensemble; nobody before iteration 0 is finished."""
    best, expert = evidence.best, evidence.best_expert
    if best is None or expert is None:
        return ()
    summary = evidence.run.summary or {}
    start, end = summary.get("starting_best", {}), summary.get("ending_best", {})
    rows = [
        Contender(
            "Best expert at the start",
            evidence.names[expert],
            evidence.states[0].utilities[expert],
            start.get("test"),
            _interval(start.get("test_ci95")),
        ),
        Contender(
            "Found by the search" if summary else "Best so far",
            f"particle {best.particle}, iteration {best.iteration}",
            best.utility,
            end.get("test"),
            _interval(end.get("test_ci95")),
        ),
    ]
    if (earlier := summary.get("previous_best")) is not None:
        interval = _interval(earlier.get("test_ci95"))
        title = f"Best of run {earlier['run']}"
        rows.append(Contender(title, "where this run began", earlier["dev"], earlier["test"], interval))
    if (ensemble := summary.get("ensemble")) is not None:
        note = f"majority vote of the best {ensemble['k']} particles"
        interval = _interval(ensemble.get("test_ci95"))
        rows.append(Contender("Ensemble", note, ensemble["dev"], ensemble["test"], interval))
    return tuple(rows)


def _interval(bounds: Sequence[float] | None) -> tuple[float, float] | None:
    return None if bounds is None else (bounds[0], bounds[1])


@dataclass(frozen=True)
class TaskRow:
    """One task of an objective on one split: the best expert's utility, and the global best's."""

    task: str
    split: str
    before: float
    after: float


def task_rows(evidence: Evidence) -> tuple[TaskRow, ...]:
    """Return the utilities task by task; nothing for an objective of one task, which the comparison shows whole."""
    if len(evidence.tasks) < 2:
        return ()
    pairs = {split: pair for split in ("dev", "test") if (pair := evidence.pair(split)) is not None}
    return tuple(
        TaskRow(task, split, before.task_utilities[k], after.task_utilities[k])
        for k, task in enumerate(evidence.tasks)
        for split, (before, after) in pairs.items()
    )


@dataclass(frozen=True)
class Answer:
    """An answer to one example, the prediction that was read from it, and its score."""

    output: str
    prediction: str
    score: float
    shortened: bool


@dataclass(frozen=True)
class ChangedExample:
    """An example (the first is 1) that the best expert and the global best answer with different scores."""

    number: int
    before: Answer
    after: Answer


@dataclass(frozen=True)
class ChangedExamples:
    """On which split examples changed, all of them by number, and the first few in full."""

    split: str
    examples: int
    changes: Changes
    gains: tuple[ChangedExample, ...]
    losses: tuple[ChangedExample, ...]


def changed_examples(evidence: Evidence) -> ChangedExamples | None:
    """Return what changed on the test, or on dev before there is a test; None before anything is evaluated."""
    split = "test" if Purpose.ENDING_BEST in evidence.test_evaluations else "dev"
    pair = evidence.pair(split)
    if pair is None:
        return None
    differences = changes(*pair)
    gains, losses = (
        tuple(_changed_example(*pair, k) for k in indices[:MOST_EXAMPLES])
        for indices in (differences.gains, differences.losses)
    )
    return ChangedExamples(split, len(pair[0].scores), differences, gains, losses)


def _changed_example(before: EvaluationRecord, after: EvaluationRecord, index: int) -> ChangedExample:
    return ChangedExample(index + 1, _answer(before, index), _answer(after, index))


def _answer(evaluation: EvaluationRecord, index: int) -> Answer:
    output = evaluation.outputs[index]
    return Answer(output[:_LONGEST], evaluation.predictions[index], evaluation.scores[index], len(output) > _LONGEST)
