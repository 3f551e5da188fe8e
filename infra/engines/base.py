"""The engine interface: what holds a base model resident and evaluates a whole population of recipes at once."""

from collections.abc import Callable, Sequence
from typing import Protocol

from data.requests import Request, Response
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
        self, population: Sequence[Recipe], requests: Sequence[Request], progress: Progress | None = None
    ) -> list[list[Response]]:
        """Answer every request with every recipe: the result's shape is [len(population)][len(requests)]."""
        ...

    def close(self) -> None:
        """Give back the memory; a closed engine is never used again."""
        ...
