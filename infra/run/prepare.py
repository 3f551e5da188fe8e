"""Everything a run needs, found, read and checked before anything is started or written."""

from dataclasses import dataclass

from data.division import divided
from data.objective import Objective
from experts.base_models import BaseModel, resolve_base_model
from experts.basis import Basis, FullBasis, load_basis
from experts.seed_basis import SeedBasis, seed_basis
from experts.snapshots import Snapshots
from infra.configs.common import ExpertsConfig, RunConfig
from infra.engines.kinds import engine_identity
from infra.evaluation.evaluator import open_objective
from infra.files.results import require_results
from infra.files.run_folder import RunFolder
from infra.files.run_lock import require_free
from infra.observing.trackers.opening import require_trackers
from infra.searches.evolution_strategies.config import EvolutionStrategiesConfig
from infra.searches.model_swarms.config import ModelSwarmsConfig
from infra.searches.model_swarms.warm_start import WarmStart, read_warm_start
from infra.settings import Settings
from swarm.errors import InputError
from swarm.recipes import BASE


@dataclass(frozen=True)
class Prepared:
    """A run's inputs.

    Attributes:
        base: the base model.
        basis: the n experts, or what recipes of seeds are made from.
        objective: data, prompts and scorers.
        bases: the ids that the search's coefficients belong to: the experts', then `BASE` if it is included.
        names: their names, for people.
        engine: the engine's identity.
        warm_start: what an earlier run found, where the search goes on from it.

    """

    base: BaseModel
    basis: Basis | FullBasis | SeedBasis
    objective: Objective
    bases: tuple[str, ...]
    names: tuple[str, ...]
    engine: str
    warm_start: WarmStart | None = None

    @property
    def identity(self) -> dict[str, str]:
        """What decides a run besides its settings: what → content hash."""
        experts = {f"expert {name}": key for name, key in zip(self.basis.names, self.basis.ids, strict=True)}
        warm = {"warm start": self.warm_start.sha256} if self.warm_start is not None else {}
        return {
            "base model": self.base.sha256,
            **experts,
            "objective": self.objective.key,
            "engine": self.engine,
            **warm,
        }


def prepare(config: RunConfig, settings: Settings) -> Prepared:
    """Find, read and check everything that `config` names.

    Raises:
        InputError: something is missing, damaged, or doesn't fit, or another process drives the run.

    """
    require_free(RunFolder(settings.runs, config.name).path, settings.lock_patience)
    require_trackers(config.track)
    require_results(settings.results)
    base = resolve_base_model(config.base_model, settings.cache)
    if isinstance(config, EvolutionStrategiesConfig):
        return _prepare_evolution(config, base, settings)
    if not isinstance(config, ExpertsConfig):
        raise TypeError(f"algorithm {config.algorithm!r} has no experts")
    basis = load_basis(config.experts, base)
    _refuse_twins(basis)
    objective = open_objective(config.objective, base, settings)
    bases = (*basis.ids, BASE) if config.include_base else basis.ids
    names = (*basis.names, BASE) if config.include_base else basis.names
    config.check_experts(names)
    warm = _warm_start(config, settings, base, names, bases)
    return Prepared(base, basis, objective, bases, names, engine_identity(config.engine, base), warm)


def _warm_start(
    config: ExpertsConfig, settings: Settings, base: BaseModel, names: tuple[str, ...], bases: tuple[str, ...]
) -> WarmStart | None:
    if not isinstance(config, ModelSwarmsConfig) or config.warm_start is None:
        return None
    return read_warm_start(config.warm_start, settings, base.sha256, names, bases, config.space)


def _prepare_evolution(config: EvolutionStrategiesConfig, base: BaseModel, settings: Settings) -> Prepared:
    snapshots = Snapshots(RunFolder(settings.runs, config.name).snapshots, config.snapshot_every)
    basis = seed_basis(base, config.perturbation.perturbation(config.search.reference), config.start, snapshots)
    objective = open_objective(config.objective, base, settings)
    divided(objective, config.search.held_out)
    names, bases = (basis.names, basis.ids) if config.start else ((BASE,), (BASE,))
    return Prepared(base, basis, objective, bases, names, engine_identity(config.engine, base))


def _refuse_twins(basis: Basis | FullBasis) -> None:
    """Refuse what the records and the report could not tell apart."""
    for values, twins in (
        (basis.ids, "are the same expert: leave one out"),
        (basis.names, "have the same name: rename one's folder"),
    ):
        for index, value in enumerate(values):
            if value in values[:index]:
                first, second = basis.names[values.index(value)], basis.names[index]
                raise InputError(f"experts: {first!r} and {second!r} {twins}")
