"""What bench.gpu.population evaluates: Llamas of random weights, random experts and prompts: no download."""

import random
import string
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import AutoModelForCausalLM, LlamaConfig, PreTrainedTokenizerFast

from data.requests import Generate
from experts.base_models import BaseModel
from experts.basis import Basis
from swarm.recipes import Recipe, Space

RANK, EXPERTS = 16, 8


@dataclass(frozen=True)
class Shape:
    """The sizes of a Llama: a published model's, so that its speed means something."""

    hidden: int
    inner: int
    layers: int
    heads: int
    key_heads: int
    vocabulary: int
    tied: bool

    def config(self) -> LlamaConfig:
        """Return the model's configuration; no token ends a text, so every row gets all its new tokens."""
        return LlamaConfig(
            hidden_size=self.hidden,
            intermediate_size=self.inner,
            num_hidden_layers=self.layers,
            num_attention_heads=self.heads,
            num_key_value_heads=self.key_heads,
            vocab_size=self.vocabulary,
            tie_word_embeddings=self.tied,
            max_position_embeddings=4096,
            bos_token_id=None,
            eos_token_id=None,
            pad_token_id=0,
        )

    def modules(self) -> Iterator[tuple[str, int, int]]:
        """Yield (module, in, out) of every Linear module of the layers."""
        keys = self.hidden // self.heads * self.key_heads
        attention = {"q_proj": self.hidden, "k_proj": keys, "v_proj": keys, "o_proj": self.hidden}
        for layer in range(self.layers):
            name = f"model.layers.{layer}"
            yield from ((f"{name}.self_attn.{part}", self.hidden, out) for part, out in attention.items())
            yield from ((f"{name}.mlp.{part}", self.hidden, self.inner) for part in ("gate_proj", "up_proj"))
            yield f"{name}.mlp.down_proj", self.inner, self.hidden


SHAPES = {
    "1B": Shape(2048, 8192, 16, 32, 8, 128256, tied=True),  # Llama 3.2 1B
    "3B": Shape(3072, 8192, 28, 24, 8, 128256, tied=True),  # Llama 3.2 3B
    "7B": Shape(4096, 11008, 32, 32, 32, 32000, tied=False),  # Llama 2 7B
}
TINY = {"tiny": Shape(64, 128, 2, 4, 2, 300, tied=True)}


@dataclass(frozen=True)
class Load:
    """Rows of `shortest` to `longest` prompt tokens that get `new` tokens each."""

    name: str
    rows: int
    shortest: int
    longest: int
    new: int

    def requests(self) -> list[Generate]:
        """Return the rows: letters at random (one token each), the same every time, no beginning shared."""
        draw = random.Random(self.name)
        lengths = [draw.randint(self.shortest, self.longest) for _ in range(self.rows)]
        return [Generate("".join(draw.choices(string.ascii_letters, k=length)), self.new) for length in lengths]


LOADS = (
    Load("mmlu-like", rows=64, shortest=80, longest=160, new=10),
    Load("gsm8k-like", rows=16, shortest=80, longest=200, new=64),
    Load("long", rows=8, shortest=1024, longest=1536, new=16),
)
SMALL_LOADS = tuple(Load(load.name, 3, load.shortest // 16, load.longest // 16, 4) for load in LOADS)


def write_base(shape: Shape, folder: Path) -> BaseModel:
    """Write the configuration and a tokenizer of one token a byte; the weights are made by `random_weights`."""
    alphabet = ["<pad>", *sorted(pre_tokenizers.ByteLevel.alphabet())]
    tokens = [*alphabet, *(f"<{index}>" for index in range(len(alphabet), shape.vocabulary))]
    tokenizer = Tokenizer(models.BPE(vocab={token: index for index, token in enumerate(tokens)}, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token="<pad>").save_pretrained(folder)
    shape.config().save_pretrained(folder)
    return BaseModel("random", folder, "0" * 64)


def random_model(shape: Shape, device: torch.device, dtype: torch.dtype, attention: str = "sdpa") -> Any:
    """Return a model of `shape` whose weights are drawn on `device`."""
    torch.manual_seed(0)
    with torch.device(device):
        return AutoModelForCausalLM.from_config(shape.config(), dtype=dtype, attn_implementation=attention).eval()


@contextmanager
def random_weights(shape: Shape, device: torch.device, dtype: torch.dtype) -> Iterator[None]:
    """Let whoever loads a model get `random_model`: writing and reading a 7B file takes longer than measuring."""

    def made(*_: object, attn_implementation: str = "sdpa", **__: object) -> Any:
        return random_model(shape, device, dtype, attn_implementation)

    AutoModelForCausalLM.from_pretrained = made
    try:
        yield
    finally:
        del AutoModelForCausalLM.from_pretrained


def random_basis(shape: Shape, device: torch.device) -> Basis:
    """Return `EXPERTS` experts of rank `RANK` on every Linear module, laid out as `experts.basis` does."""
    torch.manual_seed(1)

    def factor(size: int) -> torch.Tensor:
        return torch.empty(EXPERTS, RANK, size, device=device).uniform_(-0.02, 0.02)

    ids = tuple(f"{index:064x}" for index in range(EXPERTS))
    modules = {name: (factor(into), factor(out).transpose(1, 2)) for name, into, out in shape.modules()}
    return Basis(ids, ids, (RANK,) * EXPERTS, modules)


def population(ids: Sequence[str], size: int, space: Space) -> list[Recipe]:
    """Return `size` recipes that lie at random between the experts, as a search's first particles do."""
    weights = np.random.default_rng(size).dirichlet(np.ones(len(ids)), size)
    return [Recipe(tuple(ids), tuple(map(float, row)), space) for row in weights]
