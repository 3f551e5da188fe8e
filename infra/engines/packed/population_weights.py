"""How a population's recipes become weights of the resident model, and which of them are evaluated together."""

from collections.abc import Iterator, Sequence
from typing import Protocol

import torch

from infra.engines.packed.stacks import Stack
from swarm.errors import EvaluationError
from swarm.recipes import Recipe


class Members(Protocol):
    """The basis of an engine's recipes, in its resident model."""

    @property
    def modules(self) -> Sequence[str]:
        """The Linear modules that stacks add to."""
        ...

    def sizes(self, population: Sequence[Recipe]) -> list[int]:
        """Return how many members each of the stacks of `population` has."""
        ...

    def stacks(self, population: Sequence[Recipe]) -> Iterator[Stack]:
        """Yield what the population is evaluated with, in order; a stack is valid until the next is made."""
        ...


def resident_tensors(model: torch.nn.Module) -> dict[str, torch.Tensor]:
    """Return every parameter and buffer of `model` by name, to be written in place."""
    return {name: p.data for name, p in model.named_parameters()} | dict(model.named_buffers())


def place_of(places: dict[str, torch.Tensor], name: str) -> torch.Tensor:
    """Return the resident tensor called `name`; raises `EvaluationError` if it has no place of its own."""
    if name not in places:
        raise EvaluationError(f"tensor {name} has no place of its own in the resident model")
    return places[name]
