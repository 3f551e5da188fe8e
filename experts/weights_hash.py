"""The content hash of weights: what says that an engine, a replay and a file hold the same ones."""

import hashlib
from collections.abc import Iterable

import torch

from experts.tensors import tensor_bytes
from swarm.canonical import content_hash


def tensor_sha256(tensor: torch.Tensor) -> str:
    """Return the content hash of a float32 tensor: its shape and its numbers."""
    digest = hashlib.sha256(str(list(tensor.shape)).encode())
    digest.update(tensor_bytes(tensor.detach().cpu()))
    return digest.hexdigest()


def weights_sha256(hashes: Iterable[tuple[str, str]]) -> str:
    """Return the content hash of weights from the name and the hash of each of their tensors, in any order."""
    return content_hash(dict(hashes))
