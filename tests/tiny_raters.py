"""Tiny random sequence classification models: made in a test, in milliseconds."""

import json
from pathlib import Path

import torch
from transformers import AutoTokenizer, LlamaConfig, LlamaForSequenceClassification

from data.user_code import load
from tests.tiny import make_base


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


SCORING_CLASS = '''
import torch
from transformers import LlamaModel, LlamaPreTrainedModel


class Helpful(LlamaPreTrainedModel):
    """Scores the last token of a conversation in the tokenizer's chat template, a conversation at a time."""

    def __init__(self, config):
        super().__init__(config)
        self.model = LlamaModel(config)
        self.v_head = torch.nn.Linear(config.hidden_size, 1, bias=False)
        self.post_init()

    def get_score(self, tokenizer, conversation):
        text = tokenizer.apply_chat_template(conversation, tokenize=False)
        tokens = tokenizer(text, return_tensors="pt").to(self.device)
        return self.v_head(self.model(**tokens).last_hidden_state[0, -1]).item()

    def get_scores(self, tokenizer, conversations):
        return [self.get_score(tokenizer, conversation) for conversation in conversations]
'''
"""A class like InternLM2-reward's, as a user has it beside the configuration."""


def make_scoring_model(folder: Path, module: Path, seed: int = 0) -> Path:
    """Write `SCORING_CLASS` to `module`, and a tiny model of it that only its own code could load to `folder`."""
    make_rater(folder, seed=seed)
    module.write_text(SCORING_CLASS)
    kind = load(f"{module.stem}:Helpful", module.parent).value
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        kind(LlamaConfig.from_pretrained(folder)).save_pretrained(folder)
    code = {"AutoModel": "evil.Evil", "AutoModelForSequenceClassification": "evil.Evil"}
    edit_config(folder, architectures=["Evil"], auto_map=code)
    return folder
