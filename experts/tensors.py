"""Reading folders of safetensors without trusting them: headers for shapes, one tensor at a time for values."""

import hashlib
import json
from collections.abc import Callable, Container, Generator, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open

from swarm.errors import InputError

COMBINABLE = (torch.float64, torch.float32, torch.float16, torch.bfloat16)
"""The number formats in which experts are combined: no quantised, whole or complex numbers."""

INDEX = "model.safetensors.index.json"
"""Names the files of a sharded model."""


def weight_files(folder: Path) -> list[Path]:
    """Return the safetensors files that make up the model in `folder`, sorted by name.

    Raises:
        InputError: there are none, or the index is unreadable or names a file that is missing or elsewhere.

    """
    if (folder / INDEX).is_file():
        files = [folder / name for name in sorted(_indexed_names(folder / INDEX))]
    elif (folder / "model.safetensors").is_file():
        files = [folder / "model.safetensors"]
    else:
        files = sorted(folder.glob("*.safetensors"))
    if not files:
        raise InputError(f"{folder} has no *.safetensors: other formats are never loaded: save it as safetensors")
    for file in files:
        if not file.is_file():
            raise InputError(f"{folder / INDEX} names {file.name}, which is missing: copy the whole folder again")
    return files


def weight_shapes(folder: Path) -> dict[str, tuple[int, ...]]:
    """Return the shape of every tensor of the model in `folder`, read from the headers alone.

    Raises:
        InputError: a file is missing, truncated or no safetensors file.

    """
    shapes: dict[str, tuple[int, ...]] = {}
    for file in weight_files(folder):
        with open_tensors(file) as tensors:
            shapes |= {name: tuple(tensors.get_slice(name).get_shape()) for name in tensors.keys()}  # noqa: SIM118
    return shapes


@contextmanager
def open_tensors(path: Path) -> Iterator[Any]:
    """Open the safetensors file at `path` for reading single tensors on the CPU.

    Raises:
        InputError: the file is truncated, corrupt or no safetensors file.

    """
    try:
        with safe_open(path, framework="pt", device="cpu") as tensors:
            yield tensors
    except (SafetensorError, OSError) as error:
        raise InputError(f"{path} is truncated or corrupt ({_first_line(error)}): copy it again") from error


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


def model_sha256(folder: Path, check: Callable[[str, torch.Tensor], None] | None = None) -> str:
    """Return the content hash of the tensors of the model in `folder`, whatever files they are spread over.

    Args:
        folder: holds safetensors.
        check: is shown (name, tensor) of each on the way, and may raise.

    """
    digest = hashlib.sha256()
    for name, tensor in stream(folder):
        if check is not None:
            check(name, tensor)
        digest.update(f"{name}{tensor.dtype}{list(tensor.shape)}".encode())
        digest.update(tensor_bytes(tensor))
    return digest.hexdigest()


def finite(tensor: torch.Tensor) -> bool:
    """Return whether `tensor` holds neither NaN nor infinity."""
    return bool(torch.isfinite(tensor).all())


def tensor_bytes(tensor: torch.Tensor) -> memoryview:
    """Return the raw bytes of `tensor` in row-major order."""
    return tensor.contiguous().reshape(-1).view(torch.uint8).numpy().data


def _indexed_names(index: Path) -> set[str]:
    try:
        names = set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values())
    except (ValueError, KeyError, AttributeError, TypeError) as error:
        raise InputError(f"{index} is no index of safetensors files ({_first_line(error)}): copy it again") from error
    for name in names:
        if not isinstance(name, str) or Path(name).name != name or not name.endswith(".safetensors"):
            raise InputError(f"{index} names {name!r}: only *.safetensors files beside it are loaded")
    return names


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
