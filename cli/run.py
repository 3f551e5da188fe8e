"""`swarm run`."""

from pathlib import Path
from typing import Annotated

import typer

from cli.runs.drive import drive_and_print
from cli.terminal.options import AsJson, Overrides
from flows.searches import load_run_config


def run(
    config: Annotated[Path, typer.Argument(metavar="CONFIG", help="The run's YAML file.")],
    overrides: Overrides = None,
    as_json: AsJson = False,
) -> None:
    """Run a search (or continue it, if it was begun), and print its summary."""
    drive_and_print(load_run_config(config, overrides or []), as_json)
