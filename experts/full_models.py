"""Full-model experts (no adapter): checked against the base model, streamed one tensor at a time."""

import hashlib
from collections.abc import Container, Generator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import torch

from experts.adapters import check_provenance
from experts.base_models import BaseModel
from experts.tensors import finite, open_tensors, tensor_bytes, weight_files, weight_shapes
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

    Raises:
        InputError: a file is damaged, a tensor is missing, left over, of another shape, or not finite.

    """
    check_provenance(folder, base)
    _check_same_tensors(folder, base)
    digest = hashlib.sha256()
    for name, tensor in stream(folder):
        if not finite(tensor):
            raise InputError(f"expert {folder.name!r}: tensor {name} has NaN or infinite values: copy it again")
        digest.update(f"{name}{tensor.dtype}{list(tensor.shape)}".encode())
        digest.update(tensor_bytes(tensor))
    return FullModel(folder.name, digest.hexdigest(), folder)


def stream(folder: Path, names: Container[str] | None = None) -> Generator[tuple[str, torch.Tensor]]:
    """Yield (name, tensor) of the model in `folder`, sorted by name, as stored; one tensor is in memory at a time.

    Only the tensors called `names` are read, or all if it is None.
    """
    with ExitStack() as stack:
        files = [stack.enter_context(open_tensors(file)) for file in weight_files(folder)]
        where = {name: file for file in files for name in file.keys()}  # noqa: SIM118
        for name in sorted(where):
            if names is None or name in names:
                yield name, where[name].get_tensor(name)


def _check_same_tensors(folder: Path, base: BaseModel) -> None:
    found, wanted = weight_shapes(folder), weight_shapes(base.folder)
    for name in sorted(found.keys() | wanted.keys()):
        if found.get(name) != wanted.get(name):
            raise InputError(
                f"expert {folder.name!r} is an expert of another base model than {base.name!r}: tensor {name} is "
                f"{_shape(found.get(name))} in it and {_shape(wanted.get(name))} in the base: leave it out"
            )


def _shape(shape: tuple[int, ...] | None) -> str:
    return "missing" if shape is None else str(list(shape))
