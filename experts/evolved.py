"""θ_t of an evolution strategies search: replayed from its start and its journal (docs/algorithms.md §3)."""

import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping, MutableMapping
from typing import NamedTuple

import torch

from experts.perturbations import Perturbations
from experts.seed_basis import SeedBasis
from experts.tensors import tensor_bytes
from swarm.canonical import content_hash
from swarm.recipes import Recipe
from swarm.seeds import Journal, Update


class Moved(NamedTuple):
    """A tensor of θ: what it is called, what it was at the start, and what it is."""

    name: str
    start: torch.Tensor
    weight: torch.Tensor


def replay(basis: SeedBasis, start: Recipe, journal: Journal, names: Collection[str] | None = None) -> Iterator[Moved]:
    """Yield the tensors of θ after `journal` for `names` (all if None), float32 on the CPU, sorted by name.

    Few tensors are in memory at a time.
    """
    perturbations = Perturbations(basis.perturbation, basis.tensor_names, torch.device("cpu"))
    for name, origin in basis.start(start, names):
        weight = origin.clone()
        for update in journal.updates:
            perturbations.update({name: weight}, {name: origin}, update)
        yield Moved(name, origin, weight)


class EvolvedWeights:
    """θ in memory: moved on from one journal to a later one of the same search, or else made again from the start."""

    def __init__(self, basis: SeedBasis, tensors: MutableMapping[str, torch.Tensor], device: torch.device) -> None:
        """`tensors` are where θ lies: float32 on `device`, by name, written in place; those that lack are made."""
        self._basis, self.device = basis, device
        self._tensors = tensors
        self._held: tuple[Recipe, Journal] | None = None
        self.perturbations = Perturbations(basis.perturbation, basis.tensor_names, device)

    @property
    def tensors(self) -> Mapping[str, torch.Tensor]:
        """The tensors of θ, float32."""
        return self._tensors

    @property
    def sha256(self) -> str:
        """The content hash of θ: the same wherever the same journal was replayed."""
        return weights_sha256((name, tensor_sha256(tensor)) for name, tensor in self._tensors.items())

    def go_to(self, start: Recipe, journal: Journal) -> bool:
        """Make θ what `journal` makes of `start`; return whether anything was changed."""
        later = None
        if self._held is not None and self._held[0] == start:
            later = journal.after(self._held[1])
        if later == ():
            return False
        self._held = None  # until it is done: what is interrupted begins again from the start
        if later is None:
            self._load(start)
            later = journal.updates
        self._apply(start, later)
        self._held = (start, journal)
        return True

    def _load(self, start: Recipe) -> None:
        for name, tensor in self._basis.start(start):
            if name in self._tensors:
                self._tensors[name].copy_(tensor)
            else:
                self._tensors[name] = tensor.to(self.device, copy=True)

    def _apply(self, start: Recipe, updates: tuple[Update, ...]) -> None:
        if any(update.keep != 1 for update in updates):
            for name, origin in self._basis.start(start):
                for update in updates:
                    self.perturbations.update({name: self._tensors[name]}, {name: origin}, update)
        else:
            for update in updates:
                self.perturbations.update(self._tensors, {}, update)


def tensor_sha256(tensor: torch.Tensor) -> str:
    """Return the content hash of a float32 tensor: its shape and its numbers."""
    digest = hashlib.sha256(str(list(tensor.shape)).encode())
    digest.update(tensor_bytes(tensor.detach().cpu()))
    return digest.hexdigest()


def weights_sha256(hashes: Iterable[tuple[str, str]]) -> str:
    """Return the content hash of θ from the name and the hash of each of its tensors, in any order."""
    return content_hash(dict(hashes))
