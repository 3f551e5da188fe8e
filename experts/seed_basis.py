"""The basis of recipes of seeds: θ_0, which of its tensors are perturbed, and how (docs/algorithms.md §3)."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import torch

from experts.adapters import Factors, module_shapes
from experts.base_models import BaseModel
from experts.basis import Basis, FullBasis, load_basis
from experts.export import recipe_factors
from experts.files import read_json
from experts.noise import NormalNoise
from experts.snapshots import Snapshots
from experts.tensors import COMBINABLE, stream, weight_shapes
from swarm.canonical import content_hash
from swarm.errors import InputError
from swarm.recipes import BASE, Recipe
from swarm.seeds import Mode, Perturbation

DOWN, UP = ".lora_A", ".lora_B"
"""The suffixes of the names of an adapted module's factors A [r, in] and B [out, r]."""

_FRESH_SEED = 0
_TIED = "lm_head.weight"


@dataclass(frozen=True)
class SeedBasis:
    """The tensors θ of an evolution strategies search.

    Attributes:
        base: the base model.
        perturbation: which of its tensors are perturbed, and how.
        experts: what a start may name besides the base model; None if it names nothing else.
        snapshots: of the search that it belongs to; None if there is no place for any.

    """

    base: BaseModel
    perturbation: Perturbation
    experts: Basis | None = None
    snapshots: Snapshots | None = None

    def __post_init__(self) -> None:
        assert self.tensor_names  # a target that the base model lacks is refused here

    @property
    def ids(self) -> tuple[str, ...]:
        """The content hashes of the experts that a start may name."""
        return () if self.experts is None else self.experts.ids

    @property
    def names(self) -> tuple[str, ...]:
        """Their names, for people."""
        return () if self.experts is None else self.experts.names

    @cached_property
    def modules(self) -> tuple[str, ...]:
        """The Linear modules that members' adapters are added to, sorted; none in `Mode.FULL`.

        Raises:
            InputError: the base model has no module of a target's name.

        """
        if self.perturbation.mode is Mode.FULL:
            return ()
        if self.perturbation.mode is Mode.ADAPTER and self.experts is not None:
            return tuple(sorted(self.experts.modules))
        modules = [m for m in module_shapes(self.base) if m.rsplit(".", 1)[-1] in self.perturbation.targets]
        missing = set(self.perturbation.targets) - {module.rsplit(".", 1)[-1] for module in modules}
        if missing:
            known_suffixes = sorted({module.rsplit(".", 1)[-1] for module in module_shapes(self.base)})
            raise InputError(
                f"targets: base model {self.base.name!r} has no module {min(missing)!r}: "
                f"choose from {', '.join(known_suffixes)}"
            )
        return tuple(sorted(modules))

    @cached_property
    def tensor_names(self) -> tuple[str, ...]:
        """The names of the tensors of θ, sorted; the index of a tensor among them decides its noise."""
        match self.perturbation.mode:
            case Mode.FULL:
                names = set(weight_shapes(self.base.folder))
                return tuple(sorted(names - {_TIED} if _ties_head(self.base) else names))
            case Mode.ADAPTER:
                return tuple(sorted(module + factor for module in self.modules for factor in (DOWN, UP)))
            case Mode.LOW_RANK:
                return tuple(f"{module}.weight" for module in self.modules)

    def search_id(self, start: Recipe) -> str:
        """Return the id of the searches from `start`: equal ones make the same weights of the same journal."""
        return content_hash([self.base.sha256, start.to_json(), self.perturbation.to_json()])

    def start(self, recipe: Recipe, names: Collection[str] | None = None) -> Iterator[tuple[str, torch.Tensor]]:
        """Yield (name, tensor) of θ_0 for `names` (all `tensor_names` if None), float32 on the CPU, sorted.

        Raises:
            InputError: `recipe` names an expert that is not loaded, or a tensor is of a format that can't be moved.

        """
        wanted_names = frozenset(self.tensor_names if names is None else names)
        factors = self._factors(recipe)
        if self.perturbation.mode is Mode.ADAPTER:
            adapter = factors or self._fresh_factors()
            tensors = {m + name: f for m, pair in adapter.items() for name, f in zip((DOWN, UP), pair, strict=True)}
            yield from ((name, tensors[name].contiguous()) for name in sorted(wanted_names))
            return
        for name, tensor in stream(self.base.folder, wanted_names):
            if tensor.dtype not in COMBINABLE:
                kind = str(tensor.dtype).removeprefix("torch.")
                raise InputError(
                    f"base model {self.base.name!r}: tensor {name} is {kind}: use one that is not quantised"
                )
            yield name, _add_factors(tensor.float(), factors.get(name.removesuffix(".weight"))).contiguous()

    def _factors(self, recipe: Recipe) -> dict[str, Factors]:
        if recipe.bases == (BASE,):
            return {}
        if self.experts is None:
            raise InputError(
                f"a recipe starts from expert {recipe.bases[0][:12]}…, but none is loaded: give the same one"
            )
        return recipe_factors(self.experts, recipe)

    def _fresh_factors(self) -> dict[str, Factors]:
        """Return an adapter that changes nothing: A ~ N(0, 1/in), B = 0."""
        noise, rank = NormalNoise(torch.device("cpu")), self.perturbation.rank
        shapes = module_shapes(self.base)
        factors: dict[str, Factors] = {}
        for index, module in enumerate(self.modules):
            out_features, in_features = shapes[module]
            noise_numbers = noise.draw([_FRESH_SEED], index, rank * in_features).view(rank, in_features)
            factors[module] = (noise_numbers / in_features**0.5, torch.zeros(out_features, rank))
        return factors


def seed_basis(
    base: BaseModel, perturbation: Perturbation, start: Path | None, snapshots: Snapshots | None = None
) -> SeedBasis:
    """Return the tensors of a search from the LoRA expert in the folder `start`, or from `base` itself.

    Raises:
        InputError: the expert can't be read or is a full model, or the base model lacks a target.

    """
    experts = None if start is None else load_basis([start], base)
    if isinstance(experts, FullBasis):
        raise InputError(f"start: {start} is a full model: name it as base_model instead")
    return SeedBasis(base, perturbation, experts, snapshots)


def _add_factors(weight: torch.Tensor, factors: Factors | None) -> torch.Tensor:
    """Return float32 W + B A: term by term in float64, so that every machine has the same bits."""
    if factors is None:
        return weight
    total = weight.double()
    for row, column in zip(factors[0].double(), factors[1].double().T, strict=True):
        total += column.unsqueeze(1) * row
    return total.float()


def _ties_head(base: BaseModel) -> bool:
    config = read_json(base.folder / "config.json", allow_infinity=True)
    return bool(config.get("tie_word_embeddings", False))
