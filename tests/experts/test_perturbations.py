"""Perturbing and updating tensors: the equation, exactly, whatever the order."""

from fractions import Fraction

import pytest
import torch

from experts.noise import NormalNoise
from experts.perturbations import Perturbations, round_coefficients
from swarm.errors import InputError
from swarm.seeds import Mode, Perturbation, Update

CPU = torch.device("cpu")
DENSE = Perturbation(Mode.FULL, 0, ())
LOW_RANK = Perturbation(Mode.LOW_RANK, 3, ("q_proj",))
NAMES = ("b", "a", "c")
UPDATE = Update((5, 6, 7), (0.01, -0.02, 0.003))


def weights(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(1))


def dense_noise(seed: int, place: int, like: torch.Tensor) -> torch.Tensor:
    return NormalNoise(CPU).draw([seed], place, like.numel())[0].view_as(like)


def test_a_dense_update_adds_each_seeds_noise_by_its_coefficient() -> None:
    weight = weights(7, 11)
    moved = weight.clone()
    Perturbations(DENSE, NAMES, CPU).update({"b": moved}, {}, UPDATE)
    noises = [c * dense_noise(s, 1, weight).double() for s, c in zip(UPDATE.seeds, UPDATE.coefficients, strict=True)]
    torch.testing.assert_close(moved, (weight.double() + sum(noises)).float(), rtol=0, atol=1e-7)
    assert not torch.equal(moved, weight)


def test_a_low_rank_update_is_the_sum_of_its_members_products() -> None:
    perturbations, weight = Perturbations(LOW_RANK, NAMES, CPU), weights(7, 11)
    moved = weight.clone()
    perturbations.update({"c": moved}, {}, UPDATE)
    [(_, (left, right))] = perturbations.factors({"c": weight.shape}, UPDATE.seeds)
    assert (left.shape, right.shape) == ((3, 7, 3), (3, 11, 3))
    wanted = weight.double()
    for k, coefficient in enumerate(UPDATE.coefficients):
        wanted = wanted + coefficient * left[k].double() @ right[k].double().T / 3**0.5
    torch.testing.assert_close(moved, wanted.float(), rtol=0, atol=1e-6)


@pytest.mark.parametrize("kind", [DENSE, LOW_RANK], ids=["dense", "low rank"])
def test_the_sum_is_exact_so_neither_order_nor_blocks_change_a_bit(
    kind: Perturbation, monkeypatch: pytest.MonkeyPatch
) -> None:
    many = Update(tuple(range(100, 132)), tuple((-1) ** k * 0.01 / (k + 1) for k in range(32)))
    backwards = Update(many.seeds[::-1], many.coefficients[::-1])
    results = []
    for block, update in ((1 << 16, many), (1 << 16, backwards), (100, many)):
        monkeypatch.setattr("experts.perturbations._BLOCK", block)
        weight = weights(33, 47)
        Perturbations(kind, NAMES, CPU).update({"a": weight}, {}, update)
        results.append(weight)
    assert torch.equal(results[0], results[1])
    assert torch.equal(results[0], results[2])


def test_matrices_that_are_drawn_together_get_what_each_gets_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    shapes = {"a": torch.Size((7, 11)), "b": torch.Size((33, 5)), "c": torch.Size((4, 4))}
    perturbations = Perturbations(LOW_RANK, NAMES, CPU)
    together = dict(perturbations.factors(shapes, UPDATE.seeds))
    monkeypatch.setattr("experts.perturbations._DRAWN", 300)
    apart = {}
    for name, shape in shapes.items():
        apart |= dict(perturbations.factors({name: shape}, UPDATE.seeds))
    for found in (dict(perturbations.factors(shapes, UPDATE.seeds)), apart):
        assert all(torch.equal(a, b) for name in shapes for a, b in zip(found[name], together[name], strict=True))


def test_a_dense_sum_has_no_rounding_at_all() -> None:
    update = Update((1, 2, 3), (0.1, 1e-5, -0.07))
    weight = torch.zeros(64)
    Perturbations(DENSE, NAMES, CPU).update({"a": weight}, {}, update)
    noise = NormalNoise(CPU).draw(update.seeds, 0, 64)
    coefficients = round_coefficients(update.coefficients, 53 - 15 - 2)
    for number, column in zip(weight.tolist(), noise.T.tolist(), strict=True):
        exact = sum(Fraction(c) * Fraction(n) for c, n in zip(coefficients, column, strict=True))
        assert number == torch.tensor(float(exact), dtype=torch.float64).float().item()


def test_decay_takes_back_a_share_of_the_way_from_the_start() -> None:
    start, weight = weights(5, 9), weights(5, 9) + 1
    decay = Update(UPDATE.seeds, UPDATE.coefficients, keep=0.75)
    plain, decayed = weight.clone(), weight.clone()
    perturbations = Perturbations(DENSE, NAMES, CPU)
    perturbations.update({"a": plain}, {}, UPDATE)
    perturbations.update({"a": decayed}, {"a": start}, decay)
    torch.testing.assert_close(plain - decayed, 0.25 * (weight - start), rtol=0, atol=1e-6)


def test_a_member_is_made_from_a_copy_and_the_weights_keep_every_bit() -> None:
    perturbations, weight = Perturbations(DENSE, NAMES, CPU), weights(9, 5)
    before = weight.clone()
    for cycle in range(1000):
        member = perturbations.perturb("a", weight, seed=cycle, scale=0.01)
    assert torch.equal(weight, before)
    torch.testing.assert_close(member, before + 0.01 * dense_noise(999, 0, weight), rtol=0, atol=1e-7)


def test_mirrored_members_lie_on_both_sides() -> None:
    perturbations, weight = Perturbations(DENSE, NAMES, CPU), torch.zeros(12)
    assert torch.equal(perturbations.perturb("a", weight, 3, 0.5), -perturbations.perturb("a", weight, 3, -0.5))


def test_reference_gives_tensors_of_one_shape_the_same_noise() -> None:
    perturbations = Perturbations(Perturbation(Mode.FULL, 0, (), correlated=True), NAMES, CPU)
    one, other = (perturbations.perturb(name, torch.zeros(40), 3, 1.0) for name in ("a", "c"))
    assert torch.equal(one, other)


def test_coefficients_are_rounded_relative_to_the_largest() -> None:
    found = round_coefficients([1.0, -1 / 3, 1e-9, 0.0], 10)
    assert found == pytest.approx([1.0, -1 / 3, 0.0, 0.0], abs=2**-10)
    assert found[2] == 0.0
    assert round_coefficients([0.0, 0.0], 10) == [0.0, 0.0]


def test_more_noises_than_can_be_summed_exactly_are_refused() -> None:
    many = Update(tuple(range(40_000)), (1.0,) * 40_000)
    with pytest.raises(InputError, match="population"):
        Perturbations(LOW_RANK, NAMES, CPU).update({"a": torch.zeros(2, 2)}, {}, many)
