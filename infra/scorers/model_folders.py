"""Rating models on this machine, as far as they are known without being loaded."""

import re
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from experts.base_models import BaseModel as ModelFolder
from experts.base_models import find_model as find_model_folder
from infra.scorers.batches import TOKEN_BUDGETS
from infra.settings import Settings
from swarm.errors import InputError

_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")


def find_model(name: str, settings: Settings) -> ModelFolder:
    """Find a model as base models are found; raises `InputError` if it is missing, incomplete or damaged."""
    if not (Path(name).expanduser().is_dir() or _HUB_ID.fullmatch(name)):
        raise InputError(f"model {name!r} is neither a folder nor a hub id (owner/name): check the spelling")
    try:
        return find_model_folder(name, settings.cache, settings.verify_hashes)
    except InputError as error:
        raise InputError(f"model {name!r} can't be used for rating: {error}") from error


def labels_of(model: ModelFolder) -> tuple[str, ...]:
    """Return the names of the labels that `model` gives a number each, in their order, without loading it.

    Raises:
        InputError: its configuration is of no kind that transformers knows.

    """
    from transformers import AutoConfig

    try:
        config = AutoConfig.from_pretrained(model.folder, local_files_only=True, trust_remote_code=False)
    except (ValueError, OSError, KeyError) as error:
        raise not_loadable(model, error) from error
    return tuple(str(config.id2label[index]) for index in range(config.num_labels))


def compute_identity(device: str) -> dict[str, Any]:
    """Return what the numbers depend on besides model and texts, as JSON."""
    torch_device = device_of(device)
    return {
        "device": torch_device.type,
        "dtype": str(dtype_of(torch_device)).removeprefix("torch."),
        "token_budget": TOKEN_BUDGETS[torch_device.type],
        "libraries": {name: version(name) for name in ("torch", "transformers", "tokenizers")},
    }


def not_loadable(model: ModelFolder, error: Exception) -> InputError:
    """Return what says that `model` is none that can rate, because of `error`."""
    reason = str(error).strip().splitlines()[0]
    return InputError(
        f"model {model.name!r} can't be loaded for rating ({reason}): it must be a sequence classification model of a "
        "kind that transformers knows, or a reward model with a model_class; code that comes with a model is never run"
    )


def device_of(name: str) -> torch.device:
    """Return the device that a config names; raises `InputError` if this machine has no such GPU."""
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    device = torch.device(name)
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise InputError(f"device: {name}: PyTorch sees {torch.cuda.device_count()} GPUs here: use auto or cpu")
    return device


def dtype_of(device: torch.device) -> torch.dtype:
    """Return the number format of a rating model on `device`."""
    return torch.float32 if device.type == "cpu" else torch.bfloat16
