"""Tiny random sequence classification models: made in a test, in milliseconds."""

import json
from pathlib import Path

import torch
from tiny import make_base
from transformers import AutoTokenizer, LlamaConfig, LlamaForSequenceClassification


def make_rater(folder: Path, labels: tuple[str, ...] = ("reward",), seed: int = 0, chat: bool = True) -> Path:
    """Write a 2-layer Llama with one output a label, and the byte-level tokenizer of `tiny`; return its folder."""
    make_base(folder, seed)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    if not chat:
        (folder / "chat_template.jinja").unlink(missing_ok=True)
        tokenizer.chat_template = None
        tokenizer.save_pretrained(folder)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        max_position_embeddings=512,
        pad_token_id=0,
        initializer_range=0.3,
        num_labels=len(labels),
        id2label=dict(enumerate(labels)),
        label2id={label: index for index, label in enumerate(labels)},
    )
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        LlamaForSequenceClassification(config).save_pretrained(folder)
    return folder


def edit_config(folder: Path, **changes: object) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))
