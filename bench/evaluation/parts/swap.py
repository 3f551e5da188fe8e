"""How long it takes to hand a whole population's adapters to the engine."""

import time
from statistics import median

import torch

from bench.evaluation.parts.children import in_child, processor_seconds
from bench.evaluation.parts.figures import Figure, at_most
from bench.evaluation.parts.made import ATTENTION, adapter_bytes, random_basis
from bench.evaluation.parts.workloads import base_model, population
from infra.engines.packed.multi_lora import build_loras

PARTICLES, EXPERTS, RANK = 20, 10, 9
"""Rank 9 on q, k, v and o makes adapters of 4.1 MB."""


def figure(rounds: int) -> Figure:
    """Return the processor time of a swap; its wall time is that where nothing else runs."""
    wall, processor, size = in_child(seconds, rounds)
    detail = f"{EXPERTS} experts, adapters of {size / 1e6:.1f} MB; wall {median(wall):.3f} s"
    name = f"swapping in a population of {PARTICLES} adapters"
    return at_most("swap", name, median(processor), " s", 0.5, detail)


def seconds(rounds: int) -> tuple[list[float], list[float], int]:
    """Return the wall and the processor seconds of each swap, and the bytes of an adapter."""
    basis = random_basis(base_model(), EXPERTS, RANK, ATTENTION)
    recipes = population(basis.ids, PARTICLES)
    wall, processor = [], []
    for _ in range(rounds):
        start = time.perf_counter()
        processor.append(processor_seconds(lambda: build_loras(basis, recipes, torch.float32))[1])
        wall.append(time.perf_counter() - start)
    return wall, processor, adapter_bytes(basis)
