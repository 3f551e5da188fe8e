"""`swarm export`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.console import AsJson, err, out, print_json
from swarm.errors import InputError

if TYPE_CHECKING:
    from cli.run_best import RunBest


def export(
    name: Annotated[str, typer.Argument(metavar="RUN", help="The run's name (`swarm status` lists them).")],
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A new or empty folder.")],
    iteration: Annotated[
        int | None,
        typer.Option("--iteration", "-i", metavar="N", help="Of evolution strategies: the mean of this iteration."),
    ] = None,
    merged: Annotated[
        bool, typer.Option("--merged", help="Write a whole model, the adapter merged into its base.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Export a run's global best as a PEFT adapter or a whole model, with a model card that says where it is from.

    The best of a run over full models is a whole model always; that of Heterogeneous Swarms is a system's folder.
    """
    from cli.evolution_export import export_mean
    from cli.run_best import load_run_best
    from cli.run_records import open_records
    from cli.system_export import export_system
    from infra.settings import Settings

    _require_empty(folder)
    settings = Settings()
    with open_records(settings) as records:
        if records.run(name).algorithm == "evolution-strategies":
            print_export(export_mean(records, settings, name, iteration, folder), as_json)
            return
        if iteration is not None:
            raise InputError(f"--iteration {iteration}: run {name!r} has a best of all iterations: leave it out")
        if records.run(name).algorithm == "heterogeneous-swarms":
            if merged:
                raise InputError(f"--merged: run {name!r} found a system, which has several models: leave it out")
            print_export(export_system(records, settings, name, folder), as_json)
            return
        best = load_run_best(records, settings, name)
    result = _write(best, folder, merged)
    if not result["finished"]:
        err.print(f"run {name} is not finished: this is its best of iteration {best.iteration}, not tested")
    print_export(result, as_json)


def print_export(result: dict[str, Any], as_json: bool) -> None:
    """Say what was written, and where."""
    if as_json:
        print_json(result)
    else:
        card = Path(result["folder"]) / "README.md"
        out.print(f"{result['kind']}: {result['folder']}", soft_wrap=True, markup=False)
        if card.is_file():
            out.print(f"model card: {card}", soft_wrap=True, markup=False)


def _require_empty(folder: Path) -> None:
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder}: is a file: name a new folder")
    if folder.is_dir() and any(folder.iterdir()):
        raise InputError(f"{folder}: is not empty: name a new folder or empty it")


def _write(best: "RunBest", folder: Path, merged: bool) -> dict[str, Any]:
    """Write weights and model card; both appear at once."""
    from cli.model_card import model_card
    from experts.basis import Basis
    from experts.export import export_adapter, export_merged
    from experts.files import publish_folder

    adapter = isinstance(best.basis, Basis) and not merged
    target = folder.absolute()
    with publish_folder(target) as temporary:
        if isinstance(best.basis, Basis) and not merged:
            sha256 = export_adapter(best.basis, best.recipe, temporary, best.base)
        else:
            sha256 = export_merged(best.basis, best.recipe, temporary, best.base)
        card = model_card(best, temporary, sha256, target.name)
        (temporary / "README.md").write_text(card, encoding="utf-8")
    return {
        "run": best.run.name,
        "folder": str(folder),
        "kind": "adapter" if adapter else "merged model",
        "sha256": sha256,
        "recipe": best.recipe.to_json(),
        "names": list(best.names),
        "dev": best.best.utility,
        "finished": best.run.summary is not None,
    }
