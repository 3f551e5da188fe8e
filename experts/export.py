"""Write a recipe as a PEFT adapter or as a whole model that loads anywhere (docs/algorithms.md §0)."""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors.torch import save_file

from experts.adapter_config import CONFIG
from experts.adapters import PREFIX, WEIGHTS, Factors, module_shapes
from experts.base_models import BaseModel
from experts.basis import Basis, FullBasis
from experts.files import file_sha256, publish_folder
from experts.materialise import coefficients, materialise, materialise_full
from experts.tensors import open_tensors, weight_files
from swarm.canonical import content_hash
from swarm.errors import InputError
from swarm.recipes import Recipe, Space

COPIED = {".json", ".jinja", ".model", ".txt"}
"""The suffixes of the files beside the weights in a model's folder (configuration and tokenizer)."""


def recipe_factors(basis: Basis, recipe: Recipe) -> dict[str, Factors]:
    """Return A [r, in] and B [out, r] float32 of each module, so that `recipe` is the plain adapter ΔW = B A.

    In the space of products, where ΔW = Σ c_j B_j A_j, r is the sum of the ranks of the experts whose coefficient is
    not 0: A stacks their A_j, B has their c_j B_j side by side, which is exact.

    Raises:
        InputError: the recipe names an expert that is not in `basis`.

    """
    if recipe.space is Space.FACTORS:
        return {module: (down[0].clone(), up[0].clone()) for module, down, up in materialise(basis, [recipe])}
    weights = coefficients(basis.ids, [recipe])[0].float()
    experts = [expert for expert, weight in enumerate(weights) if weight != 0] or [0]
    return {
        module: (
            torch.cat([down[expert, : basis.ranks[expert]] for expert in experts]),
            torch.cat([weights[expert] * up[expert, :, : basis.ranks[expert]] for expert in experts], dim=1),
        )
        for module, (down, up) in basis.modules.items()
    }


def export_adapter(basis: Basis | FullBasis, recipe: Recipe, folder: Path, base: BaseModel) -> str:
    """Write `recipe` as a PEFT folder and return the SHA-256 of its weights; equal recipes give equal bytes.

    `PeftModel.from_pretrained(base, folder)` and vLLM load it: a plain LoRA of scaling 1 in float32.

    Raises:
        InputError: the basis is of full models, the recipe names an expert that is not in it, or the folder can't
            be written.

    """
    if isinstance(basis, FullBasis):
        raise InputError("full-model experts have no adapter: export the merged model")
    return write_adapter(recipe_factors(basis, recipe), recipe, folder, base)


def write_adapter(factors: Mapping[str, Factors], recipe: Recipe, folder: Path, base: BaseModel) -> str:
    """Write the adapter ΔW = B A of each module as `export_adapter` does; `recipe` is what they were made from."""
    tensors: dict[str, torch.Tensor] = {}
    for module, (down, up) in factors.items():
        tensors[f"{PREFIX}{module}.lora_A.weight"] = down.contiguous()
        tensors[f"{PREFIX}{module}.lora_B.weight"] = up.contiguous()
    rank = next(iter(factors.values()))[0].shape[0]
    with publish_folder(folder) as temporary:
        save_file(tensors, temporary / WEIGHTS, metadata={"format": "pt"})
        _write_json(temporary / CONFIG, _peft_config(base, rank, set(factors)))
        _write_json(temporary / "provenance.json", {"base_sha256": base.sha256, "recipe": recipe.to_json()})
        digest = file_sha256(temporary / WEIGHTS)
    return digest


def export_merged(basis: Basis | FullBasis, recipe: Recipe, folder: Path, base: BaseModel) -> str:
    """Write `recipe` as a whole model in the base model's number format and files; return a hash of its weights.

    The sums are made in float32 and rounded once. At most one of the base model's files is in memory.

    Raises:
        InputError: the recipe names an expert that is not in `basis`, or the folder can't be written.

    """
    updates = recipe_factors(basis, recipe) if isinstance(basis, Basis) else {}
    files = weight_files(base.folder)
    with publish_folder(folder) as temporary:
        if isinstance(basis, FullBasis):
            _write_full(basis, recipe, files, temporary)
        else:
            _write_merged(files, updates, temporary)
        for path in sorted(base.folder.iterdir()):
            if path.suffix in COPIED:
                shutil.copyfile(path, temporary / path.name)
        digest = content_hash({file.name: file_sha256(temporary / file.name) for file in files})
    return digest


def _write_merged(files: list[Path], updates: Mapping[str, Factors], folder: Path) -> None:
    for file in files:
        with open_tensors(file) as source:
            tensors = {name: source.get_tensor(name) for name in sorted(source.keys())}
        for module in sorted(updates.keys() & {name.removesuffix(".weight") for name in tensors}):
            down, up = updates[module]
            weight = tensors[f"{module}.weight"]
            tensors[f"{module}.weight"] = (weight.float() + up @ down).to(weight.dtype)
        save_file(tensors, folder / file.name, metadata={"format": "pt"})


def _write_full(basis: FullBasis, recipe: Recipe, files: list[Path], folder: Path) -> None:
    for file in files:
        with open_tensors(file) as source:
            dtypes = {name: source.get_tensor(name).dtype for name in source.keys()}  # noqa: SIM118
        tensors = {name: tensor.to(dtypes[name]) for name, tensor in materialise_full(basis, recipe, dtypes)}
        save_file(tensors, folder / file.name, metadata={"format": "pt"})


def _peft_config(base: BaseModel, rank: int, modules: set[str]) -> dict[str, object]:
    """Return PEFT's configuration: scaling lora_alpha / r = 1."""
    return {
        "peft_type": "LORA",
        "task_type": "CAUSAL_LM",
        "base_model_name_or_path": base.name,
        "r": rank,
        "lora_alpha": rank,
        "lora_dropout": 0.0,
        "bias": "none",
        "use_rslora": False,
        "use_dora": False,
        "fan_in_fan_out": False,
        "inference_mode": True,
        "target_modules": _targets(base, modules),
    }


def _targets(base: BaseModel, modules: set[str]) -> list[str]:
    """Return the last parts of the modules' names if these mean exactly `modules` in `base`, else whole names."""
    suffixes = {module.rsplit(".", 1)[-1] for module in modules}
    meant = {module for module in module_shapes(base) if module.rsplit(".", 1)[-1] in suffixes}
    return sorted(suffixes if meant == modules else modules)


def _write_json(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, indent=2, sort_keys=True) + "\n", encoding="utf-8")
