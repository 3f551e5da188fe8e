"""`swarm data pull`."""

from typing import Annotated

import typer

from cli.data.options import OwnCatalogue, To
from cli.data.public import pull_public_data
from cli.terminal.options import AsJson


def pull(
    names: Annotated[list[str], typer.Argument(metavar="NAME...", help="Data sets, as `swarm data list` shows them.")],
    to: To = None,
    catalogue: OwnCatalogue = None,
    as_json: AsJson = False,
) -> None:
    """Download public data sets; what broke off is continued, what is there whole is left as it is."""
    pull_public_data(names, catalogue, to, as_json)
