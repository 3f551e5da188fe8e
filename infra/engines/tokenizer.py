"""The tokenizer and the configuration of a base model, and what its tokenizer appends to texts."""

from collections.abc import Mapping
from typing import Any

from transformers import AutoConfig, AutoTokenizer

from experts.base_models import BaseModel
from swarm.errors import InputError

_PROBE = "a"


def load_tokenizer(base: BaseModel) -> Any:
    """Return the tokenizer of `base`; no code of the model's is run.

    Raises:
        InputError: it can't be loaded.

    """
    return _load(AutoTokenizer, base)


def load_model_config(base: BaseModel) -> Any:
    """Return transformers' configuration of `base`; no code of the model's is run.

    Raises:
        InputError: it can't be loaded.

    """
    return _load(AutoConfig, base)


def appended_tokens(tokenizer: Any) -> int:
    """Return how many tokens `tokenizer` puts after a text, for instance one that ends it: no text goes on there."""
    alone, whole = (list(tokenizer([_PROBE], add_special_tokens=special)["input_ids"][0]) for special in (False, True))
    starts = [start for start in range(len(whole) - len(alone) + 1) if whole[start : start + len(alone)] == alone]
    return len(whole) - len(alone) - starts[0] if alone and starts else 0


def appended_identity(base: BaseModel) -> Mapping[str, str]:
    """Return what an engine's identity says of appended tokens: nothing, unless the tokenizer of `base` appends some.

    Such tokens once stood between prompts and answers, so answers of that time are others.
    """
    if not (base.folder / "tokenizer_config.json").is_file():
        return {}
    return {"appended_tokens": "left out"} if appended_tokens(load_tokenizer(base)) else {}


def _load(kind: Any, base: BaseModel) -> Any:
    try:
        return kind.from_pretrained(base.folder, local_files_only=True, trust_remote_code=False)
    except (ValueError, KeyError, ImportError, OSError) as error:
        first = (str(error).splitlines() or [type(error).__name__])[0]
        raise InputError(f"base model {base.name!r} can't be loaded: {first}: use another or repair it") from error
