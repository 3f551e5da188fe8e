"""The rows of the table: one task each."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ASK, SHORT = "{question}\nAnswer:", {"max_new_tokens": 12, "stop": ["\n"]}


@dataclass(frozen=True)
class Row:
    """A task, what the table says of it besides its kind, and whether it needs the judge's endpoint."""

    task: dict[str, Any]
    about: str
    judged: bool = False


def own_rows(data: Path, classifier: Path, rewarder: Path, judge: str) -> Iterator[Row]:
    """Yield the rows over the data sets of `bench.evaluation.objective_table.made` in `data`."""
    picking, choices, prompts = (str(data / f"{name}.json") for name in ("picking", "choices", "prompts"))
    match = {"kind": "exact_match", "match": "text", "data": picking, "template": ASK, **SHORT}
    yield Row(match, "match: text")
    yield Row({**match, "examples": 4}, "examples: 4")
    yield Row({"kind": "exact_match", "data": str(data / "papers.json"), **SHORT}, "a context of 8 chunks")
    for settings in ({"parse": "anchored"}, {"parse": "loglik"}, {"parse": "loglik", "loglik_of": "text"}):
        about = ", ".join(f"{name}: {value}" for name, value in settings.items())
        yield Row({"kind": "multiple_choice", "data": choices, **settings}, about)
    yield Row({"kind": "abstain_qa", "data": choices}, "")
    yield Row({"kind": "lm_eval", "task": "picking_choices", "data": str(data)}, "multiple choice, acc")
    yield Row({"kind": "countdown", "data": str(data / "countdown.json"), "max_new_tokens": 64}, "64 new tokens")
    yield Row({"kind": "conciseness", "data": picking, "template": ASK, "max_new_tokens": 24}, "24 new tokens")
    for measure in ("log_likelihood", "perplexity"):
        yield Row({"kind": "likelihood", "data": picking, "template": ASK, "measure": measure}, f"measure: {measure}")
    rated: dict[str, Any] = {"data": prompts, "prompt": "chat", "max_new_tokens": 24}
    yield Row({"kind": "function", "score": "scoring:brevity", "folder": str(data), **rated}, "a function of ten words")
    scorer = {"kind": "classifier", "model": str(classifier), "label": "toxic"}
    yield Row({"kind": "toxicity", "scorer": scorer, **rated}, "a classifier of random weights")
    for form in ("default", "concise"):
        about = f"form: {form}, a reward model of random weights"
        yield Row({"kind": "reward_model", "model": str(rewarder), "form": form, **rated}, about)
    yield Row({"kind": "judge", "model": judge, **rated}, f"{judge} behind an endpoint", judged=True)
    answered = {"kind": "judged_match", "model": judge, "data": picking, "template": ASK, **SHORT}
    yield Row(answered, f"{judge} behind an endpoint", judged=True)


def public_rows(data: Path, classifier: Path, rewarder: Path, judge: str) -> Iterator[Row]:
    """Yield the rows over the papers' data sets in `data`, for those that are there."""
    rated: dict[str, Any] = {"max_new_tokens": 24}
    scorer = {"kind": "classifier", "model": str(classifier), "label": "toxic"}
    settings: list[tuple[str, dict[str, Any], str]] = [
        ("mmlu", {"kind": "multiple_choice"}, "parse: anchored"),
        ("mmlu", {"kind": "multiple_choice", "parse": "loglik"}, "parse: loglik"),
        ("mmlu", {"kind": "abstain_qa"}, ""),
        ("gsm8k", {"kind": "exact_match", "match": "number", "examples": 2}, "match: number, examples: 2"),
        ("nlgraph", {"kind": "exact_match"}, "match: word"),
        ("gaia", {"kind": "exact_match"}, "contexts"),
        ("countdown", {"kind": "countdown", "max_new_tokens": 64}, "64 new tokens"),
        ("realtoxicityprompts", {"kind": "toxicity", "scorer": scorer}, "a classifier of random weights"),
        ("rm", {"kind": "reward_model", "model": str(rewarder), **rated}, "a reward model of random weights"),
        ("human_phd_application", {"kind": "judge", "model": judge, **rated}, judge),
        ("ltp", {"kind": "judged_match", "model": judge, **rated}, judge),
        ("qasper", {"kind": "judged_match", "model": judge, "context_characters": 2000, **rated}, judge),
    ]
    for name, task, about in settings:
        path = data / f"{name}.json"
        if path.is_file():
            yield Row({**task, "data": str(path)}, ", ".join(filter(None, (name, about))), "judge" in task["kind"])
