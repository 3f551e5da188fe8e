"""Whether a model's folder holds the tensors that its architecture needs, and no others; no weight is read.

transformers makes the model on the meta device, where tensors have shapes only, and loads tensors of the stored shapes
into it: so its own rules for renamed, merged, tied and ignored tensors decide what is missing and what is left over.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

from experts.tensors import StoredTensor, stored_tensors
from swarm.errors import InputError
from swarm.names import printable

FLOATING = {"F64": "float64", "F32": "float32", "F16": "float16", "BF16": "bfloat16"}
"""The number formats of models that are not quantised: as safetensors names them, and as PyTorch does."""

_NAMED = 3
"""So many tensors are named in a message."""

_REMEDY = "download or save it again, as transformers' save_pretrained does"


def architecture_check() -> str:
    """Return the name of the check: what passed is not checked again by the same release of transformers."""
    return f"tensors of the architecture, transformers {version('transformers')}"


def check_architecture(folder: Path) -> None:
    """Check that the causal language model in `folder` has exactly the tensors of its architecture.

    What transformers can't make from its configuration is not checked: the engine that opens it decides. A model
    whose configuration says how it is quantised is not checked either.

    Raises:
        InputError: a tensor is missing, left over, of another shape, or stored in a format that is not said.

    """
    import torch

    with _quiet_transformers():
        kind, config = _kind(folder)
        if kind is None or getattr(config, "quantization_config", None) is not None:
            return
        stored = stored_tensors(folder)
        _refuse(folder, _load(kind, config, stored, torch))
        floating = {name: tensor for name, tensor in stored.items() if tensor.dtype in FLOATING}
        if len(floating) == len(stored):
            return
        missing = _load(kind, config, floating, torch)["missing_keys"]
        expected = _floating_names(kind, config, torch)
        if missing & expected:
            names = sorted(stored.keys() - floating.keys())
            raise InputError(
                f"base model {folder}: {_list(names)} {stored[names[0]].dtype}, and config.json has no "
                "quantization_config that says how to read it: use the model before it was quantised"
            )


def _kind(folder: Path) -> tuple[Any, Any]:
    """Return the class of the model in `folder` and its configuration; (None, …) if transformers has none."""
    from transformers import MODEL_FOR_CAUSAL_LM_MAPPING, AutoConfig

    try:
        config = AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
        kinds = MODEL_FOR_CAUSAL_LM_MAPPING[type(config)]
    except Exception:  # whatever a stranger's configuration makes of transformers: the engine says what
        return None, None
    return (kinds[0] if isinstance(kinds, list | tuple) else kinds), config


def _load(kind: Any, config: Any, stored: Mapping[str, StoredTensor], torch: Any) -> dict[str, Any]:
    tensors = {
        name: torch.empty(tensor.shape, dtype=getattr(torch, FLOATING.get(tensor.dtype, "int8")), device="meta")
        for name, tensor in stored.items()
    }
    try:
        _, info = kind.from_pretrained(
            None,
            config=config,
            state_dict=tensors,
            device_map="meta",
            dtype=torch.float32,
            output_loading_info=True,
            ignore_mismatched_sizes=True,
        )
    except Exception:  # as in `_kind`
        return {"missing_keys": set(), "unexpected_keys": set(), "mismatched_keys": set()}
    return dict(info)


def _floating_names(kind: Any, config: Any, torch: Any) -> set[str]:
    with torch.device("meta"):
        model = kind(config)
    return {name for name, tensor in model.state_dict().items() if tensor.is_floating_point()}


def _refuse(folder: Path, info: Mapping[str, Any]) -> None:
    if info["missing_keys"]:
        raise InputError(f"base model {folder}: {_list(info['missing_keys'])} missing: {_REMEDY}")
    if info["mismatched_keys"]:
        name, found, needed = min(info["mismatched_keys"], key=str)
        raise InputError(
            f"base model {folder}: tensor {printable(name)} is {list(found)}, its config.json needs {list(needed)}: "
            f"{_REMEDY}"
        )
    if info["unexpected_keys"]:
        raise InputError(
            f"base model {folder}: {_list(info['unexpected_keys'])} left over, its architecture has no such: {_REMEDY}"
        )


def _list(names: Any) -> str:
    ordered = sorted(map(printable, names))
    more = f" and {len(ordered) - _NAMED} more" if len(ordered) > _NAMED else ""
    noun, verb = ("tensor", "is") if len(ordered) == 1 else ("tensors", "are")
    return f"{noun} {', '.join(ordered[:_NAMED])}{more} {verb}"


@contextmanager
def _quiet_transformers() -> Iterator[None]:
    """Keep transformers from writing its own report and progress bar."""
    from transformers.utils import logging

    level, has_bar = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if has_bar:
            logging.enable_progress_bar()
