"""Find what `swarm evaluate` evaluates: the base model, one expert, or the best of a run."""

from pathlib import Path

from experts.adapter_config import CONFIG
from experts.base_models import BaseModel
from experts.basis import FullBasis, load_basis
from flows.searches import SEARCHES
from infra.evaluation.subject import Subject
from infra.records.store import Records
from infra.settings import Settings
from swarm.errors import InputError
from swarm.recipes import BASE, Recipe, Space


def find_subject(name: str, base: BaseModel, records: Records, settings: Settings) -> Subject:
    """Return what `name` means: `base`, else a folder with an expert of `base`, else the best of a run over `base`.

    Raises:
        InputError: it is none of these, or an expert or run of another base model.

    """
    if name == BASE:
        return Subject.of_recipe(f"base model {base.name}", _alone(BASE), FullBasis((), (), (), base), base)
    folder = Path(name)
    if _holds_expert(folder):
        basis = load_basis([folder], base)
        return Subject.of_recipe(f"expert {basis.names[0]}", _alone(basis.ids[0]), basis, base)
    if len(folder.parts) > 1:
        raise InputError(f"{name}: is no expert's folder: give one, the name of a run, or {BASE!r}")
    return _best_of_run(name, base, records, settings)


def _holds_expert(folder: Path) -> bool:
    """Tell whether an expert lies in `folder`; a folder that only shares its name with a run is none."""
    return (folder / CONFIG).is_file() or (folder / "config.json").is_file()


def _alone(identity: str) -> Recipe:
    return Recipe((identity,), (1.0,), Space.FACTORS)


def _best_of_run(name: str, base: BaseModel, records: Records, settings: Settings) -> Subject:
    run = records.run(name)
    subject = SEARCHES.of(run).subject(records, settings, run)
    if subject.base.sha256 != base.sha256:
        raise InputError(
            f"run {name!r} is over the base model {subject.base.name!r}, not {base.name!r}: "
            "give a config with its base model"
        )
    return subject
