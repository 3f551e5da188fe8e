"""The inputs of a run of evolution strategies: what recipes of seeds are made from, and the objective."""

from data.dev_split import split_dev
from experts.base_models import BaseModel
from experts.seed_basis import SeedBasis, seed_basis
from experts.snapshots import Snapshots
from infra.engines.kinds import engine_identity
from infra.evaluation.evaluator import open_objective
from infra.evaluation.inputs import RunInputs
from infra.files.run_folder import RunFolder
from infra.searches.evolution_strategies.config import EvolutionStrategiesConfig
from infra.settings import Settings
from swarm.recipes import BASE


def read_inputs(config: EvolutionStrategiesConfig, base: BaseModel, settings: Settings) -> RunInputs:
    """Read and check everything that `config` names; raises `InputError` for what is missing or doesn't fit."""
    folder = RunFolder(settings.runs, config.name)
    basis = seed_basis_of(config, base, Snapshots(folder.snapshots, config.snapshot_every))
    objective = open_objective(config.objective, base, settings)
    split_dev(objective, config.search.held_out)
    names, bases = (basis.names, basis.ids) if config.start else ((BASE,), (BASE,))
    return RunInputs(base, basis, objective, bases, names, engine_identity(config.engine, base))


def seed_basis_of(config: EvolutionStrategiesConfig, base: BaseModel, snapshots: Snapshots | None = None) -> SeedBasis:
    """Return what the recipes of `config` are made from; raises `InputError` if its start can't be read."""
    return seed_basis(base, config.perturbation.perturbation(config.search.reference), config.start, snapshots)
