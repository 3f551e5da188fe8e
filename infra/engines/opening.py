"""Opening the engine that a configuration names. A new kind of engine is one file and one line here."""

from experts.base_models import BaseModel
from infra.engines.base import Engine
from infra.engines.config import EngineConfig
from infra.engines.identity import resolve
from infra.engines.packed.members import AnyBasis


def open_engine(config: EngineConfig, base: BaseModel, basis: AnyBasis) -> Engine:
    """Load `base` into the engine of `config`; `basis` holds the experts that recipes will name.

    On a GPU the engine takes turns with those of other runs on this machine (`infra.engines.gpu.lease`); a pool leaves
    that to Ray.

    Raises:
        InputError: this machine can't run the configuration, or the basis does not fit the engine.
        EvaluationError: there is not enough memory.

    """
    if config.kind == "ray" or (device := resolve(config).device).type != "cuda":
        return open_alone(config, base, basis)
    from infra.engines.gpu.leased import open_leased, visible_gpus
    from infra.settings import Settings

    return open_leased(
        lambda gpu: open_alone(config.model_copy(update={"device": f"cuda:{gpu.index}"}), base, basis),
        visible_gpus(device),
        Settings().cache / "gpus",
    )


def open_alone(config: EngineConfig, base: BaseModel, basis: AnyBasis) -> Engine:
    """Open as `open_engine` does, but as the only engine on its GPU: for those who place engines themselves."""
    match config.kind:
        case "transformers":
            from infra.engines.packed.engine import TransformersEngine

            return TransformersEngine(config, base, basis)
        case "vllm":
            from infra.engines.vllm.engine import VllmEngine

            return VllmEngine(config, base, basis)
        case "ray":
            from infra.engines.ray.pool import RayEngine

            return RayEngine(config, base, basis)
