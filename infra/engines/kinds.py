"""The table of engines by kind, and the functions that use it.

A new kind of engine is its own files and one line here; or an `EngineKind` that another distribution names as entry
point of `model_swarms.engines`.
"""

from collections.abc import Mapping
from typing import Any

from data.plugins import Entry, check_named
from experts.base_models import BaseModel
from experts.bases import AnyBasis
from infra.engines.base import Engine, EngineKind
from infra.engines.config import ENGINE_PLUGINS, EngineConfig
from infra.engines.gpu.leased_engine import open_leased, visible_gpus
from infra.engines.local import LOCAL_ENGINES
from infra.engines.ray.identity import pool_identity
from infra.engines.resolved import resolve
from infra.settings import Settings


def _open_pool(config: EngineConfig, base: BaseModel, basis: AnyBasis) -> Engine:
    from infra.engines.ray.pool import RayEngine

    return RayEngine(config, base, basis)


ENGINES: Mapping[str, EngineKind] = {
    **LOCAL_ENGINES,
    "ray": EngineKind("ray", pool_identity, _open_pool, takes_turns=False),
}


def engine_kind(name: str) -> EngineKind:
    """Return the kind of engine called `name`, a built-in one or a plugin's.

    Raises:
        InputError: no plugin has that name, or it can't be loaded.

    """
    if name in ENGINES:
        return ENGINES[name]
    return ENGINE_PLUGINS.load(name, _check_kind)


def engine_entries() -> list[Entry]:
    """List the kinds of engines that plugins add; each is loaded, to see whether it can be used."""
    return ENGINE_PLUGINS.load_all(_check_kind)[1]


def engine_identity(config: EngineConfig, base: BaseModel) -> str:
    """Return, as canonical JSON, what the answers of the engine of `config` over `base` depend on.

    No model is loaded. Equal identities, populations and requests give equal bits.

    Raises:
        InputError: this machine can't run the configuration.

    """
    return engine_kind(config.kind).identity(config, base)


def open_engine(config: EngineConfig, base: BaseModel, basis: AnyBasis) -> Engine:
    """Load `base` into the engine of `config`; `basis` holds the experts that recipes will name.

    On a GPU the engine takes turns with those of other runs on this machine (`infra.engines.gpu.lease`), unless its
    kind leaves that to somebody else.

    Raises:
        InputError: this machine can't run the configuration, or the basis does not fit the engine.
        EvaluationError: there is not enough memory.

    """
    kind = engine_kind(config.kind)
    if not kind.takes_turns or (device := resolve(config).device).type != "cuda":
        return kind.open(config, base, basis)
    return open_leased(
        lambda gpu: kind.open(config.model_copy(update={"device": f"cuda:{gpu.index}"}), base, basis),
        visible_gpus(device),
        Settings().cache / "gpus",
    )


def _check_kind(value: Any, name: str) -> EngineKind:
    check_named(value, EngineKind, name)
    kind: EngineKind = value
    return kind
