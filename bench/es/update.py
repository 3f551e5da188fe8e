"""What noise and updates of evolution strategies cost: numbers a second, and the low-rank update against STREAM copy.

    python -m bench.es.update [--population N] [--rank R] [--quick]

Weights are those of SmolLM2-135M's Linear modules (float32, random). An update reads and writes every weight once: that
is what is counted as its bytes. Every round runs copy and update in turn, on one thread, and counts processor seconds.
"""

import time
from statistics import median
from typing import Annotated

import torch
import typer

from bench.machine import Quick, Stream, console, describe, rounds
from experts.noise import NormalNoise
from experts.perturbations import Perturbations
from swarm.seeds import Mode, Perturbation, Update

SHAPES = {"q": (576, 576), "k": (192, 576), "v": (192, 576), "o": (576, 576)}
SHAPES |= {"gate": (1536, 576), "up": (1536, 576), "down": (576, 1536)}
LAYERS = 30
_TILE = 1 << 16


def main(
    population: Annotated[int, typer.Option(min=2, help="Members; an antithetic pair shares one noise.")] = 32,
    rank: Annotated[int, typer.Option(min=1, help="Of the noise of a matrix.")] = 1,
    quick: Quick = False,
) -> None:
    """Measure, and print what was measured with the machine's name."""
    torch.set_num_threads(1)
    layers, count = (1, 2) if quick else (LAYERS, 7)
    weights = {f"{layer}.{name}": torch.randn(shape) for layer in range(layers) for name, shape in SHAPES.items()}
    update = Update(tuple(range(population // 2)), tuple(0.001 * (k + 1) for k in range(population // 2)))
    low_rank = Perturbations(Perturbation(Mode.LOW_RANK, rank, ("q",)), list(weights), torch.device("cpu"))
    noise, stream = NormalNoise(torch.device("cpu")), Stream.of(10 if quick else 200)
    numbers = 1 << (16 if quick else 22)

    seeds, made = update.seeds, {name: weight.shape for name, weight in weights.items()}
    single = [(left[:, :, 0].T.contiguous(), right[:, :, 0]) for _, (left, right) in low_rank.factors(made, seeds)]
    double = [(left.double(), right.double()) for left, right in single]
    actions = {
        "copy": stream.copy,
        "update": lambda: low_rank.update(weights, {}, update),
        "noise of the update": lambda: list(low_rank.factors(made, seeds)),
        "float64 products": lambda: products(double),
        "float32 products": lambda: products(single),
        "noise": lambda: noise.draw([1], 0, numbers),
        "torch.randn": lambda: torch.randn(numbers),
    }
    taken = rounds(actions, count, time.process_time)
    moved = 2 * sum(weight.nbytes for weight in weights.values())
    shares = [moved / u / (stream.copy_bytes / c) for u, c in zip(taken["update"], taken["copy"], strict=True)]
    console.print(describe(1))
    console.print(f"STREAM copy: {stream.copy_bytes / median(taken['copy']) / 1e9:.1f} GB/s")
    console.print(
        f"low-rank update, {population // 2} seeds of rank {rank}, {moved / 8e6:.0f} M weights: "
        f"{median(taken['update']):.3f} s, {moved / median(taken['update']) / 1e9:.1f} GB/s, "
        f"{median(shares):.0%} of copy (best round {max(shares):.0%})"
    )
    for name in ("noise of the update", "float64 products", "float32 products"):
        each = [one / u for one, u in zip(taken[name], taken["update"], strict=True)]
        console.print(f"{name} alone: {median(each):.0%} of the update's time")
    for name in ("noise", "torch.randn"):
        each = [seconds / numbers * 1e9 for seconds in taken[name]]
        console.print(f"{name}: {median(each):.1f} ns a number (best {min(each):.1f})")


def products(factors: list[tuple[torch.Tensor, torch.Tensor]]) -> None:
    """Sum every matrix's noises of rank 1, a tile at a time that stays in the cache, and keep none of it."""
    tile = torch.empty(_TILE, dtype=factors[0][0].dtype)
    for left, right in factors:
        height, width = _TILE // right.shape[1], right.shape[1]
        for top in range(0, len(left), height):
            rows = left[top : top + height]
            torch.mm(rows, right, out=tile[: len(rows) * width].view(len(rows), width))


if __name__ == "__main__":
    typer.run(main)
