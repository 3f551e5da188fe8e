"""A population's evaluation in three ways, in turn, each in a process of its own."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TypeVar

from bench.evaluation.parts import public_way
from bench.evaluation.parts.children import gemm_seconds, in_child, processor_seconds
from bench.evaluation.parts.resident_way import ResidentWay, Tokens
from bench.evaluation.parts.workloads import Workload, World
from data.requests import Completion, Response
from infra.engines.config import EngineConfig
from infra.engines.kinds import open_engine

GEMM_SIZE = 2048

T = TypeVar("T")


@dataclass(frozen=True)
class Timed:
    """Processor seconds of one way, and those of matrix products in the same process, before and after it."""

    seconds: float
    gemm: list[float]

    @property
    def rate(self) -> float:
        """The machine's float32 GEMM rate around this measurement, in FLOP/s."""
        return 2 * GEMM_SIZE**3 / median(self.gemm)

    @property
    def operations(self) -> float:
        """How many operations matrix products do in that time: it varies less than seconds as the machine does."""
        return self.seconds * self.rate


@dataclass(frozen=True)
class Ours:
    """The project's own way: answers [P][R] and its time."""

    answers: list[list[Completion]]
    time: Timed


@dataclass(frozen=True)
class Round:
    """The times of each way in one round, and what the resident way and ours generated [P][R].

    Attributes:
        public: None in a round that left the public way out.

    """

    public: Timed | None
    resident: Timed
    resident_tokens: list[list[Tokens]]
    ours: Ours


@dataclass(frozen=True)
class Speed:
    """All rounds of a workload; the resident way's batches had `batch` rows."""

    load: Workload
    batch: int
    rounds: list[Round]


def timed(action: Callable[[], T]) -> tuple[T, Timed]:
    """Return what `action` returns and its time."""
    before = gemm_seconds(GEMM_SIZE, 5)
    result, seconds = processor_seconds(action)
    return result, Timed(seconds, before + gemm_seconds(GEMM_SIZE, 5))


def public(load: Workload, folder: Path) -> Timed:
    """Return the time of the public way."""
    world = World(load, folder)
    assert world.requests and world.population
    return timed(lambda: public_way.evaluate(world))[1]


def best_batch(load: Workload, folder: Path) -> int:
    """Return the batch size at which the resident way is fastest for one particle."""
    world = World(load, folder)
    return ResidentWay(world).best_batch(world.population[:1], world.requests, load.batch_sizes)


def resident(load: Workload, folder: Path, batch: int) -> tuple[list[list[Tokens]], Timed]:
    """Return the answers and the time of the resident way, loading left out."""
    world = World(load, folder)
    way = ResidentWay(world)
    way.evaluate(world.population[:1], world.requests[:1], batch)
    return timed(lambda: way.evaluate(world.population, world.requests, batch))


def ours(load: Workload, folder: Path) -> Ours:
    """Return the answers and the time of the engine that a search would use, opening left out."""
    world = World(load, folder)
    config = EngineConfig(device="cpu", threads=1, workers=1, group_size=load.particles)
    engine = open_engine(config, world.base, world.basis)
    engine.run(world.population[:1], [world.requests[:1]])
    answers, time = timed(lambda: engine.run(world.population, [world.requests] * len(world.population)))
    engine.close()
    return Ours([completions(row) for row in answers], time)


def completions(responses: Sequence[Response]) -> list[Completion]:
    """Return the responses to `Generate` requests."""
    return [response for response in responses if isinstance(response, Completion)]


def measure(load: Workload, folder: Path, rounds: int, public_rounds: int, note: Callable[[str], None]) -> Speed:
    """Evaluate one workload in every way, in turn; `note` hears what came of each round.

    The public way, the slowest, takes part in the first `public_rounds` rounds.
    """
    batch = in_child(best_batch, load, folder)
    measured: list[Round] = []
    for number in range(rounds):
        slow = in_child(public, load, folder) if number < public_rounds else None
        tokens, middle = in_child(resident, load, folder, batch)
        measured.append(Round(slow, middle, tokens, in_child(ours, load, folder)))
        ways = {"public": slow, "resident": middle, "ours": measured[-1].ours.time}
        times = ", ".join(
            f"{name} {time.seconds:.1f} s (GEMM {time.rate / 1e9:.0f} GFLOP/s)" for name, time in ways.items() if time
        )
        note(f"{load.name}, round {number + 1} of {rounds}: {times}")
    return Speed(load, batch, measured)
