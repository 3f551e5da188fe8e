"""`swarm experts list`."""

from pathlib import Path
from typing import Annotated, Any

import typer

from cli.terminal.console import err, out, print_json, table
from cli.terminal.options import AsJson


def list_experts(
    places: Annotated[list[Path], typer.Argument(metavar="FOLDER...|CONFIG", help="Folders, or a run's YAML file.")],
    as_json: AsJson = False,
) -> None:
    """List the adapters below folders, or the experts of a run's config."""
    from cli.experts.folders import describe_expert, find_experts

    experts = [describe_expert(folder) for folder in find_experts(places)]
    if as_json:
        print_json(experts)
        return
    columns = ("expert", "rank", "targets", "MB", "base model", "trained on", "final loss")
    out.print(table(columns, map(_row, experts)))
    for expert in experts:
        if expert["problem"] is not None:
            err.print(expert["problem"], soft_wrap=True)


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
