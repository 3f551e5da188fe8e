"""Options of the `swarm data` commands."""

from pathlib import Path
from typing import Annotated

import typer

OwnCatalogue = Annotated[
    Path | None, typer.Option("--catalogue", metavar="FILE", help="A catalogue of your own, instead of the papers'.")
]
To = Annotated[
    Path | None, typer.Option("--to", metavar="DIR", help="The folder of pulled data sets.  [default: in the cache]")
]
