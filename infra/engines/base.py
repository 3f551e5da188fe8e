"""The engine interface: what holds a base model resident and evaluates a whole population of recipes at once."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from data.requests import Request, Response
from experts.base_models import BaseModel
from experts.bases import AnyBasis
from experts.materialise import population_space
from infra.engines.config import EngineConfig
from swarm.recipes import Recipe

Progress = Callable[[int, int], None]
"""Called with (answers finished, answers in all) while an engine works."""


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
        """How many calls of `run` it can work on at the same time, each in a thread of its own: 1, more for a pool."""
        ...

    def run(
        self, population: Sequence[Recipe], requests: Sequence[Sequence[Request]], progress: Progress | None = None
    ) -> list[list[Response]]:
        """Answer each recipe's own requests: `requests[i]` and entry i of the result belong to `population[i]`.

        Raises:
            ValueError: there are not as many lists of requests as recipes.

        """
        ...

    def close(self) -> None:
        """Give back the memory; a closed engine is never used again."""
        ...


class EngineIdentity(Protocol):
    """Tells what the answers of an engine depend on."""

    def __call__(self, config: EngineConfig, base: BaseModel, here: bool = True) -> str:
        """Return it as canonical JSON, without loading a model: equal identities and inputs give equal bits.

        `here` is false for an engine on another machine, whose device `config` names.

        Raises:
            InputError: this machine (if `here`) can't run the configuration.

        """
        ...


@dataclass(frozen=True)
class EngineKind:
    """A kind of engine: an entry of the table in `infra.engines.kinds`, or what a plugin's entry point names.

    Attributes:
        name: what `engine.kind` calls it.
        identity: tells what the answers of an engine of this kind depend on.
        open: loads a base model into an engine of this kind; raises `InputError` if this machine can't run the
            configuration or the basis does not fit, and `EvaluationError` if there is not enough memory.
        takes_turns: on a GPU of this machine an engine of this kind computes in turns with the engines of other runs.

    """

    name: str
    identity: EngineIdentity
    open: Callable[[EngineConfig, BaseModel, AnyBasis], Engine]
    takes_turns: bool = True


def check_population(population: Sequence[Recipe], requests: Sequence[Sequence[Request]]) -> None:
    """Raise `ValueError` if recipes and lists of requests don't pair up, or recipes don't belong to one space."""
    population_space(population)
    if len(population) != len(requests):
        raise ValueError(f"{len(requests)} lists of requests for {len(population)} recipes")
