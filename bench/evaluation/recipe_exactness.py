"""Whether recipes are what the paper's update would make, tensor by tensor: the error of searching over coefficients.

python -m bench.evaluation.recipe_exactness [--iterations K] [--seeds S] [--quick]

A search is replayed over real tensors: x_i, v_i, p_i, g and w are float64 tensors moved by the equation of Model Swarms
(arXiv 2410.11163, Algorithm 1; docs/algorithms.md §1) with the search's draws, and know nothing of recipes. What
`experts.materialise` makes of the recipes in float32 must be the same tensors.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

import torch
import typer
from rich.table import Table

from bench.machine import Quick, console, describe
from experts.basis import Basis
from experts.materialise import materialise, product_scales, shared_factors
from swarm.parameters import Parameters
from swarm.population import initialise, recipes
from swarm.pso import ask, tell
from swarm.recipes import Recipe, Space
from swarm.state import State

LIMIT = 1e-6
"""The relative error that is wanted: of the whole tensor, in the Frobenius norm."""
SHAPES = {"q": (192, 160), "k": (64, 160), "down": (160, 320)}
"""(out, in) of each module; small, since the error depends on the number of experts and on no size."""

Tensors = Mapping[str, torch.Tensor]
"""One float64 tensor [n or N, …] a name: A and B of each module, or ΔW."""


@dataclass
class Swarm:
    """The reference: tensors of N particles (first axis) that are moved in place; N, out and in as in `SHAPES`.

    Attributes:
        x: positions.
        v: velocities.
        p: personal bests.
        g: the global best, without the first axis.
        w: the global worst.

    """

    x: dict[str, torch.Tensor]
    v: dict[str, torch.Tensor]
    p: dict[str, torch.Tensor]
    g: dict[str, torch.Tensor]
    w: dict[str, torch.Tensor]

    @classmethod
    def of(cls, experts: Tensors, told: State) -> "Swarm":
        """Build the initial particles and velocities out of the experts' tensors."""
        x = _mix(told.positions, experts)
        v = _mix(told.velocities, experts)
        swarm = cls(x, v, {n: t.clone() for n, t in x.items()}, {}, {})
        swarm.track(told)
        return swarm

    def move(self, parameters: Parameters, asked: State) -> None:
        """Move every tensor of every particle, with the draws, λ and restarts of `asked`."""
        assert asked.draws is not None
        for i, (r_v, r_p, r_g, r_w) in enumerate(asked.draws.tolist()):
            phi_v, phi_p = r_v * parameters.inertia, r_p * parameters.cognitive
            phi_g, phi_w = r_g * parameters.social, r_w * parameters.repulsion
            for name, x in self.x.items():
                p, g, w, v = self.p[name][i], self.g[name], self.w[name], self.v[name]
                if asked.restarted[i]:
                    x[i], v[i] = p, 0.0
                pull = phi_v * v[i] + phi_p * (p - x[i]) + phi_g * (g - x[i]) + phi_w * (x[i] - w)
                v[i] = pull / (phi_v + phi_p + phi_g + phi_w)
                x[i] += asked.step_length * v[i]

    def track(self, told: State) -> None:
        """Copy the tensors of whoever became a personal best, the global best or the global worst."""
        now = told.iteration
        assert told.global_best is not None and told.global_worst is not None
        for name, x in self.x.items():
            for i, found in enumerate(told.personal_best_iterations):
                if found == now:
                    self.p[name][i] = x[i]
            if told.global_best.iteration == now:
                self.g[name] = x[told.global_best.particle].clone()
            if told.global_worst.iteration == now:
                self.w[name] = x[told.global_worst.particle].clone()


def _mix(rows: object, experts: Tensors) -> dict[str, torch.Tensor]:
    weights = torch.tensor(rows, dtype=torch.float64)
    return {name: torch.tensordot(weights, tensor, dims=1) for name, tensor in experts.items()}


