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
    merged: Annotated[
        bool, typer.Option("--merged", help="Write a whole model, the adapter merged into its base.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Export a run's global best as a PEFT adapter or a whole model, with a model card that says where it is from.

    The best of a run over full models is a whole model always.
    """
    from cli.run_best import load_run_best
    from cli.run_records import open_records
    from infra.settings import Settings

    _require_empty(folder)
    settings = Settings()
    with open_records(settings) as records:
        best = load_run_best(records, settings, name)
    result = _write(best, folder, merged)
    if not result["finished"]:
        err.print(f"run {name} is not finished: this is its best of iteration {best.iteration}, not tested")
    if as_json:
        print_json(result)
    else:
        out.print(f"{result['kind']}: {folder}\nmodel card: {folder / 'README.md'}", soft_wrap=True, markup=False)


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
