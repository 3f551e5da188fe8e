"""`swarm experts check`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.terminal.console import out, print_json, table
from cli.terminal.options import AsJson

if TYPE_CHECKING:
    from experts.base_models import BaseModel


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
    experts = [_check(folder, model) for folder in folders]
    if as_json:
        print_json(experts)
        return
    columns = ("expert", "", "kind", "rank", "modules", "id")
    rows = [(c["name"], "ok", c["kind"], c["rank"], c["modules"], c["id"][:12]) for c in experts]
    out.print(table(columns, rows))


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
