"""The report of a search that has none of its own: the result, the best utility by iteration, what was asked."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from infra.observing.views import BestSoFar
from infra.records.store import Records
from infra.records.values import IterationRecord, RunRecord
from infra.report.asked_examples import AskedExample
from infra.report.chart import BEST, Json, axis, figure, round_values, whole_numbers
from infra.report.contenders import Contender
from infra.report.formats import p_value, points
from infra.report.rendering import render_page
from infra.report.tasks import is_graded
from infra.report.verdict import SIGNIFICANT, Tone, Verdict


@dataclass(frozen=True)
class PlainEvidence:
    """What the records hold of one run: its iterations, and part → seconds, the longest first."""

    states: tuple[IterationRecord, ...]
    seconds: dict[str, float]


def plain_report(
    records: Records, run: RunRecord, bests: Sequence[BestSoFar], asked_examples: Sequence[AskedExample]
) -> str:
    """Return the report as HTML.

    Args:
        records: where the run is.
        run: the run, finished or not.
        bests: the best as of each iteration.
        asked_examples: the examples to show.

    """
    rows = _contenders(run.summary)
    return render_page(
        "plain.html",
        {"best": _curve(bests)} if bests else {},
        run=run,
        evidence=PlainEvidence(tuple(records.iterations(run.name)), records.timings(run.name)),
        verdict=plain_verdict(run),
        contenders=rows,
        best=bests[-1] if bests else None,
        asked_examples=asked_examples,
        config=yaml.safe_dump(run.config, sort_keys=False, allow_unicode=True),
    )


def plain_verdict(run: RunRecord) -> Verdict:
    """Return what the paired test, and nothing but the test, says of the best."""
    if run.summary is None:
        return Verdict("undecided", "Not finished yet.", "Nothing is tested before the search ends.")
    start, end = run.summary["starting_best"], run.summary["ending_best"]
    p, rival = end["p_value_vs_starting_best"], f"the best expert, {start['expert']}"
    if p is None:
        return Verdict("undecided", "Not tested: whether it is better is not known.", "There are no test examples.")
    difference, reason = end["test"] - start["test"], "Paired bootstrap over the test examples, two-sided."
    if p >= SIGNIFICANT:
        size = points(difference, is_graded(run))
        sentence = f"No evidence that it is better than {rival}: {size} on the test ({p_value(p)})."
        return Verdict("undecided", sentence, reason)
    tone: Tone = "better" if difference > 0 else "worse"
    size = points(abs(difference), is_graded(run)).removeprefix("+")
    return Verdict(tone, f"{tone.capitalize()} than {rival}, by {size} on the test ({p_value(p)}).", reason)


def _contenders(summary: dict[str, Any] | None) -> tuple[Contender, ...]:
    """Return the best expert and the best; nobody before the end."""
    if summary is None:
        return ()
    start, end = summary["starting_best"], summary["ending_best"]
    return (
        Contender("Best expert alone", start["expert"], start["dev"], start["test"], _interval(start)),
        Contender("Found by the search", "", end["dev"], end["test"], _interval(end)),
    )


def _curve(bests: Sequence[BestSoFar]) -> Json:
    trace = {
        "type": "scatter",
        "mode": "lines",
        "name": "best so far",
        "x": list(range(len(bests))),
        "y": round_values([best.utility for best in bests]),
        "line": {"color": BEST, "width": 2},
        "hovertemplate": "best so far, iteration %{x}: %{y:.4f}<extra></extra>",
    }
    return figure([trace], whole_numbers("iteration", len(bests) - 1), axis("dev utility"), height=380)


def _interval(row: dict[str, Any]) -> tuple[float, float] | None:
    bounds = row.get("test_ci95")
    return None if bounds is None else (bounds[0], bounds[1])
