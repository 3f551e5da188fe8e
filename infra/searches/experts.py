"""Read the inputs of a search among experts, whatever the algorithm: the experts and the objective."""

from experts.base_models import BaseModel
from experts.basis import load_basis
from infra.configs.common import ExpertsConfig
from infra.engines.kinds import engine_identity
from infra.evaluation.evaluator import open_objective
from infra.evaluation.inputs import RunInputs
from infra.run.prepare import refuse_twins
from infra.settings import Settings
from swarm.recipes import BASE


def read_experts(config: ExpertsConfig, base: BaseModel, settings: Settings) -> RunInputs:
    """Read and check the experts and the objective of `config`.

    Raises:
        InputError: an expert or data file is missing, damaged, or doesn't fit.

    """
    basis = load_basis(config.experts, base)
    refuse_twins(basis)
    objective = open_objective(config.objective, base, settings)
    bases = (*basis.ids, BASE) if config.include_base else basis.ids
    names = (*basis.names, BASE) if config.include_base else basis.names
    config.check_experts(names)
    return RunInputs(base, basis, objective, bases, names, engine_identity(config.engine, base))
