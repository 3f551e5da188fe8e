"""How long a text may be: the window of the engine that reads it."""

from experts.base_models import BaseModel
from infra.engines.config import EngineConfig
from infra.engines.tokenizer import load_model_config
from infra.engines.vllm.description import describe


def longest_text(config: EngineConfig, base: BaseModel) -> int | None:
    """Return the most tokens that a prompt and its answer may have together in a built-in engine of `config`.

    None if no limit is known.

    Raises:
        InputError: the base model's configuration can't be read, or the engine's own limit is above the model's.

    """
    if config.kind == "vllm" or (config.kind == "ray" and config.ray.engine == "vllm"):
        return describe(base, config.vllm.max_model_len).longest
    longest: int | None = getattr(load_model_config(base), "max_position_embeddings", None)
    return longest
