"""Tell whether the best of the run that this one goes on from is still the best, on the new data."""

from infra.report.formats import p_value, points
from infra.report.verdict import SIGNIFICANT
from infra.searches.model_swarms.report.evidence import Evidence


def previous_sentence(evidence: Evidence) -> str | None:
    """Return the answer in one sentence; None for a run that began anew, or is not finished."""
    summary = evidence.run.summary
    earlier = None if summary is None else summary.get("previous_best")
    if summary is None or earlier is None:
        return None
    whose = f"what run {earlier['run']} had found"
    if earlier["still_the_best"]:
        return f"Still the best on the new data: the search found nothing better than {whose}."
    difference, p = summary["ending_best"]["test"] - earlier["test"], earlier["p_value_ending_best"]
    size = points(difference, evidence.is_graded)
    if p >= SIGNIFICANT:
        return f"No evidence that it is better than {whose}: {size} on the new data's test ({p_value(p)})."
    word = "better" if difference > 0 else "worse"
    return f"{word.capitalize()} than {whose}: {size} on the new data's test ({p_value(p)})."
