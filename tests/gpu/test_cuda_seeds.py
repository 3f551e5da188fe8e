"""Noise and updates have the same bits on a GPU as on a CPU."""

import pytest
import torch

from experts.noise import NormalNoise
from experts.perturbations import Perturbations
from swarm.seeds import Mode, Perturbation, Update

CPU, GPU = torch.device("cpu"), torch.device("cuda")
UPDATE = Update(tuple(range(32)), tuple(0.01 * (-1) ** k / (k + 1) for k in range(32)), keep=0.9)


def test_noise_is_the_same() -> None:
    seeds = [0, 1, 2**63 - 1]
    assert torch.equal(NormalNoise(GPU).draw(seeds, 7, 100_001, 3).cpu(), NormalNoise(CPU).draw(seeds, 7, 100_001, 3))


@pytest.mark.parametrize("mode", [Mode.FULL, Mode.LOW_RANK])
def test_updates_are_the_same(mode: Mode) -> None:
    perturbation = Perturbation(mode, 4 if mode is Mode.LOW_RANK else 0, ())
    start = torch.randn(300, 517, generator=torch.Generator().manual_seed(0))
    found = []
    for device in (CPU, GPU):
        weight = start.to(device, copy=True)
        Perturbations(perturbation, ("a", "b"), device).update({"b": weight}, {"b": start}, UPDATE)
        found.append(weight.cpu())
    assert torch.equal(*found)


def test_members_are_the_same() -> None:
    weight = torch.randn(999)
    kind = Perturbation(Mode.FULL, 0, ())
    made = [Perturbations(kind, ("a",), d).perturb("a", weight.to(d), 3, 0.01).cpu() for d in (CPU, GPU)]
    assert torch.equal(*made)
