"""What is known of a base model before its weights are loaded."""

from dataclasses import dataclass
from typing import Any

from transformers import GenerationConfig

from experts.base_models import BaseModel
from infra.engines.tokenizer import load_model_config, load_tokenizer
from swarm.errors import InputError


@dataclass(frozen=True)
class Description:
    """What an engine has to know of a base model before vLLM loads it.

    Attributes:
        tokenizer: the base model's own.
        longest: the most tokens of a text (None: no limit is known).
        end_tokens: the tokens that end a text.
        cache_bytes: the bytes of the keys and values of one token in float32.

    """

    tokenizer: Any
    longest: int | None
    end_tokens: frozenset[int]
    cache_bytes: int


def describe(base: BaseModel, longest: int | None) -> Description:
    """Read the tokenizer and the configuration of `base`; no code of the model's is run.

    `longest` is the most tokens that the user wants a text to have (None: what the base model takes).

    Raises:
        InputError: they can't be read, or `longest` is more than the base model takes.

    """
    tokenizer, config = load_tokenizer(base), load_model_config(base)
    text = config.get_text_config()
    most = getattr(text, "max_position_embeddings", None)
    if longest is not None and most is not None and longest > most:
        raise InputError(f"engine.vllm.max_model_len: {longest}: base model {base.name!r} takes {most}: lower it")
    return Description(tokenizer, longest or most, _end_tokens(base, config, tokenizer), _cache_bytes(text))


def _end_tokens(base: BaseModel, config: Any, tokenizer: Any) -> frozenset[int]:
    """Return the end tokens that transformers would use: of the generation settings, else of the tokenizer."""
    if (base.folder / "generation_config.json").is_file():
        generation = GenerationConfig.from_pretrained(base.folder, local_files_only=True)
    else:
        generation = GenerationConfig.from_model_config(config)
    ends = generation.eos_token_id
    ends = tokenizer.eos_token_id if ends is None else ends
    return frozenset([] if ends is None else [ends] if isinstance(ends, int) else ends)


def _cache_bytes(config: Any) -> int:
    heads = getattr(config, "num_key_value_heads", None) or config.num_attention_heads
    size = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    return int(8 * config.num_hidden_layers * heads * size)
