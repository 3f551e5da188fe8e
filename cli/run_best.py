"""The best that a run has found so far, and the experts that it is made of."""

from dataclasses import dataclass

from cli.run_records import basis_names, last_state
from experts.base_models import BaseModel, resolve_base_model
from experts.basis import Basis, FullBasis, load_basis
from infra.configs.yaml_files import validate
from infra.files.run_folder import RunFolder
from infra.records.store import Records
from infra.records.values import RunRecord
from infra.searches.model_swarms.config import ModelSwarmsConfig
from infra.settings import Settings
from swarm.errors import InputError
from swarm.recipes import BASE, Recipe
from swarm.state import Extreme


@dataclass(frozen=True)
class RunBest:
    """A run's global best.

    Attributes:
        run: the run.
        iteration: the last saved iteration.
        best: the global best as of then.
        recipe: its recipe.
        names: the names of the recipe's bases.
        base: the run's base model.
        basis: the run's experts.

    """

    run: RunRecord
    iteration: int
    best: Extreme
    recipe: Recipe
    names: tuple[str, ...]
    base: BaseModel
    basis: Basis | FullBasis


def load_run_best(records: Records, settings: Settings, name: str) -> RunBest:
    """Return the global best of the run called `name`, finished or not, with its experts read and checked.

    Raises:
        InputError: there is no such run, it has no global best yet, or its base model or an expert is gone or changed.

    """
    run = records.run(name)
    if run.algorithm == "heterogeneous-swarms":
        raise InputError(f"run {name!r} found a system, not a model: ask it (swarm ask {name} QUESTION) or export it")
    if run.algorithm != "model-swarms":
        raise InputError(f"run {name!r} is one of {run.algorithm}: export it (swarm export {name} DIR) and name DIR")
    state = last_state(records, name)
    if state is None or state.global_best is None:
        raise InputError(f"run {name!r} has no global best yet: wait for its first iteration, or: swarm resume {name}")
    folder = RunFolder(settings.runs, name)
    config = validate(folder.read_config(), ModelSwarmsConfig, str(folder.config))
    base = resolve_base_model(config.base_model, settings.cache, settings.verify_hashes)
    basis = load_basis(config.experts, base)
    _check_unchanged(run, base, basis)
    bases = (*basis.ids, BASE) if config.include_base else basis.ids
    recipe = Recipe(bases, tuple(state.global_best.coefficients.tolist()), config.space)
    return RunBest(run, state.iteration, state.global_best, recipe, tuple(basis_names(run)), base, basis)


def _check_unchanged(run: RunRecord, base: BaseModel, basis: Basis | FullBasis) -> None:
    """Refuse other experts under the old names: the coefficients would mean something else."""
    found = {"base model": base.sha256}
    found |= {f"expert {name}": key for name, key in zip(basis.names, basis.ids, strict=True)}
    for what, key in found.items():
        if run.identity.get(what) != key:
            was = str(run.identity.get(what))[:12]
            raise InputError(f"run {run.name!r}: {what} was {was}… and is now {key[:12]}…: put back what it was")
