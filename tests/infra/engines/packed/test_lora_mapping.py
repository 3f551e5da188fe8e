import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from infra.engines.packed.lora_mapping import LoraMapping

CPU = torch.device("cpu")


@given(st.lists(st.integers(0, 4), min_size=1, max_size=40))
def test_join_undoes_split_and_every_token_is_with_its_particle(owners: list[int]) -> None:
    mapping = LoraMapping.of(np.array(owners, dtype=np.intp), 5, CPU)
    flat = torch.stack([torch.arange(len(owners)), torch.tensor(owners)], dim=1)
    split = mapping.split(flat)
    assert split.shape == (5, mapping.width, 2)
    assert torch.equal(mapping.join(split), flat)
    for particle in set(owners):
        of_particle = flat[flat[:, 1] == particle, 0].tolist()
        assert split[particle, : len(of_particle), 0].tolist() == of_particle


@pytest.mark.parametrize("owners", [[0, 0, 1, 1, 2, 2], [0, 1, 2]])
def test_particles_one_after_another_are_not_copied(owners: list[int]) -> None:
    flat = torch.zeros(len(owners), 4)
    assert LoraMapping.of(np.array(owners, dtype=np.intp), 3, CPU).split(flat).data_ptr() == flat.data_ptr()
