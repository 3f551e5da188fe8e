"""Finding experts in folders, and describing them without loading a tensor."""

from pathlib import Path
from typing import Any

from experts.adapter_config import CONFIG, read_lora_config
from experts.files import read_json
from flows.searches import load_run_config
from infra.configs.common import ExpertsConfig
from swarm.errors import InputError


def find_experts(paths: list[Path]) -> list[Path]:
    """Return the expert folders of `places`: adapters at or below a folder, and the experts of a run's config file.

    Raises:
        InputError: a place is missing, or a folder holds no adapter.

    """
    folders = [folder for path in paths for folder in _experts_of(path)]
    return list(dict.fromkeys(folders))


def describe_expert(folder: Path) -> dict[str, Any]:
    """Return what the files in `folder` say of an expert; `problem` is what keeps it from being used, or None."""
    description: dict[str, Any] = {
        "name": folder.name,
        "folder": str(folder),
        "kind": "adapter" if (folder / CONFIG).is_file() else "full model",
        "rank": None,
        "targets": None,
        "base": None,
        "bytes": sum(file.stat().st_size for file in folder.glob("*.safetensors")),
        "data": None,
        "final_loss": None,
        "problem": None,
    }
    try:
        return {**description, **_adapter(folder), **_provenance(folder)}
    except InputError as error:
        return {**description, "problem": str(error)}


def _experts_of(path: Path) -> list[Path]:
    if path.is_file():
        config = load_run_config(path)
        if not isinstance(config, ExpertsConfig):
            raise InputError(f"{path}: algorithm {config.algorithm} has no experts: name another file, or a folder")
        return list(config.experts)
    if not path.is_dir():
        raise InputError(f"{path}: there is no such folder or config file: check the path")
    # A folder whose name begins with a dot is the checkpoint of a training under way.
    folders = [config.parent for config in path.rglob(CONFIG)]
    visible = sorted(f for f in folders if not any(part.startswith(".") for part in f.relative_to(path).parts))
    if not visible:
        raise InputError(f"{path}: holds no adapter ({CONFIG}): name a folder with experts")
    return visible


def _adapter(folder: Path) -> dict[str, Any]:
    if not folder.is_dir():
        raise InputError(f"expert {folder.name!r}: there is no folder {folder}: correct the path")
    if not (folder / CONFIG).is_file():
        return {}
    config = read_lora_config(folder)
    fields = _read_json(folder / CONFIG)
    targets = fields.get("target_modules")
    return {
        "rank": max([config.r, *config.rank_pattern.values()]),
        "targets": sorted(map(str, targets)) if isinstance(targets, list) else targets,
        "base": fields.get("base_model_name_or_path"),
    }


def _provenance(folder: Path) -> dict[str, Any]:
    path = folder / "provenance.json"
    if not path.is_file():
        return {}
    provenance = _read_json(path)
    data, loss = provenance.get("data"), provenance.get("final_loss")
    return {"data": data if _are_sources(data) else None, "final_loss": loss if isinstance(loss, float) else None}


def _are_sources(data: object) -> bool:
    """Tell whether `data` is what `experts.training` writes; other programs have provenance files of their own."""
    return isinstance(data, list) and all(
        isinstance(source, dict) and isinstance(source.get("share"), int | float) and "name" in source
        for source in data
    )


def _read_json(path: Path) -> dict[str, Any]:
    try:
        value = read_json(path)
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: can't be read as JSON ({error}): copy the expert again") from error
    if not isinstance(value, dict):
        raise InputError(f"{path}: holds no JSON object: copy the expert again")
    return value
