"""A basis: the initial experts of a search, stacked so that a population is one matrix product away.

Experts of smaller rank are zero-padded and modules that an expert lacks are zero-filled (docs/algorithms.md §0).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from experts.adapter_config import CONFIG
from experts.adapters import Adapter, Factors, read_adapters
from experts.base_models import BaseModel
from experts.full_models import FullModel, read_full_model
from swarm.errors import InputError


@dataclass(frozen=True)
class Basis:
    """n LoRA experts of one base model.

    Attributes:
        ids: their content hashes.
        names: their names, for people.
        ranks: their own ranks; beyond its rank an expert's factors are zero.
        modules: A [n, r, in] and B [n, out, r] of each module, float32, r the largest rank. In memory B's last two
            axes are swapped, so that both factors of all experts are also one [n·r, …] matrix each without a copy.

    """

    ids: tuple[str, ...]
    names: tuple[str, ...]
    ranks: tuple[int, ...]
    modules: Mapping[str, Factors]

    @property
    def rank(self) -> int:
        """The largest rank among the experts."""
        return max(self.ranks)

    def to(self, device: torch.device) -> "Basis":
        """Return this basis on `device`."""
        modules = {module: (down.to(device), up.to(device)) for module, (down, up) in self.modules.items()}
        return Basis(self.ids, self.names, self.ranks, modules)


@dataclass(frozen=True)
class FullBasis:
    """n full-model experts of one base model; their tensors stay on disk.

    Attributes:
        ids: their content hashes.
        names: their names, for people.
        folders: where their safetensors are.
        base: the base model, a basis itself where a recipe names it.

    """

    ids: tuple[str, ...]
    names: tuple[str, ...]
    folders: tuple[Path, ...]
    base: BaseModel


def load_basis(folders: Sequence[Path], base: BaseModel) -> Basis | FullBasis:
    """Read the experts in `folders`, in their order: LoRA adapters, or full models, decided by what lies there.

    Raises:
        InputError: an expert can't be read or is of another base model, or adapters and full models are mixed.

    """
    if not folders:
        raise InputError("there are no experts: name at least one folder")
    full = [folder for folder in folders if _is_full_model(folder)]
    if not full:
        return stack_adapters(read_adapters(list(folders), base))
    if len(full) < len(folders):
        adapter = next(folder for folder in folders if folder not in full)
        raise InputError(f"expert {full[0].name!r} is a full model but {adapter.name!r} is not: give only one kind")
    models: list[FullModel] = [read_full_model(folder, base) for folder in folders]
    return FullBasis(tuple(m.id for m in models), tuple(m.name for m in models), tuple(folders), base)


def stack_adapters(adapters: Sequence[Adapter]) -> Basis:
    """Stack `adapters` (n ≥ 1) into a basis."""
    rank = max(adapter.rank for adapter in adapters)
    names = sorted({module for adapter in adapters for module in adapter.modules})
    return Basis(
        ids=tuple(adapter.id for adapter in adapters),
        names=tuple(adapter.name for adapter in adapters),
        ranks=tuple(adapter.rank for adapter in adapters),
        modules={module: _stack(module, adapters, rank) for module in names},
    )


def _stack(module: str, adapters: Sequence[Adapter], rank: int) -> Factors:
    down, up = next(adapter.modules[module] for adapter in adapters if module in adapter.modules)
    downs = torch.zeros(len(adapters), rank, down.shape[1])
    ups = torch.zeros(len(adapters), rank, up.shape[0])
    for index, adapter in enumerate(adapters):
        if module in adapter.modules:
            down, up = adapter.modules[module]
            downs[index, : down.shape[0]] = down
            ups[index, : up.shape[1]] = up.T
    return downs, ups.transpose(1, 2)


def _is_full_model(folder: Path) -> bool:
    return folder.is_dir() and not (folder / CONFIG).exists() and (folder / "config.json").is_file()
