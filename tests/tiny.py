"""A tiny random Llama with a byte-level tokenizer, and random LoRA experts of it: made in a test, in milliseconds."""

import json
from pathlib import Path

import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

HIDDEN, LAYERS, HEADS = 32, 2, 4
SHAPES = {"q_proj": (32, 32), "k_proj": (16, 32), "v_proj": (16, 32), "o_proj": (32, 32), "down_proj": (32, 64)}
"""(out, in) of each linear module that a LoRA expert of the tiny model may target."""


def make_base(folder: Path, seed: int = 0, head_size: int = 8) -> Path:
    """Write a 2-layer Llama of ~40 000 random parameters with a byte-level tokenizer; return its folder."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {token: index for index, token in enumerate(["<pad>", "<eos>", *alphabet])}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token="<pad>", eos_token="<eos>")
    fast.chat_template = "{% for m in messages %}[{{ m['role'] }}]{{ m['content'] }}{% endfor %}[assistant]"
    config = LlamaConfig(
        vocab_size=len(vocabulary),
        hidden_size=HIDDEN,
        intermediate_size=64,
        num_hidden_layers=LAYERS,
        num_attention_heads=HEADS,
        num_key_value_heads=2,
        head_dim=head_size,
        max_position_embeddings=512,
        bos_token_id=None,
        eos_token_id=1,
        pad_token_id=0,
        tie_word_embeddings=True,
        initializer_range=0.2,
    )
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = LlamaForCausalLM(config)
    model.save_pretrained(folder)
    fast.save_pretrained(folder)
    return folder


def make_expert(
    folder: Path,
    base: Path,
    seed: int,
    rank: int = 4,
    alpha: float = 8,
    targets: tuple[str, ...] = ("q_proj", "v_proj"),
    scale: float = 0.3,
    head_size: int = 8,
) -> Path:
    """Write a random LoRA expert of the tiny base in PEFT's format; return its folder."""
    generator = torch.Generator().manual_seed(seed)
    tensors = {}
    for layer in range(LAYERS):
        for target in targets:
            block = "mlp" if target == "down_proj" else "self_attn"
            name = f"base_model.model.model.layers.{layer}.{block}.{target}"
            out_features, in_features = shape(target, head_size)
            tensors[f"{name}.lora_A.weight"] = torch.randn(rank, in_features, generator=generator) * scale
            tensors[f"{name}.lora_B.weight"] = torch.randn(out_features, rank, generator=generator) * scale
    folder.mkdir(parents=True, exist_ok=True)
    save_file(tensors, folder / "adapter_model.safetensors", metadata={"format": "pt"})
    config = {
        "peft_type": "LORA",
        "task_type": "CAUSAL_LM",
        "base_model_name_or_path": str(base),
        "r": rank,
        "lora_alpha": alpha,
        "lora_dropout": 0.0,
        "bias": "none",
        "target_modules": list(targets),
        "inference_mode": True,
    }
    (folder / "adapter_config.json").write_text(json.dumps(config))
    return folder


def shape(target: str, head_size: int) -> tuple[int, int]:
    """Return (out, in) of a linear module of the tiny model whose attention heads have `head_size` numbers."""
    out_features, in_features = SHAPES[target]
    match target:
        case "q_proj" | "k_proj" | "v_proj":
            return out_features * head_size // 8, in_features
        case "o_proj":
            return out_features, in_features * head_size // 8
    return out_features, in_features
