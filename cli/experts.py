"""`swarm experts list`, `swarm experts check`, `swarm experts train`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.console import AsJson, err, out, print_json, table
from swarm.errors import InputError

if TYPE_CHECKING:
    from experts.base_models import BaseModel
    from experts.training_config import Source
    from infra.configs.training import TrainingFile

app = typer.Typer(help="Look at, check and train experts.", no_args_is_help=True)


@app.command("list")
def list_experts(
    places: Annotated[list[Path], typer.Argument(metavar="FOLDER...|CONFIG", help="Folders, or a run's YAML file.")],
    as_json: AsJson = False,
) -> None:
    """List the adapters below folders, or the experts of a run's config."""
    from cli.expert_folders import describe_expert, find_experts

    found = [describe_expert(folder) for folder in find_experts(places)]
    if as_json:
        print_json(found)
        return
    columns = ("expert", "rank", "targets", "MB", "base model", "trained on", "final loss")
    out.print(table(columns, map(_row, found)))
    for expert in found:
        if expert["problem"] is not None:
            err.print(expert["problem"], soft_wrap=True, markup=False)


@app.command("check")
def check(
    folders: Annotated[list[Path], typer.Argument(metavar="FOLDER...", help="Folders of experts.")],
    base: Annotated[str, typer.Option("--base", metavar="NAME", help="The base model: a folder, a hub id, …")],
    as_json: AsJson = False,
) -> None:
    """Check that experts are whole and fit their base model; the first that does not ends with code 2."""
    from experts.base_models import resolve_base_model
    from infra.settings import Settings

    settings = Settings()
    model = resolve_base_model(base, settings.cache, settings.verify_hashes)
    checked = [_check(folder, model) for folder in folders]
    if as_json:
        print_json(checked)
        return
    columns = ("expert", "", "kind", "rank", "modules", "id")
    rows = [(c["name"], "ok", c["kind"], c["rank"], c["modules"], c["id"][:12]) for c in checked]
    out.print(table(columns, rows))


@app.command("train")
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
    trained = {path: _train(files[path], bases[files[path].base_model], sources[path]) for path in order}
    if as_json:
        print_json([trained[path] for path in files])
    else:
        rows = ((made["name"], made["steps"], made["final_loss"], made["folder"]) for made in trained.values())
        out.print(table(("expert", "steps", "final loss", "folder"), rows))


def _row(expert: dict[str, Any]) -> tuple[Any, ...]:
    targets = expert["targets"]
    data = expert["data"]
    return (
        expert["name"],
        expert["rank"] or expert["kind"],
        " ".join(targets) if isinstance(targets, list) else targets,
        f"{expert['bytes'] / 1e6:.1f}",
        expert["base"],
        _shares(data) if data else None,
        expert["final_loss"],
    )


def _shares(data: list[dict[str, Any]]) -> str:
    total = sum(source["share"] for source in data) or 1
    return ", ".join(f"{source['name']} {source['share'] / total:.0%}" for source in data)


def _check(folder: Path, base: "BaseModel") -> dict[str, Any]:
    from experts.basis import Basis, load_basis

    basis = load_basis([folder], base)
    adapter = isinstance(basis, Basis)
    return {
        "name": basis.names[0],
        "folder": str(folder),
        "id": basis.ids[0],
        "kind": "adapter" if adapter else "full model",
        "rank": basis.rank if isinstance(basis, Basis) else None,
        "modules": len(basis.modules) if isinstance(basis, Basis) else None,
    }


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
            known = ", ".join(sorted(modules))
            raise InputError(f"{path}: field 'training.targets': the base has no module {target!r}: choose of {known}")


def _train(file: "TrainingFile", base: "BaseModel", sources: "list[Source]") -> dict[str, Any]:
    from cli.progress import progress
    from cli.quiet import quiet_libraries
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
