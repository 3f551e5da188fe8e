"""Write θ_t of an evolution strategies search: as an adapter if it is one, else as a whole model."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from math import sqrt
from pathlib import Path

import torch
from safetensors.torch import save_file

from experts.evolved import EvolvedTensor, replay
from experts.export import COPIED, write_adapter
from experts.files import publish_folder, read_json
from experts.seed_basis import DOWN, UP, SeedBasis
from experts.tensors import open_tensors, weight_files
from experts.weights_hash import tensor_sha256, weights_sha256
from swarm.recipes import Recipe
from swarm.seeds import Mode, SeedRecipe


@dataclass(frozen=True)
class ExportResult:
    """The result of an export.

    Attributes:
        sha256: the hash of the weights (`experts.weights_hash`): that of every engine at the same journal.
        drift: ‖θ − θ_0‖ / ‖θ_0‖ over the tensors that the search moves.

    """

    sha256: str
    drift: float


@dataclass
class _WeightSummary:
    """Collects hashes and the distance from the start while tensors are written to a file."""

    hashes: dict[str, str] = field(default_factory=dict)
    squared_move: float = 0.0
    start: float = 0.0

    def pass_through(self, tensors: Iterator[EvolvedTensor]) -> Iterator[tuple[str, torch.Tensor]]:
        for name, start, weight in tensors:
            self.hashes[name] = tensor_sha256(weight)
            self.squared_move += float((weight.double() - start.double()).square().sum())
            self.start += float(start.double().square().sum())
            yield name, weight

    @property
    def result(self) -> ExportResult:
        drift = sqrt(self.squared_move / self.start) if self.start else 0.0
        return ExportResult(weights_sha256(self.hashes.items()), drift)


def export_evolved(basis: SeedBasis, recipe: Recipe, folder: Path) -> ExportResult:
    """Write the mean that `recipe` names, with exactly the weights that engines evaluated.

    In `Mode.ADAPTER` a PEFT folder is written, else a whole model whose moved tensors are float32: a search of low-rank
    noise ends in an update of full rank.

    Raises:
        ValueError: `recipe` is not the mean of a search.
        InputError: the folder can't be written.

    """
    if not isinstance(recipe, SeedRecipe) or recipe.seed is not None:
        raise ValueError("only the mean of a search of seeds is exported")
    summary = _WeightSummary()
    if basis.perturbation.mode is Mode.ADAPTER:
        tensors = dict(summary.pass_through(replay(basis, recipe.start, recipe.journal)))
        factors = {module: (tensors[module + DOWN], tensors[module + UP]) for module in basis.modules}
        write_adapter(factors, recipe, folder, basis.base)
    else:
        _write_model(basis, recipe, folder, summary)
    return summary.result


def _write_model(basis: SeedBasis, recipe: SeedRecipe, folder: Path, summary: _WeightSummary) -> None:
    """Write a whole model; one of the base model's files at a time is in memory."""
    with publish_folder(folder) as temporary:
        for file in weight_files(basis.base.folder):
            with open_tensors(file) as source:
                tensors: dict[str, torch.Tensor] = {name: source.get_tensor(name) for name in sorted(source.keys())}
            moved_names = tensors.keys() & set(basis.tensor_names)
            tensors |= dict(summary.pass_through(replay(basis, recipe.start, recipe.journal, moved_names)))
            save_file(tensors, temporary / file.name, metadata={"format": "pt"})
        for path in sorted(basis.base.folder.iterdir()):
            if path.suffix in COPIED:
                shutil.copyfile(path, temporary / path.name)
        _declare_float32(temporary / "config.json")
        _write_json(temporary / "provenance.json", {"base_sha256": basis.base.sha256, "recipe": recipe.to_json()})


def _declare_float32(path: Path) -> None:
    config = read_json(path, allow_infinity=True)
    _write_json(path, {**{name: v for name, v in config.items() if name != "torch_dtype"}, "dtype": "float32"})


def _write_json(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")
