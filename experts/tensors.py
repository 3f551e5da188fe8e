"""Reading folders of safetensors without trusting them: headers for shapes, one tensor at a time for values."""

import hashlib
from collections.abc import Callable, Container, Generator, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open

from experts.files import read_json
from swarm.errors import InputError
from swarm.names import printable
from swarm.plain_json import JsonError, parse_json

COMBINABLE = (torch.float64, torch.float32, torch.float16, torch.bfloat16)
"""The number formats in which experts are combined: no quantised, whole or complex numbers."""

_LENGTH_BYTES = 8
_MOST_HEADER_BYTES = 100_000_000
"""As safetensors."""

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
    return {name: tensor.shape for name, tensor in stored_tensors(folder).items()}


@dataclass(frozen=True)
class StoredTensor:
    """What a header says of a tensor; `dtype` is safetensors' name of its number format (F32, BF16, I8, …)."""

    shape: tuple[int, ...]
    dtype: str


def stored_tensors(folder: Path) -> dict[str, StoredTensor]:
    """Return what the headers say of every tensor of the model in `folder`, by name.

    Raises:
        InputError: a file is missing, truncated or no safetensors file, a tensor is in two files, or not in the file
            that the index says.

    """
    stored: dict[str, StoredTensor] = {}
    files: dict[str, str] = {}
    for file in weight_files(folder):
        with open_tensors(file) as tensors:
            for name in tensors.keys():  # noqa: SIM118
                if name in files:
                    raise InputError(
                        f"{folder}: tensor {printable(name)} is in {files[name]} and in {file.name}: copy it again"
                    )
                part = tensors.get_slice(name)
                files[name], stored[name] = file.name, StoredTensor(tuple(part.get_shape()), part.get_dtype())
    index = folder / INDEX
    if index.is_file() and (wrong := sorted(set(_weight_map(index).items()) ^ set(files.items()))):
        raise InputError(f"{index}: tensor {printable(wrong[0][0])} is not where the index says: copy the whole folder")
    return stored


@contextmanager
def open_tensors(path: Path) -> Iterator[Any]:
    """Open the safetensors file at `path` for reading single tensors on the CPU.

    Raises:
        InputError: the file is truncated, corrupt or no safetensors file.

    """
    _check_header(path)
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


def _check_header(path: Path) -> None:
    """Refuse a header that names a tensor twice: it is not defined which of them counts."""
    try:
        with path.open("rb") as file:
            size = int.from_bytes(file.read(_LENGTH_BYTES), "little")
            if not 0 < size <= _MOST_HEADER_BYTES:
                return  # safetensors says what is wrong
            header = file.read(size)
        parse_json(header, _MOST_HEADER_BYTES)
    except JsonError as error:
        if error.line is None:
            raise InputError(f"{path} is truncated or corrupt (its header: {error}): copy it again") from error
    except OSError as error:
        raise InputError(f"{path} is truncated or corrupt ({_first_line(error)}): copy it again") from error


def _weight_map(index: Path) -> dict[str, str]:
    try:
        files = read_json(index)["weight_map"]
        set(files.values())
    except (ValueError, KeyError, AttributeError, TypeError) as error:
        raise InputError(f"{index} is no index of safetensors files ({_first_line(error)}): copy it again") from error
    return dict(files)


def _indexed_names(index: Path) -> set[str]:
    names = set(_weight_map(index).values())
    for name in names:
        if not isinstance(name, str) or Path(name).name != name or not name.endswith(".safetensors"):
            raise InputError(f"{index} names {name!r}: only *.safetensors files beside it are loaded")
    return names


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
