from pathlib import Path

import pytest
import torch

from experts.base_models import BaseModel
from experts.basis import Basis, load_basis
from infra.engines.vllm import adapters as vllm_adapters
from infra.engines.vllm.adapters import (
    adapter_ids,
    base_weights,
    least_rank,
    merged_weights,
    population_adapters,
    updates,
)
from swarm.recipes import BASE, Recipe, Space
from tests.tiny import make_expert


@pytest.fixture
def basis(tmp_path: Path, base: BaseModel) -> Basis:
    one = make_expert(tmp_path / "one", base.folder, seed=1, rank=2, targets=("q_proj", "o_proj"))
    two = make_expert(tmp_path / "two", base.folder, seed=2, rank=3, targets=("q_proj", "v_proj"))
    basis = load_basis([one, two], base)
    assert isinstance(basis, Basis)
    return basis


def recipes(basis: Basis, space: Space, count: int) -> list[Recipe]:
    return [Recipe((*basis.ids, BASE), (0.5 + index, -0.25, 0.75), space) for index in range(count)]


def combined(basis: Basis, recipe: Recipe, module: str) -> torch.Tensor:
    """The update of the algorithm's definition, in float64."""
    down, up = (factor.double() for factor in basis.modules[module])
    weights = torch.tensor(recipe.coefficients[:2], dtype=torch.float64)
    if recipe.space is Space.PRODUCT:
        return torch.einsum("n,nor,nri->oi", weights, up, down)
    return torch.einsum("n,nor->or", weights, up) @ torch.einsum("n,nri->ri", weights, down)


@pytest.mark.parametrize("space", Space)
def test_an_update_is_what_the_recipe_says(basis: Basis, space: Space) -> None:
    recipe = recipes(basis, space, 1)[0]
    found = {module: (up @ down).double() for module, (down, up) in updates(basis, recipe)}
    assert found.keys() == basis.modules.keys()
    for module, update in found.items():
        torch.testing.assert_close(update, combined(basis, recipe, module), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("space", Space)
def test_adapters_are_the_updates_of_each_particle(basis: Basis, space: Space) -> None:
    population = recipes(basis, space, 3)
    for recipe, adapter in zip(population, population_adapters(basis, population), strict=True):
        assert adapter.keys() == basis.modules.keys()
        for module, (down, up) in adapter.items():
            wanted = combined(basis, recipe, module)
            torch.testing.assert_close((up @ down).double(), wanted, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("space", Space)
def test_what_is_done_to_an_adapter_changes_no_other(basis: Basis, space: Space) -> None:
    population = recipes(basis, space, 2)
    first, second = population_adapters(basis, population)
    kept = {module: up.clone() for module, (_, up) in second.items()}
    for _, up in first.values():
        up.zero_()
    for down, _ in population_adapters(basis, population)[0].values():
        down.zero_()
    again = population_adapters(basis, population)[1]
    assert all(torch.equal(kept[module], second[module][1]) for module in kept)
    assert all(torch.equal(kept[module], again[module][1]) and again[module][0].any() for module in kept)


@pytest.mark.parametrize("space", Space)
def test_merged_weights_are_the_base_and_the_update(basis: Basis, base: BaseModel, space: Space) -> None:
    recipe = recipes(basis, space, 1)[0]
    weights = base_weights(basis.modules, base.folder)
    merged = dict(merged_weights(basis, recipe, weights))
    assert merged.keys() == {f"{module}.weight" for module in basis.modules}
    for module in basis.modules:
        wanted = weights[module].double() + combined(basis, recipe, module)
        torch.testing.assert_close(merged[f"{module}.weight"].double(), wanted, rtol=1e-5, atol=1e-6)


def test_ids_are_positive_and_of_content_alone(basis: Basis) -> None:
    population = recipes(basis, Space.FACTORS, 20)
    ids = adapter_ids(population)
    assert len(set(ids.values())) == 20
    assert all(1 <= number < 2**31 for number in ids.values())
    assert adapter_ids(population[::-1]) == ids
    assert adapter_ids([population[3], population[3]]) == {population[3].key: ids[population[3].key]}
    assert not set(ids.values()) & set(adapter_ids(recipes(basis, Space.PRODUCT, 20)).values())


def test_ids_that_collide_are_moved_apart(basis: Basis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vllm_adapters, "_IDS", 5)
    ids = adapter_ids(recipes(basis, Space.FACTORS, 5))
    assert sorted(ids.values()) == [1, 2, 3, 4, 5]


@pytest.mark.parametrize(("rank", "room"), [(1, 1), (2, 8), (8, 8), (9, 16), (257, 320), (512, 512), (513, None)])
def test_ranks_are_rounded_up_to_what_the_kernels_have(rank: int, room: int | None) -> None:
    assert least_rank(rank) == room
