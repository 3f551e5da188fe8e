"""How a population's recipes become weights of the resident model, and which of them are evaluated together."""

from collections.abc import Iterator, Sequence
from typing import Protocol

import torch

from infra.engines.packed.multi_lora import PopulationLoras
from swarm.errors import EvaluationError
from swarm.recipes import Recipe


class PopulationWeights(Protocol):
    """Turns recipes of one basis into weights of an engine's resident model."""

    @property
    def modules(self) -> Sequence[str]:
        """The Linear modules that adapters are added to."""
        ...

    def sizes(self, population: Sequence[Recipe]) -> list[int]:
        """Return how many particles are evaluated together in each of the steps of `loras`."""
        ...

    def loras(self, population: Sequence[Recipe]) -> Iterator[PopulationLoras]:
        """Prepare the resident model for some particles after another, and yield the adapters of each step.

        What is yielded is valid until the next step.
        """
        ...


def resident_tensors(model: torch.nn.Module) -> dict[str, torch.Tensor]:
    """Return every parameter and buffer of `model` by name, to be written in place."""
    return {name: p.data for name, p in model.named_parameters()} | dict(model.named_buffers())


def resident_tensor(tensors: dict[str, torch.Tensor], name: str) -> torch.Tensor:
    """Return the resident tensor called `name`; raises `EvaluationError` if there is none."""
    if name not in tensors:
        raise EvaluationError(f"tensor {name} has no place of its own in the resident model")
    return tensors[name]
