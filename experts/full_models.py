"""Full-model experts (no adapter): checked against the base model, one tensor at a time."""

from dataclasses import dataclass
from pathlib import Path

import torch

from experts.adapters import check_provenance
from experts.architecture import FLOATING
from experts.base_models import BaseModel
from experts.tensors import StoredTensor, finite, model_sha256, stored_tensors, weight_files
from swarm.errors import InputError


@dataclass(frozen=True)
class FullModel:
    """One full-model expert.

    Attributes:
        name: the name of its folder.
        id: the content hash of its tensors (64 hexadecimal digits), whatever files they are spread over.
        folder: holds its safetensors.

    """

    name: str
    id: str
    folder: Path


def read_full_model(folder: Path, base: BaseModel) -> FullModel:
    """Check that the model in `folder` has the tensors of `base`, all finite; nothing is kept in memory.

    What passed is not read again as long as its files do not change (`base.hashes`).

    Raises:
        InputError: a file is damaged, a tensor is missing, left over, of another shape, or not finite.

    """
    check_provenance(folder, base)
    _check_same_tensors(folder, base)

    def check(name: str, tensor: torch.Tensor) -> None:
        if not finite(tensor):
            raise InputError(f"expert {folder.name!r}: tensor {name} has NaN or infinite values: copy it again")

    sha256 = base.hashes.sha256("finite weights", weight_files(folder), lambda: model_sha256(folder, check))
    return FullModel(folder.name, sha256, folder)


def _check_same_tensors(folder: Path, base: BaseModel) -> None:
    stored, expected = stored_tensors(folder), stored_tensors(base.folder)
    for name in sorted(stored.keys() | expected.keys()):
        if _shape(stored.get(name)) != _shape(expected.get(name)):
            raise InputError(
                f"expert {folder.name!r} is an expert of another base model than {base.name!r}: tensor {name} is "
                f"{_shape(stored.get(name))} in it and {_shape(expected.get(name))} in the base: leave it out"
            )
        if (dtype := stored[name].dtype) not in FLOATING and expected[name].dtype in FLOATING:
            raise InputError(
                f"expert {folder.name!r}: tensor {name} is {dtype}: save it as float32, float16 or bfloat16"
            )


def _shape(tensor: StoredTensor | None) -> str:
    return "missing" if tensor is None else str(list(tensor.shape))
