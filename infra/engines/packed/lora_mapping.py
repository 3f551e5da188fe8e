"""How the tokens of one forward pass belong to particles, and so to their adapters."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray


@dataclass(frozen=True)
class LoraMapping:
    """The particle of each of `tokens` tokens, for work that is done particle by particle.

    Attributes:
        particles: the number of particles.
        tokens: the number of tokens.
        index: None if the tokens are those of particle 0, then as many of particle 1, and so on; else [particles × W]:
            the tokens of each particle, filled up to W with any token.
        slots: None, or [tokens]: where in `index` each token is.

    """

    particles: int
    tokens: int
    index: torch.Tensor | None = None
    slots: torch.Tensor | None = None

    @classmethod
    def even(cls, particles: int, tokens: int) -> "LoraMapping":
        """Return the mapping of particles with equally many tokens, one particle after another."""
        return cls(particles, tokens)

    @classmethod
    def of(cls, owners: NDArray[np.intp], particles: int, device: torch.device) -> "LoraMapping":
        """Return the mapping in which token i is particle `owners[i]`'s."""
        counts = np.bincount(owners, minlength=particles)
        order = np.argsort(owners, kind="stable")
        if len(set(counts.tolist())) == 1 and np.array_equal(order, np.arange(len(owners))):
            return cls.even(particles, len(owners))
        width = int(counts.max())
        starts = np.repeat(np.cumsum(counts) - counts, counts)
        ordered_slots = owners[order] * width + np.arange(len(owners)) - starts
        index = np.zeros(particles * width, dtype=np.intp)
        index[ordered_slots] = order
        slots = np.empty(len(owners), dtype=np.intp)
        slots[order] = ordered_slots
        return cls(particles, len(owners), torch.from_numpy(index).to(device), torch.from_numpy(slots).to(device))

    @property
    def width(self) -> int:
        """W: the most tokens of a particle."""
        return self.tokens // self.particles if self.index is None else len(self.index) // self.particles

    def select(self, tokens: Sequence[int]) -> "LoraMapping":
        """Return the mapping of some of the tokens."""
        slots = np.asarray(tokens) if self.slots is None else self.slots.cpu().numpy()[np.asarray(tokens)]
        device = torch.device("cpu") if self.slots is None else self.slots.device
        return LoraMapping.of(slots // self.width, self.particles, device)

    def split(self, flat: torch.Tensor) -> torch.Tensor:
        """Return `flat` [tokens, …] by particle [particles, W, …]; a view if the tokens lie so."""
        ordered = flat if self.index is None else flat.index_select(0, self.index)
        return ordered.view(self.particles, self.width, *flat.shape[1:])

    def join(self, split: torch.Tensor) -> torch.Tensor:
        """Undo `split`."""
        flat = split.flatten(0, 1)
        return flat if self.slots is None else flat.index_select(0, self.slots)