def random_basis(seed: int, experts: int, rank: int) -> Basis:
    """Return random experts, A as PEFT initialises it and B of the same size."""
    generator = torch.Generator().manual_seed(seed)

    def factor(size: int) -> torch.Tensor:
        return torch.randn(experts, rank, size, generator=generator).div_(size**0.5)

    modules = {module: (factor(into), factor(out).transpose(1, 2)) for module, (out, into) in SHAPES.items()}
    ids = tuple(f"{index:064x}" for index in range(experts))
    return Basis(ids, ids, (rank,) * experts, modules)


def expert_tensors(basis: Basis, space: Space) -> dict[str, torch.Tensor]:
    """Return what is combined in `space`, in float64: A and B of each expert, or its ΔW = B A."""
    if space is Space.PRODUCT:
        return {module: b.double() @ a.double() for module, (a, b) in basis.modules.items()}
    return {
        f"{module}.{name}": tensor.double()
        for module, pair in basis.modules.items()
        for name, tensor in zip("AB", pair, strict=True)
    }


def materialised(basis: Basis, population: list[Recipe], space: Space) -> dict[str, torch.Tensor]:
    """Return the same of each recipe by way of `experts.materialise`, in float32."""
    if space is Space.PRODUCT:
        scales = product_scales(basis, population).unsqueeze(1)
        return {module: (b * scales) @ a for module, a, b in shared_factors(basis)}
    return {
        f"{module}.{name}": tensor.clone()
        for module, *pair in materialise(basis, population)
        for name, tensor in zip("AB", pair, strict=True)
    }


def relative_errors(made: Tensors, wanted: Tensors) -> list[float]:
    """Return ‖made − wanted‖ / ‖wanted‖ of each particle's tensor of each name."""
    pairs = [(made[name].double().flatten(1), tensor.flatten(1)) for name, tensor in wanted.items()]
    return [e for m, t in pairs for e in ((m - t).norm(dim=1) / t.norm(dim=1)).tolist()]


def replay(seed: int, space: Space, iterations: int, particles: int, experts: int) -> list[float]:
    """Search both ways over the same draws; return the largest relative error of each iteration."""
    parameters = Parameters(particles=particles, patience=iterations + 1, restart_patience=3)
    basis = random_basis(seed, experts, rank=8)
    utilities = torch.rand(iterations + 1, particles, generator=torch.Generator().manual_seed(seed)).tolist()
    state = tell(parameters, initialise(parameters, seed, experts), utilities[0])
    swarm = Swarm.of(expert_tensors(basis, space), state)
    worst = []
    for row in utilities[1:]:
        asked = ask(parameters, seed, state)
        swarm.move(parameters, asked)
        worst.append(max(relative_errors(materialised(basis, list(recipes(asked, basis.ids, space)), space), swarm.x)))
        state = tell(parameters, asked, row)
        swarm.track(state)
    return worst


def main(
    iterations: Annotated[int, typer.Option(min=1, help="Moves of each search.")] = 50,
    seeds: Annotated[int, typer.Option(min=1, help="Searches of each space: other experts, draws and utilities.")] = 3,
    quick: Quick = False,
) -> None:
    """Print the largest relative error between recipes and tensor-by-tensor updates; exit with 1 if it is too large."""
    torch.set_num_threads(1)
    if quick:
        iterations, seeds = 5, 1
    console.print(describe(1), soft_wrap=True)
    table = Table("space", "searches", "iterations", "first iteration", "last iteration", "largest", "wanted")
    largest = 0.0
    for space in Space:
        errors = [replay(seed, space, iterations, particles=20, experts=10) for seed in range(seeds)]
        ends = (max(e[0] for e in errors), max(e[-1] for e in errors), max(map(max, errors)))
        largest = max(largest, ends[2])
        table.add_row(space.value, str(seeds), str(iterations), *(f"{end:.1e}" for end in ends), f"≤ {LIMIT:.0e}")
    console.print(table)
    raise typer.Exit(int(largest > LIMIT))


if __name__ == "__main__":
    typer.run(main)
