"""Who is evaluated: the base model, one expert, or the best of a run."""

from dataclasses import dataclass
from pathlib import Path

from cli.run_best import load_run_best
from experts.adapter_config import CONFIG
from experts.base_models import BaseModel
from experts.basis import Basis, FullBasis, load_basis
from infra.records.store import Records
from infra.settings import Settings
from swarm.errors import InputError
from swarm.recipes import BASE, Recipe, Space


@dataclass(frozen=True)
class Subject:
    """Who is evaluated.

    Attributes:
        name: what messages call it.
        recipe: what it is made of.
        basis: the experts that `recipe` names.

    """

    name: str
    recipe: Recipe
    basis: Basis | FullBasis


def find_subject(name: str, base: BaseModel, records: Records, settings: Settings) -> Subject:
    """Return what `name` means: `base`, else a folder with an expert of `base`, else the best of a run over `base`.

    Raises:
        InputError: it is none of these, or an expert or run of another base model.

    """
    if name == BASE:
        return Subject(f"base model {base.name}", _one(BASE), FullBasis((), (), (), base))
    folder = Path(name)
    if _holds_expert(folder):
        basis = load_basis([folder], base)
        return Subject(f"expert {basis.names[0]}", _one(basis.ids[0]), basis)
    if len(folder.parts) > 1:
        raise InputError(f"{name}: is no expert's folder: give one, the name of a run, or {BASE!r}")
    return _best_of_run(name, base, records, settings)


def _holds_expert(folder: Path) -> bool:
    """Tell whether an expert lies in `folder`; a folder that only shares its name with a run is none."""
    return (folder / CONFIG).is_file() or (folder / "config.json").is_file()


def _one(identity: str) -> Recipe:
    return Recipe((identity,), (1.0,), Space.FACTORS)


def _best_of_run(name: str, base: BaseModel, records: Records, settings: Settings) -> Subject:
    found = load_run_best(records, settings, name)
    if found.base.sha256 != base.sha256:
        raise InputError(
            f"run {name!r} is over the base model {found.base.name!r}, not {base.name!r}: "
            "give a config with its base model"
        )
    return Subject(f"best of run {name}", found.recipe, found.basis)
