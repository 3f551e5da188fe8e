"""Searches of the tiny model for an objective of each kind."""

import json
from pathlib import Path
from typing import Any

import yaml

from tests.installed import package_tested
from tests.tiny_search import CONFIG, make_search

SPLITS = ("dev", "test")
SCORING = "def vowels(example, completion):\n    return -sum(completion.count(vowel) for vowel in 'aeiou')\n"
LETTERS = {
    "task": "letters",
    "dataset_path": "json",
    "dataset_kwargs": {"data_files": {split: f"letters-{split}.jsonl" for split in SPLITS}},
    "validation_split": "dev",
    "test_split": "test",
    "output_type": "multiple_choice",
    "doc_to_text": "{{question}}",
    "doc_to_choice": ["a", "b", "c"],
    "doc_to_target": "answer",
}
TASKS: dict[str, dict[str, Any]] = {
    "exact_match": {"kind": "exact_match", "data": "data.json", "match": "reference", "examples": 2},
    "multiple_choice": {"kind": "multiple_choice", "data": "choices.json", "parse": "reference"},
    "multiple_choice by log-likelihood": {"kind": "multiple_choice", "data": "choices.json", "parse": "loglik"},
    "abstain_qa": {"kind": "abstain_qa", "data": "choices.json", "parse": "reference"},
    "conciseness": {"kind": "conciseness", "data": "data.json"},
    "likelihood": {"kind": "likelihood", "data": "data.json"},
    "countdown": {"kind": "countdown", "data": "countdown.json"},
    "function": {"kind": "function", "data": "data.json", "score": "scoring:vowels"},
    "long context in a chat": {"kind": "exact_match", "data": "papers.json", "match": "reference", "prompt": "chat"},
}
if package_tested("lm_eval", "lm-eval"):
    TASKS["lm_eval"] = {"kind": "lm_eval", "task": "letters", "data": "."}


def write_search(folder: Path, *tasks: dict[str, Any]) -> Path:
    """Write a search for an objective of these tasks, with all that they may need, into `folder`; return its file."""
    config = make_search(folder)
    (folder / "scoring.py").write_text(SCORING)
    (folder / "letters.yaml").write_text(yaml.safe_dump(LETTERS))
    numbers = {split: list(range(6 * index, 6 * index + 6)) for index, split in enumerate(SPLITS)}
    for split, values in numbers.items():
        letters = [json.dumps({"question": f"Which, {n}?", "answer": n % 3}) for n in values]
        (folder / f"letters-{split}.jsonl").write_text("\n".join(letters))
    for name, example in (("choices", _choice), ("countdown", _countdown), ("papers", _paper)):
        splits = {split: [example(number) for number in values] for split, values in numbers.items()}
        (folder / f"{name}.json").write_text(json.dumps(splits))
    config.write_text(yaml.safe_dump({**CONFIG, "objective": {"tasks": [_small(task) for task in tasks]}}))
    return config


def _small(task: dict[str, Any]) -> dict[str, Any]:
    generates = task.get("parse") != "loglik" and task["kind"] not in {"likelihood", "lm_eval"}
    return {"dev": 3, "test": 3, **({"max_new_tokens": 6} if generates else {}), **task}


def _choice(number: int) -> dict[str, Any]:
    return {"question": f"Which, {number}?", "answer": "abc"[number % 3], "choices": {"a": "k", "b": "o", "c": "u"}}


def _countdown(number: int) -> dict[str, Any]:
    return {"context": f"Reach {number + 1}.", "numbers": [number, 1], "target": str(number + 1)}


def _paper(number: int) -> dict[str, Any]:
    return {"question": f"Which, {number}?", "answer": "e", "context_chunks": [f"One {number}.", "Two.", ""]}
