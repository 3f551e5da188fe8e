"""A mean of an evolution strategies run, and the exact export of it, from the base model and the journal."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from experts.base_models import resolve_base_model
from experts.evolved_export import export_evolved
from experts.files import publish_folder
from experts.seed_basis import SeedBasis
from experts.snapshots import Snapshots
from infra.configs.yaml_files import validate
from infra.files.run_folder import RunFolder
from infra.records.store import Records
from infra.records.values import RunRecord
from infra.run.prepare import require_unchanged
from infra.searches.evolution_strategies.config import EvolutionStrategiesConfig
from infra.searches.evolution_strategies.inputs import seed_basis_of
from infra.settings import Settings
from swarm.errors import InputError
from swarm.es_state import EsState
from swarm.recipes import BASE, Recipe, Space
from swarm.seeds import Journal, SeedRecipe


@dataclass(frozen=True)
class Mean:
    """The mean θ of one iteration: `recipe` over `basis`."""

    iteration: int
    recipe: SeedRecipe
    basis: SeedBasis


def read_mean(records: Records, settings: Settings, run: RunRecord, iteration: int | None) -> Mean:
    """Return the mean of `iteration` (of the best one, if None) of `run`, finished or not.

    Raises:
        InputError: there is no such iteration, or the run's base model or start is gone or changed.

    """
    states = [EsState.from_json(record.state) for record in records.iterations(run.name)]
    number = _number(run, states, iteration)
    basis = _basis(run, settings)
    start = Recipe(basis.ids or (BASE,), (1.0,), Space.PRODUCT)
    journal = Journal().extend(*(s.update for s in states[:number] if s.update is not None))
    return Mean(number, SeedRecipe.of(start, basis.perturbation, journal), basis)


def export_mean(mean: Mean, run: RunRecord, folder: Path) -> dict[str, Any]:
    """Write `mean` to `folder`; return what was written."""
    with publish_folder(folder.absolute()) as temporary:
        result = export_evolved(mean.basis, mean.recipe, temporary / "weights")
        for file in sorted((temporary / "weights").iterdir()):
            file.rename(temporary / file.name)
        (temporary / "weights").rmdir()
        card = _card(run, mean.iteration, mean.recipe, result.sha256)
        (temporary / "README.md").write_text(card, encoding="utf-8")
    return {
        "run": run.name,
        "folder": str(folder),
        "kind": "adapter" if (folder / "adapter_config.json").is_file() else "whole model",
        "iteration": mean.iteration,
        "sha256": result.sha256,
        "drift": result.drift,
        "recipe": mean.recipe.to_json(),
        "finished": run.summary is not None,
    }


def _number(run: RunRecord, states: list[EsState], iteration: int | None) -> int:
    if not states or states[-1].best is None:
        raise InputError(f"run {run.name!r} has no iteration yet: wait for its first, or: swarm resume {run.name}")
    if iteration is None:
        return states[-1].best.iteration
    if not 0 <= iteration < len(states):
        raise InputError(f"--iteration {iteration}: run {run.name!r} has the iterations 0 to {len(states) - 1}")
    return iteration


def _basis(run: RunRecord, settings: Settings) -> SeedBasis:
    """Return what the run's recipes are made from; refuse another base model or start under the old name."""
    folder = RunFolder(settings.runs, run.name)
    config = validate(folder.read_config(), EvolutionStrategiesConfig, str(folder.config))
    base = resolve_base_model(config.base_model, settings.cache, settings.verify_hashes)
    basis = seed_basis_of(config, base, Snapshots(folder.snapshots))
    starts = {f"expert {name}": key for name, key in zip(basis.names, basis.ids, strict=True)}
    require_unchanged(run, {"base model": base.sha256, **starts})
    return basis


def _card(run: RunRecord, iteration: int, recipe: SeedRecipe, sha256: str) -> str:
    return (
        f"# {run.name}\n\nThe mean of iteration {iteration} of an evolution strategies search "
        f"(arXiv 2509.24372) over `{run.config['base_model']}`, seed {run.seed}: the start and "
        f"{len(recipe.journal.updates)} updates from seeds.\n\n"
        f"- perturbation: {recipe.perturbation.mode.value}, rank {recipe.perturbation.rank}\n"
        f"- journal: `{recipe.journal.id}`\n- weights: `{sha256}`\n"
    )
