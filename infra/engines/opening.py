"""Opening the engine that a configuration names. A new kind of engine is one file and one line here."""

from experts.base_models import BaseModel
from experts.basis import Basis, FullBasis
from infra.engines.base import Engine
from infra.engines.config import EngineConfig


def open_engine(config: EngineConfig, base: BaseModel, basis: Basis | FullBasis) -> Engine:
    """Load `base` into the engine of `config`; `basis` holds the experts that recipes will name.

    Raises:
        InputError: this machine can't run the configuration, or the basis does not fit the engine.
        EvaluationError: there is not enough memory.

    """
    from infra.engines.transformers import TransformersEngine

    return TransformersEngine(config, base, basis)
