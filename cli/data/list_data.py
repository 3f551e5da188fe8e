"""`swarm data list`."""

from pathlib import Path
from typing import Annotated

import typer

from cli.data.options import OwnCatalogue, To
from cli.data.public import show_public_data
from cli.data.rows import COLUMNS, listed_row
from cli.terminal.console import err, out, print_json, table
from cli.terminal.options import AsJson
from data.summary import list_data


def list_files(
    folder: Annotated[
        Path | None, typer.Argument(metavar="[FOLDER]", help="List this folder's data files instead.")
    ] = None,
    to: To = None,
    catalogue: OwnCatalogue = None,
    as_json: AsJson = False,
) -> None:
    """List the papers' public data sets, with what is pulled; or the data files of a folder."""
    if folder is None:
        show_public_data(catalogue, to, as_json)
        return
    files = list_data(folder)
    if as_json:
        print_json([file.to_json() for file in files])
    else:
        out.print(table(COLUMNS, map(listed_row, files)))
        for problem in filter(None, (file.problem for file in files)):
            err.print(problem, soft_wrap=True)
