"""LoRA experts: read from PEFT's format, checked against their base model, and reduced to plain tensors."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch

from experts.adapter_config import CONFIG, LoraConfig, read_lora_config
from experts.base_models import BaseModel
from experts.files import read_json
from experts.tensors import COMBINABLE, finite, open_tensors, tensor_bytes, weight_shapes
from swarm.errors import InputError

WEIGHTS = "adapter_model.safetensors"
PREFIX = "base_model.model."
"""What PEFT puts before a module's path in the name of an adapter's tensor."""

_A, _B = ".lora_A.weight", ".lora_B.weight"

Factors = tuple[torch.Tensor, torch.Tensor]
"""A [r, in] and B [out, r] of one module, float32, with the adapter's scaling folded into B: ΔW = B A."""


@dataclass(frozen=True)
class Adapter:
    """One LoRA expert.

    Attributes:
        name: the name of its folder.
        id: the content hash of its modules and folded tensors (64 hexadecimal digits).
        rank: the largest rank among its modules.
        modules: the factors of each adapted module, by the module's path in the base model.

    """

    name: str
    id: str
    rank: int
    modules: Mapping[str, Factors]


def read_adapter(folder: Path, base: BaseModel) -> Adapter:
    """Read the LoRA expert in `folder` and check that it is one of `base`.

    No weight of the base model is loaded: its shapes are read from the headers of its files.

    Raises:
        InputError: the folder, its configuration or a tensor is missing, damaged, of an unsupported kind, or
            belongs to another base model; the message names the expert and the tensor.

    """
    return _read(folder, base, module_shapes(base))


def read_adapters(folders: list[Path], base: BaseModel) -> list[Adapter]:
    """Read several experts of one base model; raises as `read_adapter` does."""
    shapes = module_shapes(base)
    return [_read(folder, base, shapes) for folder in folders]


def module_shapes(base: BaseModel) -> dict[str, tuple[int, int]]:
    """Return (out, in) of every module of `base` that has a two-dimensional weight, by the module's path."""
    shapes = weight_shapes(base.folder)
    return {
        name.removesuffix(".weight"): (shape[0], shape[1])
        for name, shape in shapes.items()
        if name.endswith(".weight") and len(shape) == 2
    }


def check_provenance(folder: Path, base: BaseModel) -> None:
    """Refuse an expert whose `provenance.json` names another base model.

    Raises:
        InputError: the base model's content hash differs, or the file is no JSON object.

    """
    path = folder / "provenance.json"
    if not path.is_file():
        return
    try:
        trained_on = read_json(path).get("base_sha256")
    except (OSError, ValueError, AttributeError) as error:
        raise InputError(f"expert {folder.name!r}: {path} is no JSON object: copy the expert again") from error
    if trained_on is not None and trained_on != base.sha256:
        raise InputError(
            f"expert {folder.name!r} is an expert of another base model: {path} says base_sha256 "
            f"{str(trained_on)[:12]}…, but {base.name!r} is {base.sha256[:12]}…: use its own base model or leave it out"
        )


def _read(folder: Path, base: BaseModel, shapes: Mapping[str, tuple[int, int]]) -> Adapter:
    if not folder.is_dir():
        raise InputError(f"expert {folder.name!r}: there is no folder {folder}: correct the path")
    config = read_lora_config(folder)
    check_provenance(folder, base)
    modules: dict[str, Factors] = {}
    for module, down, up in _factor_pairs(folder.name, _tensors(folder)):
        _check_shapes(folder.name, base, module, down, up, shapes.get(module))
        _check_rank(folder.name, module, down, up, config)
        modules[module] = (down, up * config.scaling(module))
    rank = max(down.shape[0] for down, _ in modules.values())
    return Adapter(folder.name, _content_id(modules), rank, modules)


def _tensors(folder: Path) -> dict[str, torch.Tensor]:
    expert, path = folder.name, folder / WEIGHTS
    if not path.is_file():
        pickled = (folder / "adapter_model.bin").exists()
        detail = "adapter_model.bin is never loaded: save the adapter as safetensors" if pickled else "copy it again"
        raise InputError(f"expert {expert!r}: {folder} has no {WEIGHTS}: {detail}")
    with open_tensors(path) as file:
        tensors = {name: file.get_tensor(name) for name in sorted(file.keys())}
    for name, tensor in tensors.items():
        if tensor.dtype not in COMBINABLE:
            kind = str(tensor.dtype).removeprefix("torch.")
            raise InputError(f"expert {expert!r}: tensor {name} is {kind}: save it as float32, float16 or bfloat16")
        if not finite(tensor):
            raise InputError(f"expert {expert!r}: tensor {name} has NaN or infinite values: train or copy it again")
    return tensors


def _factor_pairs(expert: str, tensors: Mapping[str, torch.Tensor]) -> Iterator[tuple[str, torch.Tensor, torch.Tensor]]:
    """Yield (module, A, B) in float32, sorted by module."""
    for name in tensors:
        if not (name.startswith(PREFIX) and name.endswith((_A, _B))):
            raise InputError(f"expert {expert!r}: tensor {name} is not a LoRA factor of a Linear module: leave it out")
        partner = name.removesuffix(_A) + _B if name.endswith(_A) else name.removesuffix(_B) + _A
        if partner not in tensors:
            raise InputError(f"expert {expert!r}: tensor {partner} is missing: save or copy the adapter again")
    if not tensors:
        raise InputError(f"expert {expert!r}: {WEIGHTS} has no tensors: save or copy the adapter again")
    for name in tensors:
        if name.endswith(_A):
            module = name.removeprefix(PREFIX).removesuffix(_A)
            yield module, tensors[name].float(), tensors[name.removesuffix(_A) + _B].float()


def _check_shapes(
    expert: str, base: BaseModel, module: str, down: torch.Tensor, up: torch.Tensor, shape: tuple[int, int] | None
) -> None:
    stranger = f"expert {expert!r} is an expert of another base model than {base.name!r}"
    if shape is None:
        raise InputError(f"{stranger}, which has no module {module}: use its own base model or leave it out")
    for factor, tensor, wanted in (("A", down, f"[r, {shape[1]}]"), ("B", up, f"[{shape[0]}, r]")):
        size = shape[1] if factor == "A" else shape[0]
        if tensor.ndim != 2 or tensor.shape[1 if factor == "A" else 0] != size:
            raise InputError(
                f"{stranger}: tensor {PREFIX}{module}.lora_{factor}.weight is {list(tensor.shape)}, "
                f"the base needs {wanted}: use its own base model or leave it out"
            )


def _check_rank(expert: str, module: str, down: torch.Tensor, up: torch.Tensor, config: LoraConfig) -> None:
    declared = config.rank(module)
    if not down.shape[0] == up.shape[1] == declared:
        raise InputError(
            f"expert {expert!r}: tensor {PREFIX}{module}: A has rank {down.shape[0]}, B has rank {up.shape[1]} "
            f"and {CONFIG} says {declared}: save or copy the adapter again"
        )


def _content_id(modules: Mapping[str, Factors]) -> str:
    digest = hashlib.sha256()
    for module in sorted(modules):
        for factor, tensor in zip("AB", modules[module], strict=True):
            digest.update(f"{module}.{factor}{list(tensor.shape)}".encode())
            digest.update(tensor_bytes(tensor))
    return digest.hexdigest()
