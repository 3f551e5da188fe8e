"""Everything a run needs, found, read and checked before anything is started or written."""

from dataclasses import dataclass

from data.objective import Objective, load_objective
from data.prompts import Chat
from experts.base_models import BaseModel, chat_template, resolve_base_model
from experts.basis import Basis, FullBasis, load_basis
from infra.configs.common import ExpertsConfig, RunConfig
from infra.engines.identity import engine_identity
from infra.run_folder import RunFolder
from infra.run_lock import require_free
from infra.settings import Settings
from swarm.errors import InputError
from swarm.recipes import BASE


@dataclass(frozen=True)
class Prepared:
    """A run's inputs.

    Attributes:
        base: the base model.
        basis: the n experts.
        objective: data, prompts and scorers.
        bases: the ids that the search's coefficients belong to: the experts', then `BASE` if it is included.
        names: their names, for people.
        engine: the engine's identity.

    """

    base: BaseModel
    basis: Basis | FullBasis
    objective: Objective
    bases: tuple[str, ...]
    names: tuple[str, ...]
    engine: str

    @property
    def identity(self) -> dict[str, str]:
        """What decides a run besides its settings: what → content hash."""
        experts = {f"expert {name}": key for name, key in zip(self.basis.names, self.basis.ids, strict=True)}
        return {"base model": self.base.sha256, **experts, "objective": self.objective.key, "engine": self.engine}


def prepare(config: RunConfig, settings: Settings) -> Prepared:
    """Find, read and check everything that `config` names.

    Raises:
        InputError: something is missing, damaged, or doesn't fit, or another process drives the run.

    """
    require_free(RunFolder(settings.runs, config.name).path)
    if not isinstance(config, ExpertsConfig):
        raise TypeError(f"algorithm {config.algorithm!r} has no experts")
    base = resolve_base_model(config.base_model, settings.cache)
    basis = load_basis(config.experts, base)
    _refuse_twins(basis)
    objective = load_objective(config.objective, _chat(config, base))
    bases = (*basis.ids, BASE) if config.include_base else basis.ids
    names = (*basis.names, BASE) if config.include_base else basis.names
    config.check_experts(names)
    return Prepared(base, basis, objective, bases, names, engine_identity(config.engine, base))


def _chat(config: RunConfig, base: BaseModel) -> Chat | None:
    return chat_template(base) if any(task.prompt == "chat" for task in config.objective.tasks) else None


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
