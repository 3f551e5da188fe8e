"""θ_t of an evolution strategies search: replayed from its start and its journal (docs/algorithms.md §3)."""

from collections.abc import Collection, Iterable, Iterator, Mapping, MutableMapping
from typing import NamedTuple

import torch

from experts.perturbations import Perturbations
from experts.seed_basis import SeedBasis
from experts.snapshots import Snapshot
from experts.weights_hash import tensor_sha256, weights_sha256
from swarm.recipes import Recipe
from swarm.seeds import Journal, Update


class EvolvedTensor(NamedTuple):
    """A tensor of θ: its name, its value at the start, and its value now."""

    name: str
    start: torch.Tensor
    weight: torch.Tensor


def replay(
    basis: SeedBasis, start: Recipe, journal: Journal, names: Collection[str] | None = None
) -> Iterator[EvolvedTensor]:
    """Yield the tensors of θ after `journal` for `names` (all if None), float32 on the CPU, sorted by name.

    Few tensors are in memory at a time. What a snapshot of the search holds already is not replayed.
    """
    perturbations = Perturbations(basis.perturbation, basis.tensor_names, torch.device("cpu"))
    snapshot = _nearest(basis, start, journal)
    later = journal.updates[0 if snapshot is None else snapshot.updates :]
    for name, origin in basis.start(start, names):
        weight = origin.clone() if snapshot is None else snapshot.tensor(name)
        for update in later:
            perturbations.update({name: weight}, {name: origin}, update)
        yield EvolvedTensor(name, origin, weight)


class EvolvedWeights:
    """θ in memory: it moves on to a later journal of the same search, or is made again from the start."""

    def __init__(self, basis: SeedBasis, tensors: MutableMapping[str, torch.Tensor], device: torch.device) -> None:
        """`tensors` hold θ by name: float32 on `device`, written in place; missing tensors are made."""
        self._basis, self.device = basis, device
        self._tensors = tensors
        self._made_from: tuple[Recipe, Journal] | None = None
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
        """Set θ to the weights after `journal` from `start`; return whether anything changed.

        It goes on from where it is or from the nearest snapshot, whichever is nearer, else from the start.
        """
        updates_made = self._updates_already_made(start, journal)
        if updates_made == len(journal.updates):
            return False
        self._made_from = None  # until it is done: what is interrupted begins again from the start
        snapshot = _nearest(self._basis, start, journal, beyond=updates_made)
        if snapshot is not None:
            self._load((name, snapshot.tensor(name)) for name in self._basis.tensor_names)
            updates_made = snapshot.updates
        elif updates_made < 0:
            self._load(self._basis.start(start))
            updates_made = 0
        self._apply(start, journal.updates[updates_made:])
        self._made_from = (start, journal)
        snapshots = self._basis.snapshots
        if snapshots is not None and snapshots.due(updates_made, len(journal.updates)):
            snapshots.save(self._basis.search_id(start), journal, self._tensors)
        return True

    def _updates_already_made(self, start: Recipe, journal: Journal) -> int:
        """Return how many updates of `journal` θ has already; −1 if `journal` does not continue from θ."""
        if self._made_from is None or self._made_from[0] != start or journal.after(self._made_from[1]) is None:
            return -1
        return len(self._made_from[1].updates)

    def _load(self, tensors: Iterable[tuple[str, torch.Tensor]]) -> None:
        for name, tensor in tensors:
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


def _nearest(basis: SeedBasis, start: Recipe, journal: Journal, beyond: int = 0) -> Snapshot | None:
    """Return the snapshot of the search that is nearest to `journal`, with more than `beyond` of its updates."""
    if basis.snapshots is None or beyond >= len(journal.updates):
        return None
    return basis.snapshots.nearest(basis.search_id(start), journal, basis.tensor_names, beyond)
