"""How exact evolution strategies are on the real model: weights after members, a journal replayed, the noise.

    python -m bench.es.exactness [--cycles N] [--updates T]

SmolLM2-135M in float32 on the CPU. Exits with 1 if anything is not as it should be.
"""

import tempfile
from itertools import combinations
from pathlib import Path
from typing import Annotated

import torch
import typer

from bench.machine import console, describe
from experts.base_models import BaseModel, resolve_base_model
from experts.evolved import EvolvedWeights
from experts.evolved_export import export_evolved
from experts.noise import NormalNoise
from experts.perturbations import Perturbations
from experts.seed_basis import SeedBasis
from experts.weights_hash import tensor_sha256, weights_sha256
from infra.searches.evolution_strategies.config import ALL_LINEAR
from infra.settings import Settings
from swarm.seeds import BASE_START, Journal, Mode, Perturbation, SeedRecipe, Update

CPU = torch.device("cpu")
KINDS = (
    Perturbation(Mode.LOW_RANK, 1, tuple(sorted(ALL_LINEAR))),
    Perturbation(Mode.ADAPTER, 6, ("k_proj", "o_proj", "q_proj", "v_proj")),
    Perturbation(Mode.FULL, 0, ()),
)
PROJECTIONS = 30
"""Tensors of one shape that are compared, two and two: each layer's q_proj."""


def main(
    cycles: Annotated[
        int, typer.Option(min=1, help="Members made one after another in the first layer's weights.")
    ] = 1000,
    updates: Annotated[int, typer.Option(min=1, help="Of 8 seeds each, in the journal that is replayed.")] = 3,
) -> None:
    """Check, print what was found, and fail if something is not exact."""
    torch.set_num_threads(1)
    base = resolve_base_model("smollm2-135m-instruct", Settings().cache)
    console.print(describe(1))
    exact = restored(base, cycles)
    console.print(f"weights of the first layer after {cycles} members: {'the same bits' if exact else 'CHANGED'}")
    for kind in KINDS:
        same = replayed(base, kind, updates)
        exact &= same
        console.print(
            f"{kind.mode}: the export's hash is {'the' if same else 'NOT the'} engine's after {updates} updates"
        )
    largest, least = correlations(correlated=False)[1], correlations(correlated=True)[0]
    console.print(
        f"noises of {PROJECTIONS} tensors of one shape, two and two: |ρ| ≤ {largest:.4f}; reference: ρ ≥ {least:.4f}"
    )
    if not exact or largest >= 0.01 or least < 0.9999:
        raise typer.Exit(1)


def restored(base: BaseModel, cycles: int) -> bool:
    """Write members over weights in place, and the mean again after each; tell whether every bit came back."""
    basis = SeedBasis(base, KINDS[2])
    names = [name for name in basis.tensor_names if ".layers.0." in name]
    perturbations = Perturbations(basis.perturbation, basis.tensor_names, CPU)
    theta = dict(basis.start(BASE_START, names))
    resident = {name: tensor.clone() for name, tensor in theta.items()}
    before = _hash(resident)
    for seed in range(cycles):
        for name, place in resident.items():
            place.copy_(perturbations.perturb(name, theta[name], seed, 0.01))
        assert _hash(resident) != before
        for name, place in resident.items():
            place.copy_(theta[name])
    return _hash(resident) == before == _hash(theta)


def replayed(base: BaseModel, kind: Perturbation, updates: int) -> bool:
    """Tell whether weights that moved on update by update are those that an export replays."""
    basis = SeedBasis(base, kind)
    live, journal = EvolvedWeights(basis, {}, CPU), Journal()
    for step in range(updates):
        live.go_to(BASE_START, journal)
        seeds = tuple(range(8 * step, 8 * step + 8))
        journal = journal.extend(Update(seeds, tuple(1e-3 * (-1) ** seed / (1 + seed) for seed in seeds)))
    live.go_to(BASE_START, journal)
    with tempfile.TemporaryDirectory() as folder:
        return (
            export_evolved(basis, SeedRecipe.of(BASE_START, kind, journal), Path(folder) / "out").sha256 == live.sha256
        )


def correlations(correlated: bool) -> tuple[float, float]:
    """Return the least and the largest |ρ| between noises of tensors of one shape, of one seed."""
    noise = NormalNoise(CPU, correlated)
    drawn = torch.stack([noise.draw([1], tensor, 576 * 576)[0] for tensor in range(PROJECTIONS)])
    matrix = torch.corrcoef(drawn.double()).abs()
    pairs = [float(matrix[one, other]) for one, other in combinations(range(PROJECTIONS), 2)]
    return min(pairs), max(pairs)


def _hash(tensors: dict[str, torch.Tensor]) -> str:
    return weights_sha256((name, tensor_sha256(tensor)) for name, tensor in tensors.items())


if __name__ == "__main__":
    typer.run(main)
