"""What a population costs as recipes, and how fast it becomes tensors, against this machine's memory bandwidth.

python -m bench.evaluation.materialise [--threads T] [--quick]

20 particles over 10 experts of 100 MB: LoRA of rank 8 on every Linear module of 40 layers of Llama-2-7B's shapes.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from statistics import median

import torch
import typer
from rich.table import Table

from bench.machine import Quick, Stream, Threads, console, describe, rounds
from experts.basis import Basis
from experts.materialise import materialise
from infra.engines.packed.multi_lora import build_loras
from swarm.canonical import canonical_json
from swarm.parameters import Parameters
from swarm.population import initialise, recipes
from swarm.pso import ask, tell
from swarm.recipes import Recipe, Space
from swarm.state import State

PARTICLES, EXPERTS, RANK, HIDDEN, INNER = 20, 10, 8, 4096, 11008
GROUP = 8
"""Particles that an engine holds at a time: the default of `engine.group_size`."""
STATE_LIMIT = 64 * 1024
"""Bytes of JSON that an iteration may take in the records."""


def shapes(layers: int) -> Iterator[tuple[str, int, int]]:
    """Yield (module, out, in) of every Linear module of so many layers."""
    for layer in range(layers):
        for name in ("q", "k", "v", "o"):
            yield f"{layer}.{name}", HIDDEN, HIDDEN
        yield from ((f"{layer}.gate", INNER, HIDDEN), (f"{layer}.up", INNER, HIDDEN), (f"{layer}.down", HIDDEN, INNER))


def random_basis(layers: int) -> Basis:
    """Return experts of random tensors, laid out in memory as `experts.basis` lays them out."""
    generator = torch.Generator().manual_seed(0)

    def factor(size: int) -> torch.Tensor:
        return torch.empty(EXPERTS, RANK, size).uniform_(-1, 1, generator=generator)

    modules = {module: (factor(into), factor(out).transpose(1, 2)) for module, out, into in shapes(layers)}
    ids = tuple(f"{index:064x}" for index in range(EXPERTS))
    return Basis(ids, ids, (RANK,) * EXPERTS, modules)


def searched(iterations: int) -> State:
    """Return the state of a search after some iterations of made-up utilities."""
    parameters = Parameters(particles=PARTICLES, patience=iterations + 1)
    state = initialise(parameters, 0, EXPERTS)
    for _ in range(iterations):
        state = ask(parameters, 0, tell(parameters, state, state.positions[:, 0].tolist()))
    return tell(parameters, state, state.positions[:, 0].tolist())


def population(basis: Basis, space: Space) -> list[Recipe]:
    """Return the recipes of a swarm on its way."""
    return list(recipes(searched(5), basis.ids, space))


def consume(basis: Basis, wanted: list[Recipe]) -> None:
    """Materialise the whole population, a module at a time."""
    for _ in materialise(basis, wanted):
        pass


def extra_memory(layers: int, space: Space, kept: bool) -> int:
    """Return the bytes by which materialising raises this process's resident memory above that of the basis."""
    torch.set_num_threads(1)
    basis = random_basis(layers)
    wanted = population(basis, space)
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # the high water mark falls to what is resident now
    before = _kilobytes("VmRSS")
    if kept:
        stack = build_loras(basis, wanted[:GROUP], torch.float32)
        assert stack.size == GROUP
    else:
        consume(basis, wanted)
    return (_kilobytes("VmHWM") - before) * 1024


def _kilobytes(field: str) -> int:
    """Return a number of this process's status (Linux): VmRSS, resident memory, or VmHWM, its high water mark."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{field}:"))


def in_child(layers: int, space: Space, kept: bool) -> int:
    """Return `extra_memory` of a process of its own: what this one allocated before doesn't hide anything."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(extra_memory, layers, space, kept).result()


def measured(basis: Basis, stream: Stream, count: int) -> dict[str, tuple[float, list[float], list[float]]]:
    """Return bytes, seconds of each round, and share of STREAM copy in the same round, by what was done."""
    adapter = sum(factor[0].nbytes for pair in basis.modules.values() for factor in pair)
    factors, products = population(basis, Space.FACTORS), population(basis, Space.PRODUCT)
    actions: dict[str, Callable[[], object]] = {
        "STREAM copy": stream.copy,
        "STREAM triad": stream.triad,
        f"factors: {PARTICLES} particles, streamed": lambda: consume(basis, factors),
        f"factors: {GROUP} particles, kept for an engine": lambda: build_loras(basis, factors[:GROUP], torch.float32),
        f"product: {PARTICLES} particles, kept for an engine": lambda: build_loras(basis, products, torch.float32),
    }
    moved = (
        stream.copy_bytes,
        stream.triad_bytes,
        adapter * (EXPERTS + PARTICLES),
        adapter * (EXPERTS + GROUP),
        PARTICLES * EXPERTS * RANK * 4,  # the scales: the factors themselves are shared with the basis
    )
    seconds = rounds(actions, count)
    copy = seconds["STREAM copy"]
    return {
        name: (
            size,
            seconds[name],
            [size / t / (stream.copy_bytes / c) for t, c in zip(seconds[name], copy, strict=True)],
        )
        for name, size in zip(actions, moved, strict=True)
    }


def main(threads: Threads = 1, quick: Quick = False) -> None:
    """Print the size of a state, the bandwidth of materialising, and its memory beside the basis."""
    torch.set_num_threads(threads)
    layers = 1 if quick else 40
    basis = random_basis(layers)
    adapter = sum(factor[0].nbytes for pair in basis.modules.values() for factor in pair)
    console.print(describe(threads), soft_wrap=True)
    state = len(canonical_json(searched(50).to_json()).encode())
    console.print(f"state of {PARTICLES} particles over {EXPERTS} experts: {state} B (limit {STATE_LIMIT} B)")
    table = Table("materialising", "MB moved", "median s", "GB/s", "% of copy, same round (median, best)")
    for name, (size, seconds, shares) in measured(basis, Stream.of(4 if quick else 256), 2 if quick else 11).items():
        share = "" if "product" in name else f"{100 * median(shares):.0f}, {100 * max(shares):.0f}"
        table.add_row(name, f"{size / 1e6:.3g}", f"{median(seconds):.4f}", f"{size / median(seconds) / 1e9:.2f}", share)
    console.print(table)
    memory = Table("memory beside the basis", "MB", "adapters")
    for name, space, kept in (
        (f"factors: {PARTICLES} particles, streamed", Space.FACTORS, False),
        (f"factors: {GROUP} particles, kept for an engine", Space.FACTORS, True),
        (f"product: {GROUP} particles, kept for an engine", Space.PRODUCT, True),
    ):
        extra = in_child(layers, space, kept)
        memory.add_row(name, f"{extra / 1e6:.1f}", f"{extra / adapter:.2f}")
    console.print(f"an adapter is {adapter / 1e6:.1f} MB, the basis {EXPERTS * adapter / 1e6:.0f} MB")
    console.print(memory)


if __name__ == "__main__":
    typer.run(main)
