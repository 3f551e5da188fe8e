"""Task files of lm-eval with local data, as a user would write them; and a model for lm-eval's own evaluator."""

import json
from pathlib import Path
from typing import Any

import yaml
from lm_eval.api.instance import Instance
from lm_eval.api.model import LM

from data.kinds.lm_eval import LmEval
from data.objective import Objective, ObjectiveConfig, load_objective
from data.requests import Completion, Generate, LogLikelihood, LogLikelihoods, Request, Response

CHOICE = {
    "task": "pets",
    "output_type": "multiple_choice",
    "validation_split": "validation",
    "test_split": "test",
    "training_split": "train",
    "description": "About {{subject}}.\n",
    "doc_to_text": "Question: {{question}}\nAnswer:",
    "doc_to_target": "label",
    "doc_to_choice": "{{choices}}",
    "metric_list": [
        {"metric": "acc", "aggregation": "mean", "higher_is_better": True},
        {"metric": "acc_norm", "aggregation": "mean", "higher_is_better": True},
        {"metric": "brier_score", "aggregation": "brier_score", "higher_is_better": False},
    ],
}
LAST_NUMBER = {"function": "regex", "regex_pattern": "(\\d+)", "group_select": -1}
SUMS = {
    "task": "sums",
    "output_type": "generate_until",
    "validation_split": "validation",
    "test_split": "test",
    "doc_to_text": "{{question}}",
    "doc_to_target": "{{answer}}",
    "generation_kwargs": {"until": ["\n", "Q:"], "do_sample": False, "max_gen_toks": 7},
    "metric_list": [
        {"metric": "exact_match", "aggregation": "mean", "higher_is_better": True, "ignore_punctuation": True}
    ],
    "filter_list": [
        {"name": "last", "filter": [LAST_NUMBER, {"function": "take_first"}]},
        {"name": "whole", "filter": [{"function": "take_first"}]},
    ],
}
LAMBADA = {
    "task": "last_word",
    "output_type": "loglikelihood",
    "validation_split": "validation",
    "test_split": "test",
    "doc_to_text": "{{question}}",
    "doc_to_target": " {{answer}}",
    "metric_list": [
        {"metric": "perplexity", "aggregation": "perplexity", "higher_is_better": False},
        {"metric": "acc", "aggregation": "mean", "higher_is_better": True},
    ],
}
ANIMALS = ["dog", "grey cat", "cow", "blackbird"]


def pets(start: int, count: int) -> list[dict[str, Any]]:
    return [
        {"question": f"Which is number {n}?", "choices": ANIMALS, "label": n % 4, "subject": "pets"}
        for n in range(start, start + count)
    ]


def sums(start: int, count: int) -> list[dict[str, Any]]:
    return [{"question": f"{n}+1=", "answer": str(n + 1)} for n in range(start, start + count)]


def write_task(folder: Path, config: dict[str, Any], text: str = "", **splits: list[dict[str, Any]]) -> Path:
    """Write a task file with its data beside it, and `text` at its end."""
    folder.mkdir(parents=True, exist_ok=True)
    for split, documents in splits.items():
        (folder / f"{config['task']}-{split}.jsonl").write_text("\n".join(map(json.dumps, documents)))
    files = {split: f"{config['task']}-{split}.jsonl" for split in splits}
    whole = {**config, "dataset_path": "json", "dataset_kwargs": {"data_files": files}}
    path = folder / f"{config['task']}.yaml"
    path.write_text(yaml.safe_dump(whole) + text)
    return path


def write_pets(folder: Path, **changes: Any) -> Path:
    return write_task(folder, {**CHOICE, **changes}, train=pets(0, 8), validation=pets(100, 8), test=pets(200, 12))


def write_sums(folder: Path, text: str = "", **changes: Any) -> Path:
    return write_task(folder, {**SUMS, **changes}, text, validation=sums(0, 8), test=sums(10, 40))


def load(folder: Path, task: str, **fields: Any) -> Objective:
    value = {"tasks": [{"kind": "lm_eval", "task": task, "data": ".", **fields}]}
    return load_objective(ObjectiveConfig.model_validate(value, context={"folder": folder}), chat)


def chat(messages: list[dict[str, str]]) -> str:
    return "".join(f"<{message['role']}>{message['content']}" for message in messages) + "<assistant>\n"


def config_of(objective: Objective) -> LmEval:
    config = objective.tasks[0].config
    assert isinstance(config, LmEval)
    return config


class Answering(LM):
    """A model for lm-eval's evaluator: it gives the answers that `answer` gives to this project's requests."""

    def loglikelihood(self, requests: list[Instance]) -> list[tuple[float, bool]]:
        return [(log_likelihood(*request.args), False) for request in requests]

    def generate_until(self, requests: list[Instance]) -> list[str]:
        answers = []
        for request in requests:
            text = completion(request.args[0])
            for stop in request.args[1]["until"]:
                text = text.split(stop)[0]
            answers.append(text)
        return answers

    def loglikelihood_rolling(self, requests: list[Instance]) -> list[float]:
        raise NotImplementedError


def answer(request: Request) -> Response:
    match request:
        case Generate():
            text = completion(request.prompt)
            for stop in request.stop:
                text = text.split(stop)[0]
            return Completion(text, 1)
        case LogLikelihood():
            values = tuple(log_likelihood(request.prompt, each) for each in request.continuations)
            return LogLikelihoods(values, (1,) * len(values))


def log_likelihood(prompt: str, continuation: str) -> float:
    """Return some number that both texts decide, whichever of them holds the spaces between them."""
    return -1.0 - sum((place + 1) * ord(letter) for place, letter in enumerate(prompt + continuation)) % 997 / 30


def completion(prompt: str) -> str:
    number = int("".join(filter(str.isdigit, prompt)))
    return [f" it is {number // 10 + 1}.\nQ: next", f" {number // 10}", "", f" 5, no, {number // 10 + 1}"][number % 4]
