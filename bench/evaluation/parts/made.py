"""Experts and base models of random tensors: for what depends on shapes alone."""

import json
from pathlib import Path

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from experts.adapters import module_shapes
from experts.base_models import BaseModel
from experts.basis import Basis

ATTENTION = ("q_proj", "k_proj", "v_proj", "o_proj")
LINEAR = (*ATTENTION, "gate_proj", "up_proj", "down_proj")


def random_basis(base: BaseModel, experts: int, rank: int, targets: tuple[str, ...]) -> Basis:
    """Return experts of `base` over the modules called `targets`, too small to change an answer much."""
    generator = torch.Generator().manual_seed(0)
    shapes = {name: shape for name, shape in module_shapes(base).items() if name.endswith(targets)}

    def factor(size: int) -> torch.Tensor:
        return torch.empty(experts, rank, size).uniform_(-1e-2, 1e-2, generator=generator)

    ids = tuple(f"{index:064x}" for index in range(experts))
    modules = {name: (factor(into), factor(out).transpose(1, 2)) for name, (out, into) in shapes.items()}
    return Basis(ids, ids, (rank,) * experts, modules)


def adapter_bytes(basis: Basis) -> int:
    """Return the size of one float32 adapter over `basis`."""
    return sum(factor[0].nbytes for pair in basis.modules.values() for factor in pair)


def random_base(like: BaseModel, folder: Path, narrower: int) -> BaseModel:
    """Write a Llama of random weights into `folder`: the layers of `like`, `narrower` times less wide; return it.

    Its tokens are bytes and none ends a text, so every row gets all its tokens. If it is narrower, its vocabulary is
    no larger than that.
    """
    config = json.loads((like.folder / "config.json").read_text(encoding="utf-8"))
    tokenizer = _byte_tokenizer()
    config |= {name: config[name] // narrower for name in ("hidden_size", "intermediate_size", "head_dim")}
    config |= {"bos_token_id": None, "eos_token_id": None, "pad_token_id": None}
    config["vocab_size"] = config["vocab_size"] if narrower == 1 else len(tokenizer)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        LlamaForCausalLM(LlamaConfig(**config)).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return BaseModel("random", folder, "0" * 64)


def _byte_tokenizer() -> PreTrainedTokenizerFast:
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(models.BPE(vocab={token: index for index, token in enumerate(alphabet)}, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer)
