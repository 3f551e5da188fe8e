"""`swarm export`."""

from pathlib import Path
from typing import Annotated, Any

import typer

from cli.terminal.console import err, out, print_json
from cli.terminal.options import AsJson, RunArgument
from swarm.errors import InputError


def export(
    name: RunArgument,
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
    from cli.runs.records import open_records
    from flows.searches import SEARCHES
    from infra.run.search import ExportOptions
    from infra.settings import Settings

    _require_empty(folder)
    settings = Settings()
    with open_records(settings) as records:
        run = records.run(name)
        result = SEARCHES.of(run).export(records, settings, run, folder, ExportOptions(iteration, merged))
        last = records.iterations(name)[-1].iteration
    if not result["finished"] and iteration is None:
        err.print(f"run {name} is not finished: this is its best of iteration {last}, not tested")
    _print(result, as_json)


def _print(result: dict[str, Any], as_json: bool) -> None:
    """Say what was written, and where."""
    if as_json:
        print_json(result)
    else:
        card = Path(result["folder"]) / "README.md"
        out.print(f"{result['kind']}: {result['folder']}", soft_wrap=True)
        if card.is_file():
            out.print(f"model card: {card}", soft_wrap=True)


def _require_empty(folder: Path) -> None:
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder}: is a file: name a new folder")
    if folder.is_dir() and any(folder.iterdir()):
        raise InputError(f"{folder}: is not empty: name a new folder or empty it")
