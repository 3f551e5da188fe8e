"""`swarm export` of an evolution strategies run: the exact weights of any iteration, from the base and the journal."""

from pathlib import Path
from typing import Any

from experts.base_models import resolve_base_model
from experts.evolved_export import export_evolved
from experts.files import publish_folder
from experts.seed_basis import SeedBasis, seed_basis
from experts.snapshots import Snapshots
from infra.configs.yaml_files import validate
from infra.files.run_folder import RunFolder
from infra.records.store import Records
from infra.records.values import RunRecord
from infra.searches.evolution_strategies.config import EvolutionStrategiesConfig
from infra.settings import Settings
from swarm.errors import InputError
from swarm.es_state import EsState
from swarm.recipes import BASE, Recipe, Space
from swarm.seeds import Journal, SeedRecipe


def export_mean(records: Records, settings: Settings, name: str, iteration: int | None, folder: Path) -> dict[str, Any]:
    """Write the mean θ of `iteration` (of the best one, if None) of the run called `name`; return what was written.

    Raises:
        InputError: there is no such iteration, or the run's base model or start is gone or changed.

    """
    run = records.run(name)
    states = [EsState.from_json(saved.state) for saved in records.iterations(name)]
    wanted = _wanted(run, states, iteration)
    basis = _basis(run, settings)
    start = Recipe(basis.ids or (BASE,), (1.0,), Space.PRODUCT)
    journal = Journal().extended(*(s.update for s in states[:wanted] if s.update is not None))
    recipe = SeedRecipe.of(start, basis.perturbation, journal)
    with publish_folder(folder.absolute()) as temporary:
        exported = export_evolved(basis, recipe, temporary / "weights")
        for file in sorted((temporary / "weights").iterdir()):
            file.rename(temporary / file.name)
        (temporary / "weights").rmdir()
        (temporary / "README.md").write_text(_card(run, wanted, recipe, exported.sha256), encoding="utf-8")
    return {
        "run": name,
        "folder": str(folder),
        "kind": "adapter" if (folder / "adapter_config.json").is_file() else "whole model",
        "iteration": wanted,
        "sha256": exported.sha256,
        "drift": exported.drift,
        "recipe": recipe.to_json(),
        "finished": run.summary is not None,
    }


def _wanted(run: RunRecord, states: list[EsState], iteration: int | None) -> int:
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
    meaning = config.perturbation.perturbation(config.search.reference)
    basis = seed_basis(base, meaning, config.start, Snapshots(folder.snapshots))
    found = {"base model": base.sha256, **dict(zip((f"expert {n}" for n in basis.names), basis.ids, strict=True))}
    for what, key in found.items():
        if run.identity.get(what) != key:
            was = str(run.identity.get(what))[:12]
            raise InputError(f"run {run.name!r}: {what} was {was}… and is now {key[:12]}…: put back what it was")
    return basis


def _card(run: RunRecord, iteration: int, recipe: SeedRecipe, sha256: str) -> str:
    return (
        f"# {run.name}\n\nThe mean of iteration {iteration} of an evolution strategies search "
        f"(arXiv 2509.24372) over `{run.config['base_model']}`, seed {run.seed}: the start and "
        f"{len(recipe.journal.updates)} updates from seeds.\n\n"
        f"- perturbation: {recipe.perturbation.mode.value}, rank {recipe.perturbation.rank}\n"
        f"- journal: `{recipe.journal.id}`\n- weights: `{sha256}`\n"
    )
