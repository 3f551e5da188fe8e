"""`swarm experts train`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.terminal.console import out, print_json, table
from cli.terminal.options import AsJson
from swarm.errors import InputError

if TYPE_CHECKING:
    from experts.base_models import BaseModel
    from experts.training_config import Source
    from infra.configs.training import TrainingFile


def train(
    configs: Annotated[list[Path], typer.Argument(metavar="CONFIG...", help="Training files (YAML).")],
    as_json: AsJson = False,
) -> None:
    """Train experts, one after another; one that was killed goes on, one that is finished is left as it is."""
    from infra.configs.training import TrainingFile, in_training_order, training_sources
    from infra.configs.yaml_files import load_config

    files = {path: load_config(path, TrainingFile) for path in configs}
    sources = {path: training_sources(file) for path, file in files.items()}
    bases = _bases(files)
    for path, file in files.items():
        _check_targets(path, file, bases[file.base_model])
    order = in_training_order(files)
    results = {path: _train(files[path], bases[files[path].base_model], sources[path]) for path in order}
    if as_json:
        print_json([results[path] for path in files])
    else:
        rows = (
            (result["name"], result["steps"], result["final_loss"], result["folder"]) for result in results.values()
        )
        out.print(table(("expert", "steps", "final loss", "folder"), rows))


def _bases(files: "dict[Path, TrainingFile]") -> "dict[str, BaseModel]":
    from experts.base_models import resolve_base_model
    from infra.settings import Settings

    settings, names = Settings(), {file.base_model for file in files.values()}
    return {name: resolve_base_model(name, settings.cache, settings.verify_hashes) for name in names}


def _check_targets(path: Path, file: "TrainingFile", base: "BaseModel") -> None:
    """Refuse targets that the base lacks, before anything is trained."""
    from experts.adapters import module_shapes

    modules = {module.rpartition(".")[2] for module in module_shapes(base) if ".layers." in module}
    for target in file.training.targets:
        if target not in modules:
            names = ", ".join(sorted(modules))
            raise InputError(f"{path}: field 'training.targets': the base has no module {target!r}: choose of {names}")


def _train(file: "TrainingFile", base: "BaseModel", sources: "list[Source]") -> dict[str, Any]:
    from cli.terminal.progress import progress
    from cli.terminal.quiet import quiet_libraries
    from experts.training import train_expert

    with quiet_libraries(), progress(file.name) as report:
        provenance = train_expert(
            base,
            file.training,
            sources,
            file.folder,
            file.start,
            lambda done, total, loss: report(done, total, f"loss {loss:.4f}"),
        )
    return {
        "name": file.name,
        "folder": str(file.folder.resolve()),
        "steps": len(provenance["losses"]),
        "final_loss": provenance["final_loss"],
        "base": {"name": base.name, "sha256": base.sha256},
        "data": provenance["data"],
    }
