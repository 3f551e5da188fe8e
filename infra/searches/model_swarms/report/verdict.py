"""What may honestly be said of a run's result, in one sentence."""

from typing import Any

from infra.records.values import RunStatus
from infra.report.formats import p_value, points, utility
from infra.report.verdict import SIGNIFICANT, Tone, Verdict
from infra.searches.model_swarms.report.evidence import Evidence


def verdict(evidence: Evidence) -> Verdict:
    """Return what the paired test, and nothing but the test, says of the ending best."""
    summary = evidence.run.summary
    if summary is None:
        return _verdict_before_end(evidence)
    if summary["ending_best"]["p_value_vs_starting_best"] is None:
        return _verdict_without_test(evidence)
    return _verdict_of_test(evidence, summary)


def _verdict_before_end(evidence: Evidence) -> Verdict:
    state = {
        RunStatus.STOPPED: "Stopped before its end; it can be resumed.",
        RunStatus.FAILED: "Failed; it can be resumed.",
    }.get(evidence.run.status, "Not finished yet.")
    if not evidence.states:
        return Verdict(
            "undecided", state, "No iteration is finished, so there is nothing to show but the configuration."
        )
    last = evidence.states[-1].iteration
    return Verdict(
        "undecided",
        state,
        f"What follows is as of iteration {last}. {_on_dev(evidence)} Nothing is tested before the search ends.",
    )


def _verdict_without_test(evidence: Evidence) -> Verdict:
    reason = f"The objective has no test examples. {_on_dev(evidence)} The search chose by these, so they are no test."
    return Verdict("undecided", "Not tested: whether it is better is not known.", reason)


def _verdict_of_test(evidence: Evidence, summary: dict[str, Any]) -> Verdict:
    start, end = summary["starting_best"], summary["ending_best"]
    difference, p = end["test"] - start["test"], end["p_value_vs_starting_best"]
    rival = f"the best expert, {start['expert']}"
    reason = f"Paired bootstrap over the test examples, two-sided. {_on_dev(evidence)}"
    if evidence.best is not None and evidence.best.iteration == 0 and evidence.best.particle == evidence.best_expert:
        return Verdict("undecided", f"The search found nothing better than {rival}.", "The ending best is that expert.")
    if p >= SIGNIFICANT:
        size = points(difference, evidence.is_graded)
        sentence = f"No evidence that it is better than {rival}: {size} on the test ({p_value(p)})."
        return Verdict("undecided", sentence, reason)
    tone: Tone = "better" if difference > 0 else "worse"
    size = points(abs(difference), evidence.is_graded).removeprefix("+")
    return Verdict(tone, f"{tone.capitalize()} than {rival}, by {size} on the test ({p_value(p)}).", reason)


def _on_dev(evidence: Evidence) -> str:
    best, expert = evidence.best, evidence.best_expert
    if best is None or expert is None:
        return ""
    before = utility(evidence.states[0].utilities[expert])
    return f"On dev, the search went from {before} (best expert) to {utility(best.utility)}."
