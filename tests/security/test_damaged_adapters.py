"""Adapters whose bytes were changed: refused in one line, or read as an adapter; never another end."""

import random
import struct
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from experts.adapters import Adapter, read_adapter
from experts.base_models import BaseModel
from swarm.errors import InputError
from tests.tiny import make_expert

torch.set_num_threads(1)

Damage = Callable[[random.Random, bytearray], bytearray]


def truncated(draws: random.Random, content: bytearray) -> bytearray:
    return content[: draws.randrange(len(content))]


def one_bit_flipped(draws: random.Random, content: bytearray) -> bytearray:
    return _flip(draws, content, 1, 0, len(content))


def header_damaged(draws: random.Random, content: bytearray) -> bytearray:
    return _flip(draws, content, draws.randint(1, 4), 0, _data_begins(content))


def values_damaged(draws: random.Random, content: bytearray) -> bytearray:
    return _flip(draws, content, draws.randint(1, 8), _data_begins(content), len(content))


@pytest.mark.parametrize(
    ("damage", "possible"),
    [
        (truncated, {"refused"}),
        (one_bit_flipped, {"refused", "read"}),
        (header_damaged, {"refused", "read"}),
        (values_damaged, {"refused", "read"}),  # refused if a value became NaN or infinite
    ],
)
def test_damaged_weights_are_refused_or_read(
    base: BaseModel, tmp_path: Path, damage: Damage, possible: set[str]
) -> None:
    folder = make_expert(tmp_path / "expert", base.folder, seed=0)
    weights, draws = folder / "adapter_model.safetensors", random.Random(7)
    whole, undamaged = weights.read_bytes(), read_adapter(folder, base)
    ends = set()
    for _ in range(50):
        content = damage(draws, bytearray(whole))
        weights.write_bytes(content)
        ends.add(_read(folder, base, undamaged, same=content == whole))
    assert ends <= possible


@pytest.mark.parametrize("length", [0, 1, 2**31, 2**63, 2**64 - 1])
def test_a_header_that_lies_about_its_length_takes_no_memory(base: BaseModel, tmp_path: Path, length: int) -> None:
    folder = make_expert(tmp_path / "expert", base.folder, seed=0)
    weights = folder / "adapter_model.safetensors"
    weights.write_bytes(struct.pack("<Q", length) + weights.read_bytes()[8:])
    with pytest.raises(InputError, match="is truncated or corrupt"):
        read_adapter(folder, base)


def _read(folder: Path, base: BaseModel, undamaged: Adapter, same: bool) -> str:
    try:
        adapter = read_adapter(folder, base)
    except InputError as error:
        assert len(str(error).splitlines()) == 1
        return "refused"
    for down, up in adapter.modules.values():
        assert torch.isfinite(down).all()
        assert torch.isfinite(up).all()
        assert down.shape[0] == up.shape[1]
    assert adapter.id == undamaged.id or not same
    return "read"


def _flip(draws: random.Random, content: bytearray, count: int, begin: int, end: int) -> bytearray:
    for _ in range(count):
        content[draws.randrange(begin, end)] ^= 1 << draws.randrange(8)
    return content


def _data_begins(content: bytearray) -> int:
    return 8 + int(struct.unpack("<Q", content[:8])[0])
