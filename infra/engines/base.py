"""The engine interface: what holds a base model resident and evaluates a whole population of recipes at once."""

from collections.abc import Callable, Sequence
from typing import Protocol

from data.requests import Request, Response
from experts.materialise import population_space
from swarm.recipes import Recipe

Progress = Callable[[int, int], None]
"""Called with (rows finished, rows in all) while an engine works."""


class Engine(Protocol):
    """Evaluates populations on one device.

    Obligations, checked by `tests/infra/engines/test_engine_conformance.py`:

    - the answers are a pure function of (population, requests) and of `identity`: same bits in any process;
    - a base model is loaded once, whatever the number of calls; no tensor is written to disk;
    - `run` raises `EvaluationError` where it cannot answer; it never returns a made-up answer.
    """

    @property
    def identity(self) -> str:
        """What the answers depend on besides their inputs: engine, version, base model, dtype, device, batching."""
        ...

    @property
    def slots(self) -> int:
        """How many calls of `run` may usefully be under way, each in a thread of its own: 1 but for a pool."""
        ...

    def run(
        self, population: Sequence[Recipe], requests: Sequence[Sequence[Request]], progress: Progress | None = None
    ) -> list[list[Response]]:
        """Answer each recipe's own requests: `requests[i]`, and the result's entry i, are those of `population[i]`.

        Raises:
            ValueError: there are not as many lists of requests as recipes.

        """
        ...

    def close(self) -> None:
        """Give back the memory; a closed engine is never used again."""
        ...


def check_population(population: Sequence[Recipe], requests: Sequence[Sequence[Request]]) -> None:
    """Raise `ValueError` if recipes and lists of requests don't pair up, or recipes don't belong to one space."""
    population_space(population)
    if len(population) != len(requests):
        raise ValueError(f"{len(requests)} lists of requests for {len(population)} recipes")
