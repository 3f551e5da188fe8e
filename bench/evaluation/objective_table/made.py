"""Data sets and rating models of the table, made from the demo's data and by the generators; nothing is downloaded."""

import json
from pathlib import Path
from typing import Any

import torch
import yaml
from transformers import AutoTokenizer, LlamaConfig, LlamaForSequenceClassification

from data.skills.generate import generate

DEMO = Path(__file__).parents[3] / "demo"
SPLITS, OPTIONS, CHUNKS = ("dev", "test"), "ABCD", 8
SCORING = '''def brevity(example, completion):
    """Score 1 for up to ten words, less for every word more."""
    return min(1.0, 10 / max(1, len(completion.split())))
'''
HARNESS = {
    "task": "picking_choices",
    "dataset_path": "json",
    "dataset_kwargs": {"data_files": {split: f"{split}.jsonl" for split in SPLITS}},
    "validation_split": "dev",
    "test_split": "test",
    "output_type": "multiple_choice",
    "doc_to_text": "{{question}}\nAnswer:",
    "doc_to_choice": "{{choices.values() | list}}",
    "doc_to_target": "{{'ABCD'.index(answer)}}",
}


def make_data(folder: Path) -> None:
    """Write the data sets of the table into `folder`."""
    picking = json.loads((DEMO / "data" / "picking.json").read_text())
    choices = {split: [_choice(each, n) for n, each in enumerate(picking[split])] for split in SPLITS}
    papers = {split: [_paper(picking[split], n) for n in range(40)] for split in SPLITS}
    words = sorted({each["answer"] for each in picking["dev"]})
    stories = [{"prompt": f"Tell me a short story about a {word}."} for word in words]
    prompts = {"dev": stories[20:], "test": stories[:20]}
    sets = {"picking": picking, "choices": choices, "papers": papers, "prompts": prompts}
    for name, value in {**sets, "countdown": generate("countdown", 0, 0, 40, 40)}.items():
        (folder / f"{name}.json").write_text(json.dumps({split: value[split] for split in SPLITS}))
    (folder / "scoring.py").write_text(SCORING)
    (folder / "picking_choices.yaml").write_text(yaml.safe_dump(HARNESS))
    for split in SPLITS:
        (folder / f"{split}.jsonl").write_text("\n".join(map(json.dumps, choices[split])))


def make_rater(folder: Path, base: Path, labels: list[str]) -> Path:
    """Write a sequence classification model of random weights, with the tokenizer of `base`; return its folder."""
    tokenizer = AutoTokenizer.from_pretrained(base)
    tokenizer.save_pretrained(folder)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=4,
        pad_token_id=tokenizer.pad_token_id,
        initializer_range=0.3,
        num_labels=len(labels),
        id2label=dict(enumerate(labels)),
        label2id={label: index for index, label in enumerate(labels)},
    )
    torch.manual_seed(0)
    LlamaForSequenceClassification(config).save_pretrained(folder)
    return folder


def _choice(example: dict[str, Any], number: int) -> dict[str, Any]:
    """Return a question with words that it names as choices; the place of the right one goes round."""
    question, answer = example["question"], example["answer"]
    others = [word for word in question.partition(": ")[2].split() if word != answer][: len(OPTIONS) - 1]
    place = number % len(OPTIONS)
    texts = [*others[:place], answer, *others[place:]]
    return {"question": question, "choices": dict(zip(OPTIONS, texts, strict=True)), "answer": OPTIONS[place]}


def _paper(examples: list[dict[str, Any]], number: int) -> dict[str, Any]:
    """Return a question whose answer stands in one of the chunks of its context."""
    told = [examples[(number + place) % len(examples)] for place in range(CHUNKS)]
    asked = told[number % CHUNKS]
    chunks = [f"{each['question']}\nAnswer: {each['answer']}" for each in told]
    return {"question": f"{asked['question']}\nAnswer:", "answer": asked["answer"], "context_chunks": chunks}
