"""The noise: published bits, the normal distribution, and no dependence on order, chunks or neighbours."""

import hashlib
import struct
from statistics import NormalDist

import pytest
import torch

from experts.noise import MAGNITUDE_BITS, STEP_BITS, NormalNoise, _quantiles, threefry

CPU = torch.device("cpu")
MANY = 1 << 18


def word(value: int) -> torch.Tensor:
    return torch.tensor([value - (1 << 32) if value >> 31 else value], dtype=torch.int32)


@pytest.mark.parametrize(
    ("counter", "key", "wanted"),
    [
        ((0, 0), (0, 0), (0x6B200159, 0x99BA4EFE)),
        ((0xFFFFFFFF,) * 2, (0xFFFFFFFF,) * 2, (0x1CB996FC, 0xBB002BE7)),
        ((0x243F6A88, 0x85A308D3), (0x13198A2E, 0x03707344), (0xC4923A9C, 0x483DF7A0)),
    ],
)
def test_threefry_gives_the_known_answers_of_random123(
    counter: tuple[int, int], key: tuple[int, int], wanted: tuple[int, int]
) -> None:
    found = threefry((word(key[0]), word(key[1])), (word(counter[0]), word(counter[1])))
    assert tuple(int(one) & 0xFFFFFFFF for one in found) == wanted


def test_the_table_of_quantiles_is_the_same_on_every_machine() -> None:
    table = _quantiles()
    assert len(table) == 1 << 16
    assert list(table) == sorted(table)
    assert [-one for one in reversed(table)] == list(table)
    assert all((one * (1 << STEP_BITS)).is_integer() for one in table)
    assert max(table) * (1 << STEP_BITS) < 1 << MAGNITUDE_BITS
    packed = struct.pack(f"<{len(table)}d", *(one + 0.0 for one in table))
    assert hashlib.sha256(packed).hexdigest() == "d9f7004f054dedb79457804f1792ee16d6827c168613576b596649b89e88d3a9"


def test_any_part_of_a_tensor_is_the_same_however_it_is_drawn() -> None:
    noise = NormalNoise(CPU)
    whole = noise.draw([11, 22], 5, 1000)
    assert torch.equal(noise.draw([22, 11], 5, 1000), whole.flip(0))
    for first, count in ((0, 1), (1, 3), (3, 500), (997, 3)):
        assert torch.equal(noise.draw([11, 22], 5, count, first), whole[:, first : first + count])


def test_long_draws_are_made_of_blocks_that_join(monkeypatch: pytest.MonkeyPatch) -> None:
    noise = NormalNoise(CPU)
    whole = noise.draw([3, 4, 5], 1, 5000)
    monkeypatch.setattr("experts.noise._LANES", {"cpu": 64})
    assert torch.equal(noise.draw([3, 4, 5], 1, 5000), whole)


def test_the_first_numbers_never_change() -> None:
    found = NormalNoise(CPU).draw([0, 2**63 - 1], 1, 4)
    assert (found * (1 << STEP_BITS)).long().tolist() == [[1456, 2342, 853, -2099], [681, -2031, 1205, -4234]]


def test_numbers_are_normal() -> None:
    numbers = NormalNoise(CPU).draw([123], 7, MANY)[0].double()
    assert abs(float(numbers.mean())) < 4 / MANY**0.5
    assert float(numbers.var()) == pytest.approx(1, abs=0.015)
    assert float((numbers**3).mean()) == pytest.approx(0, abs=0.03)
    assert float((numbers**4).mean()) == pytest.approx(3, abs=0.08)
    # Kolmogorov–Smirnov: the largest distance of the distribution functions, at the level of 1 in 1000.
    ordered = numbers.sort().values
    wanted = torch.tensor([NormalDist().cdf(value) for value in ordered[::64].tolist()])
    found = torch.arange(0, MANY, 64) / MANY
    assert float((wanted - found).abs().max()) < 1.95 / MANY**0.5


def correlation(one: torch.Tensor, other: torch.Tensor) -> float:
    return float(torch.corrcoef(torch.stack([one.double(), other.double()]))[0, 1])


def test_neither_tensors_nor_seeds_nor_neighbours_are_correlated() -> None:
    noise = NormalNoise(CPU)
    first, second = noise.draw([1, 2], 0, MANY)
    third = noise.draw([1], 1, MANY)[0]
    assert abs(correlation(first, second)) < 0.01, "seeds that follow each other"
    assert abs(correlation(first, third)) < 0.01, "tensors of one shape"
    for distance in (1, 2, 4, 64):
        assert abs(correlation(first[distance:], first[:-distance])) < 0.01


def test_under_reference_tensors_of_one_shape_get_the_same_noise() -> None:
    noise = NormalNoise(CPU, correlated=True)
    assert correlation(noise.draw([9], 0, 4096)[0], noise.draw([9], 3, 4096)[0]) == pytest.approx(1)
