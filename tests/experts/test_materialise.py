import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from experts.adapters import Adapter
from experts.basis import Basis, stack_adapters
from experts.export import recipe_factors
from experts.materialise import coefficients, materialise, product_scales, shared_factors
from swarm.errors import InputError
from swarm.recipes import BASE, Recipe, Space

SHAPES = {"q": (6, 5), "v": (3, 5), "down": (5, 7)}


def make_basis(seed: int, ranks: list[int], targets: list[set[str]]) -> tuple[Basis, list[Adapter]]:
    generator = torch.Generator().manual_seed(seed)
    adapters = []
    for index, (rank, chosen) in enumerate(zip(ranks, targets, strict=True)):
        modules = {
            name: (torch.randn(rank, i, generator=generator), torch.randn(o, rank, generator=generator))
            for name, (o, i) in SHAPES.items()
            if name in chosen
        }
        adapters.append(Adapter(f"e{index}", f"{index:064d}", rank, modules))
    return stack_adapters(adapters), adapters


@st.composite
def populations(draw: st.DrawFn) -> tuple[Basis, list[Adapter], list[list[float]]]:
    size = draw(st.integers(1, 4))
    ranks = draw(st.lists(st.integers(1, 5), min_size=size, max_size=size))
    names = st.sets(st.sampled_from(sorted(SHAPES)), min_size=1)
    targets = draw(st.lists(names, min_size=size, max_size=size))
    numbers = st.floats(-3, 3, allow_nan=False)
    rows = draw(st.lists(st.lists(numbers, min_size=size + 1, max_size=size + 1), min_size=1, max_size=5))
    return *make_basis(draw(st.integers(0, 99)), ranks, targets), rows


def recipes(basis: Basis, rows: list[list[float]], space: Space) -> list[Recipe]:
    return [Recipe((*basis.ids, BASE), tuple(row), space) for row in rows]


def factor(adapters: list[Adapter], row: list[float], module: str, which: int) -> np.ndarray:
    """Σ c_j A_j (or B_j) in float64, each factor zero-padded to the largest rank."""
    rank = max(adapter.rank for adapter in adapters)
    out, into = SHAPES[module]
    total = np.zeros((rank, into) if which == 0 else (out, rank))
    for coefficient, adapter in zip(row, adapters, strict=False):
        if module in adapter.modules:
            tensor = adapter.modules[module][which].double().numpy()
            total[: tensor.shape[0], : tensor.shape[1]] += coefficient * tensor
    return total


def update(adapters: list[Adapter], row: list[float], module: str) -> np.ndarray:
    """Σ c_j B_j A_j in float64."""
    total = np.zeros(SHAPES[module])
    for coefficient, adapter in zip(row, adapters, strict=False):
        if module in adapter.modules:
            down, up = (tensor.double().numpy() for tensor in adapter.modules[module])
            total += coefficient * up @ down
    return total


@settings(max_examples=60)
@given(populations())
def test_factors_are_the_sums_of_the_factors(case: tuple[Basis, list[Adapter], list[list[float]]]) -> None:
    basis, adapters, rows = case
    seen = set()
    for module, downs, ups in materialise(basis, recipes(basis, rows, Space.FACTORS)):
        seen.add(module)
        for index, row in enumerate(rows):
            np.testing.assert_allclose(downs[index].numpy(), factor(adapters, row, module, 0), rtol=1e-5, atol=1e-5)
            np.testing.assert_allclose(ups[index].numpy(), factor(adapters, row, module, 1), rtol=1e-5, atol=1e-5)
    assert seen == {module for adapter in adapters for module in adapter.modules}


@settings(max_examples=60)
@given(populations())
def test_shared_factors_and_scales_make_the_sum_of_the_updates(
    case: tuple[Basis, list[Adapter], list[list[float]]],
) -> None:
    basis, adapters, rows = case
    scales = product_scales(basis, recipes(basis, rows, Space.PRODUCT))
    for module, down, up in shared_factors(basis):
        for index, row in enumerate(rows):
            made = up @ torch.diag(scales[index]) @ down
            np.testing.assert_allclose(made.numpy(), update(adapters, row, module), rtol=1e-4, atol=1e-4)


@settings(max_examples=60)
@given(populations())
def test_a_product_recipe_is_one_adapter(case: tuple[Basis, list[Adapter], list[list[float]]]) -> None:
    basis, adapters, rows = case
    (recipe,) = recipes(basis, rows[:1], Space.PRODUCT)
    for module, (down, up) in recipe_factors(basis, recipe).items():
        made = up.double() @ down.double()
        np.testing.assert_allclose(made.numpy(), update(adapters, rows[0], module), rtol=1e-4, atol=1e-5)


def test_a_product_adapter_leaves_out_experts_of_coefficient_zero() -> None:
    basis, _ = make_basis(0, [2, 3, 4], [{"q"}, {"q"}, {"q"}])
    ranks = [
        recipe_factors(basis, Recipe(basis.ids, row, Space.PRODUCT))["q"][0].shape[0]
        for row in [(1.0, 1.0, 1.0), (0.5, 0.0, 0.5), (0.0, 0.0, 0.0)]
    ]
    assert ranks == [9, 6, 2]


def test_shared_factors_are_views_of_the_basis() -> None:
    basis, _ = make_basis(0, [2, 3], [{"q", "v"}, {"q"}])
    owned = {tensor.untyped_storage().data_ptr() for pair in basis.modules.values() for tensor in pair}
    shared = {tensor.untyped_storage().data_ptr() for _, *pair in shared_factors(basis) for tensor in pair}
    assert shared == owned


def test_a_population_reuses_one_pair_of_buffers() -> None:
    basis, _ = make_basis(0, [2, 3], [{"q", "v"}, {"q"}])
    population = recipes(basis, [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]], Space.FACTORS)
    storages = {tensor.untyped_storage().data_ptr() for _, *pair in materialise(basis, population) for tensor in pair}
    assert len(storages) == 2


def test_coefficients_are_placed_by_id_and_not_by_order() -> None:
    population = [Recipe(("b", BASE, "a"), (0.25, 9.0, 0.5), Space.FACTORS)]
    assert coefficients(("a", "b"), population).tolist() == [[0.5, 0.25]]
    assert coefficients(("a", "b", BASE), population).tolist() == [[0.5, 0.25, 9.0]]


def test_experts_of_equal_content_share_their_coefficients() -> None:
    population = [Recipe(("a", "a"), (0.25, 0.5), Space.FACTORS)]
    assert coefficients(("a", "a"), population).sum().item() == 0.75


def test_a_recipe_of_an_expert_that_is_not_loaded_is_refused() -> None:
    with pytest.raises(InputError) as caught:
        coefficients(("a",), [Recipe(("c" * 64,), (1.0,), Space.FACTORS)])
    assert str(caught.value) == (
        "a recipe names expert cccccccccccc…, which is not among those loaded: give the same experts"
    )


def test_a_population_of_two_spaces_is_refused() -> None:
    basis, _ = make_basis(0, [1], [{"q"}])
    population = [Recipe(basis.ids, (1.0,), space) for space in Space]
    with pytest.raises(ValueError, match="must share their bases and their space"):
        next(materialise(basis, population))
